//! The users file.

use std::time::{Duration, Instant};

use tidings_auth::users::{
    HashError, LineError, MAX_FILE_BYTES, MAX_LINE_BYTES, MAX_PASSCODE_BYTES, MAX_USERS, Users,
    UsersError, hash,
};
use tidings_core::security::Principal;

/// A hash that can be read and fits no passcode.
fn some_hash(parameters: &str) -> String {
    format!("$argon2id$v=19${parameters}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
}

fn line_error(text: &str) -> (usize, LineError) {
    match Users::parse(text) {
        Err(UsersError::Line { line, cause }) => (line, cause),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_user_comes_in_with_the_passcode_and_has_the_roles() {
    let file = format!(
        "\u{feff}# people\r\n\r\n  ann:{}:staff,admin \r\nbob b\u{f6}b:{}\r\n",
        hash("s\u{e9}cret").expect("a hash"),
        hash("other").expect("a hash"),
    );
    let users = Users::parse(&file).expect("a good file");
    assert_eq!(users.count(), 2);
    assert_eq!(
        users.verify("ann", "s\u{e9}cret"),
        Some(Principal::user("ann").with_roles(["staff", "admin"]))
    );
    assert_eq!(
        users.verify("bob b\u{f6}b", "other"),
        Some(Principal::user("bob b\u{f6}b"))
    );
    for (name, passcode) in [
        ("ann", "other"),
        ("ann", ""),
        ("ann", "s\u{e9}cret "),
        ("Ann", "s\u{e9}cret"),
        ("", ""),
        ("eve", "other"),
    ] {
        assert_eq!(users.verify(name, passcode), None, "{name} {passcode}");
    }
}

#[test]
fn a_hash_is_salted_and_has_the_parameters_that_owasp_names() {
    let (one, other) = (hash("x").expect("a hash"), hash("x").expect("a hash"));
    assert_ne!(one, other);
    assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
}

/// RFC 9106, section 5.3, has other inputs than a passcode; this is of the reference implementation's tests
/// (`test.c`: version 19, t=2, m=2^8 KiB, p=1, "password", "somesalt").
#[test]
fn a_hash_by_the_reference_implementation_is_verified() {
    let file =
        "ann:$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let users = Users::parse(file).expect("a good file");
    assert!(users.verify("ann", "password").is_some());
    assert!(users.verify("ann", "Password").is_none());
}

#[test]
fn wrong_lines_are_named_with_what_is_wrong() {
    let good = some_hash("m=64,t=1,p=1");
    for (line, cause) in [
        ("ann".to_owned(), LineError::Form),
        (format!(":{good}"), LineError::Name),
        (format!("a\tb:{good}"), LineError::Name),
        (format!("ann:{good}:"), LineError::Role),
        (format!("ann:{good}:a,,b"), LineError::Role),
        (format!("ann:{good}:a, b"), LineError::Role),
        ("ann:".to_owned(), LineError::Hash(HashError::NoPhc)),
        ("ann:secret".to_owned(), LineError::Hash(HashError::NoPhc)),
        (
            "ann:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ".to_owned(),
            LineError::Hash(HashError::NoPhc),
        ),
        (
            format!("ann:{}", good.replace("argon2id", "argon2i")),
            LineError::Hash(HashError::OtherFunction),
        ),
        (
            format!("ann:{}", good.replace("v=19", "v=16")),
            LineError::Hash(HashError::OtherFunction),
        ),
        (
            format!("ann:{}", good.replace("$v=19", "")),
            LineError::Hash(HashError::OtherFunction),
        ),
        (
            "ann:$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(),
            LineError::Hash(HashError::NoPhc),
        ),
        (format!("bob:{good}"), LineError::Duplicate { first: 2 }),
        ("x".repeat(MAX_LINE_BYTES + 1), LineError::TooLong),
    ] {
        let text = format!("# people\nbob:{good}:a,b\n{line}\n");
        assert_eq!(line_error(&text), (3, cause), "{line}");
    }
}

#[test]
fn errors_show_no_hash() {
    let error = Users::parse("a:b\n").expect_err("no hash");
    assert_eq!(
        error.to_string(),
        "line 1 of the users file: the hash is no PHC string ($argon2id$v=19$...); `tidings hash` makes one"
    );
    let users = Users::parse(&format!("ann:{}", some_hash("m=64,t=1,p=1"))).expect("a good file");
    assert_eq!(format!("{users:?}"), "Users { count: 1, .. }");
}

#[test]
fn a_hash_that_would_take_too_much_is_refused_when_the_file_is_read() {
    for (parameters, is_taken) in [
        ("m=65536,t=1,p=1", true),
        ("m=65537,t=1,p=1", false),
        ("m=4294967295,t=1,p=1", false),
        ("m=64,t=16,p=1", true),
        ("m=64,t=17,p=1", false),
        ("m=128,t=1,p=16", true),
        ("m=136,t=1,p=17", false),
        ("m=1,t=1,p=1", false),
        ("m=64,t=0,p=1", false),
        ("m=4294967296,t=1,p=1", false),
    ] {
        let outcome = Users::parse(&format!("ann:{}", some_hash(parameters)));
        assert_eq!(outcome.is_ok(), is_taken, "{parameters}: {outcome:?}");
    }
}

#[test]
fn a_file_has_limits() {
    let hash = some_hash("m=8,t=1,p=1");
    let file = |users: usize| {
        (0..users)
            .map(|user| format!("u{user}:{hash}\n"))
            .collect::<String>()
    };
    assert_eq!(
        Users::parse(&file(MAX_USERS))
            .map(|users| users.count())
            .ok(),
        Some(MAX_USERS)
    );
    assert_eq!(
        line_error(&file(MAX_USERS + 1)),
        (MAX_USERS + 1, LineError::TooMany)
    );
    assert!(Users::parse(&"\n".repeat(MAX_FILE_BYTES)).is_ok());
    assert_eq!(
        Users::parse(&"\n".repeat(MAX_FILE_BYTES + 1)).err(),
        Some(UsersError::TooLarge)
    );
}

#[test]
fn a_passcode_has_a_length_that_is_hashed() {
    let longest = "x".repeat(MAX_PASSCODE_BYTES);
    let users =
        Users::parse(&format!("ann:{}", hash(&longest).expect("a hash"))).expect("a good file");
    assert!(users.verify("ann", &longest).is_some());
    assert!(users.verify("ann", &format!("{longest}x")).is_none());
    for bytes in [0, MAX_PASSCODE_BYTES + 1] {
        assert_eq!(
            hash(&"x".repeat(bytes)),
            Err(HashError::PasscodeLength { bytes })
        );
    }
}

/// Of many tries the quickest, which other work on the machine disturbs least.
#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_passcode() {
    let users = Users::parse(&format!("ann:{}", some_hash("m=8192,t=2,p=1"))).expect("a good file");
    let quickest = |name: &str| {
        let time = |_| {
            let start = Instant::now();
            assert!(users.verify(name, "wrong").is_none());
            start.elapsed()
        };
        (0..5).map(time).min().unwrap_or(Duration::ZERO)
    };
    let (known, unknown) = (quickest("ann"), quickest("eve"));
    assert!(unknown * 4 > known, "known {known:?}, unknown {unknown:?}");
}
