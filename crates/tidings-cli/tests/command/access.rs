//! Tokens, hashes and what the access rules decide.

use super::{File, finish, piped, run, stderr, stdout, tidings};

const SECRET: &str = "a-secret-for-tests-of-more-than-32-bytes";

/// stdout, stderr and the exit code.
fn told(output: &std::process::Output) -> (String, String, Option<i32>) {
    (stdout(output), stderr(output), output.status.code())
}

fn token(arguments: &[&str]) -> String {
    let (out, err, code) = told(&run(&[&["token"][..], arguments].concat()));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let token = out.strip_suffix('\n').expect("one line").to_owned();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert!(!token.contains(char::is_whitespace), "{token}");
    token
}

fn explain(arguments: &[&str]) -> (String, String, Option<i32>) {
    told(&run(&[&["explain"][..], arguments].concat()))
}

#[test]
fn development_takes_a_token_that_no_file_has_signed_and_a_server_does_not() {
    let token = token(&["--user", "ann", "--roles", "staff"]);
    assert_eq!(
        explain(&["--token", &token, "SUBSCRIBE", "/topic/x"]),
        (
            "allowed: ann may subscribe to /topic/x\n  There are no rules, and nobody has to prove who they are: then \
             everything is allowed.\n"
                .to_owned(),
            String::new(),
            Some(0)
        )
    );
    let file = File::new(
        "strange.toml",
        &format!("[security]\nauthenticator = 'jwt'\n[jwt]\nsecret = '{SECRET}'\n"),
    );
    let (out, err, code) = explain(&["--config", file.path(), "--token", &token, "CONNECT"]);
    assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
    assert!(err.starts_with("error: the token proves nobody: "), "{err}");
}

#[test]
fn a_token_of_a_file_is_one_that_its_server_takes() {
    let file = File::new(
        "tokens.toml",
        &format!(
            "[security]\nauthenticator = 'jwt'\nrules = ['allow connect if role staff and claim teams contains red', \
             'allow subscribe /topic/{{who}} if user = {{who}}']\n[jwt]\nsecret = '{SECRET}'\n\
             issuers = ['https://elsewhere -> https://127.0.0.1:9/keys', 'https://own -> secret']\n\
             audiences = ['tidings', 'other']\nname_claim = 'name'\nroles_claim = 'realm.roles'\n"
        ),
    );
    let config = ["--config", file.path()];
    let token = token(
        &[
            &config[..],
            &["--user", "ann", "--roles", "staff,admin"],
            &[
                "--claim",
                "teams=red,blue",
                "--expires",
                "15m",
                "--id",
                "t-1",
            ],
        ]
        .concat(),
    );
    let ask = |rest: &[&str]| explain(&[&config[..], &["--token", &token], rest].concat());
    assert_eq!(
        ask(&["CONNECT"]).0,
        "allowed: ann may connect\n  Rule 1 decides: allow connect if role staff and claim teams contains red\n"
    );
    assert_eq!(ask(&["SUBSCRIBE", "/topic/ann"]).2, Some(0));
    assert_eq!(ask(&["SUBSCRIBE", "/topic/bob"]).2, Some(3));
}

#[test]
fn who_asks_for_a_token_that_cannot_be_hears_what_to_do() {
    let keyless = File::new("keyless.toml", "[http]\nlisten = '127.0.0.1:1'\n");
    let strict = File::new(
        "strict.toml",
        &format!(
            "[security]\nauthenticator = 'jwt'\n[jwt]\nsecret = '{SECRET}'\nrequired_claims = ['tenant']\n"
        ),
    );
    let other = File::new(
        "other.toml",
        &format!(
            "[security]\nauthenticator = 'jwt'\n[jwt]\nsecret = '{SECRET}'\nalgorithms = ['ES256']\n"
        ),
    );
    for (file, cause) in [
        (&keyless, "has no `jwt.secret` to sign with; write one"),
        (&strict, "asks for `tenant`; add --claim tenant=VALUE"),
        (&other, "has no `HS256`, which signs these tokens; add it"),
    ] {
        let (out, err, code) = told(&run(&["token", "--user", "ann", "--config", file.path()]));
        assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
        assert!(err.contains(cause) && err.contains(file.path()), "{err}");
        assert!(!err.contains(SECRET), "{err}");
    }
    for wrong in [
        &["token"][..],
        &["token", "--user", "ann", "--expires", "0"],
        &["token", "--user", "ann", "--claim", "tenant"],
    ] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_hash_comes_from_a_pipe_and_goes_into_a_users_file() {
    for input in ["hunter2", "hunter2\n", "hunter2\r\nnot read\n"] {
        let (out, err, code) = told(&piped(&["hash"], input.as_bytes()));
        assert_eq!((err.as_str(), code), ("", Some(0)));
        assert!(
            out.starts_with("$argon2id$v=19$") && out.ends_with('\n'),
            "{out}"
        );
    }
    let (out, _, code) = told(&piped(
        &["hash", "--user", "ann", "--roles", "staff,admin"],
        b"hunter2\n",
    ));
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("ann:$argon2id$") && out.ends_with(":staff,admin\n"),
        "{out}"
    );
    let users = File::new("users", &out);
    let file = File::new(
        "users.toml",
        &format!(
            "[security]\nauthenticator = 'users'\nrules = ['allow connect']\n[users]\nfile = '{}'\n",
            users.path()
        ),
    );
    assert_eq!(
        run(&["check-config", "--config", file.path()])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn a_passcode_or_a_name_that_cannot_be_is_refused() {
    let long = "x".repeat(1025);
    for (arguments, input, cause) in [
        (&["hash"][..], "", "has 0 bytes; it may have 1 to 1024"),
        (&["hash"], &long, "has 1025 bytes"),
        (
            &["hash", "--user", "a:b"],
            "x",
            "can't be the name of a user",
        ),
        (
            &["hash", "--user", "#ann"],
            "x",
            "can't be the name of a user",
        ),
        (&["hash", "--user", "ann", "--roles", "a b"], "x", "role"),
        (&["hash", "hunter2"], "x", "unexpected argument"),
        (&["hash", "--roles", "staff"], "x", "--user"),
    ] {
        let (out, err, code) = told(&piped(arguments, input.as_bytes()));
        assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
        assert!(err.contains(cause), "{err}");
    }
}

const RULES: &str = "[security]\nauthenticator = 'jwt'\nrules = [\n\
    'allow connect if authenticated',\n\
    'deny any /topic/secret/** if not role admin',\n\
    'allow subscribe /topic/team/{team} if claim teams contains {team}',\n\
    'allow subscribe,send /topic/**',\n]\n[jwt]\nsecret = 'a-secret-for-tests-of-more-than-32-bytes'\n";

#[test]
fn explain_names_the_rule_that_decides() {
    let file = File::new("rules.toml", RULES);
    let ask = |rest: &[&str]| {
        let (out, err, code) = explain(&[&["--config", file.path()], rest].concat());
        assert_eq!(err, "");
        (out, code)
    };
    let answer = |text: &str, code| (text.to_owned(), Some(code));
    assert_eq!(
        ask(&["--user", "ann", "connect"]),
        answer(
            "allowed: ann may connect\n  Rule 1 decides: allow connect if authenticated\n",
            0
        )
    );
    assert_eq!(
        ask(&["--anonymous", "CONNECT"]),
        answer(
            "denied: somebody without credentials may not connect\n  None of the 4 rules applies, and what no rule \
             allows is denied.\n",
            3
        )
    );
    let deny = "Rule 2 decides: deny any /topic/secret/** if not role admin\n";
    assert_eq!(
        ask(&["--user", "ann", "SEND", "/topic/secret/plan"]),
        answer(
            &format!("denied: ann may not send to /topic/secret/plan\n  {deny}"),
            3
        )
    );
    assert_eq!(
        ask(&[
            "--user",
            "ann",
            "--roles",
            "staff,admin",
            "SEND",
            "/topic/secret/plan"
        ])
        .1,
        Some(0)
    );
    let team = [
        "--user",
        "ann",
        "--claim",
        "teams=red,blue",
        "SUBSCRIBE",
        "/topic/team/blue",
    ];
    assert_eq!(
        ask(&team),
        answer(
            "allowed: ann may subscribe to /topic/team/blue\n  Rule 3 decides: allow subscribe /topic/team/{team} if \
             claim teams contains {team}\n",
            0
        )
    );
    assert_eq!(
        ask(&["--user", "ann", "SUBSCRIBE", "/topic/**"]),
        answer(
            &format!(
                "denied: ann may not subscribe to /topic/**\n  {deny}  It denies some of what the pattern can match, so \
                 the whole pattern is refused.\n"
            ),
            3
        )
    );
    assert_eq!(
        ask(&["--user", "ann", "SUBSCRIBE", "/user/queue/*"]),
        answer(
            "denied: ann may not subscribe to /user/queue/*\n  None of the 4 rules allows everything that the pattern \
             can match, and what no rule allows is denied.\n",
            3
        )
    );
}

#[test]
fn without_rules_everything_is_allowed_or_nothing() {
    let open =
        "There are no rules, and nobody has to prove who they are: then everything is allowed.\n";
    let (out, _, code) = explain(&["--user", "ann", "SEND", "/user/bob/queue/x"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains(open) && out.contains("`broker.clients_send_to_users`"),
        "{out}"
    );
    let file = File::new(
        "ruleless.toml",
        &format!("[security]\nauthenticator = 'jwt'\n[jwt]\nsecret = '{SECRET}'\n"),
    );
    let (out, _, code) = explain(&["--config", file.path(), "--user", "ann", "CONNECT"]);
    assert_eq!(code, Some(3));
    assert!(
        out.contains("then nothing is allowed, not even to connect"),
        "{out}"
    );
}

#[test]
fn explain_refuses_what_is_no_question() {
    let ann = ["--user", "ann"];
    for (rest, cause) in [
        (&["CONNECT", "/topic/x"][..], "CONNECT has no destination"),
        (&["SEND"], "SEND needs a destination"),
        (&["SEND", "/topic/*"], "can't be the destination of SEND"),
        (
            &["SUBSCRIBE", "nowhere"],
            "can't be the destination of SUBSCRIBE",
        ),
        (&["BEGIN", "/topic/x"], "connect, send or subscribe"),
        (&["--anonymous", "CONNECT"], "cannot be used with"),
    ] {
        let (out, err, code) = explain(&[&ann[..], rest].concat());
        assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
        assert!(err.contains(cause), "{err}");
    }
    assert_eq!(explain(&["CONNECT"]).2, Some(2));
    assert_eq!(
        explain(&["--anonymous", "--roles", "staff", "CONNECT"]).2,
        Some(2)
    );
}

#[test]
fn check_config_reads_what_the_file_names() {
    let broken = File::new("broken.users", "ann\n");
    for (tables, cause) in [
        (
            "[security]\nauthenticator = 'users'\n[users]\nfile = 'not/there'\n".to_owned(),
            "error: cannot read not/there: ".to_owned(),
        ),
        (
            format!(
                "[security]\nauthenticator = 'users'\n[users]\nfile = '{}'\n",
                broken.path()
            ),
            format!("error: {} can't be used: line 1 ", broken.path()),
        ),
        (
            "[security]\nauthenticator = 'jwt'\n[jwt]\nissuers = ['https://x -> not/there.pem']\n"
                .to_owned(),
            "error: cannot read not/there.pem: ".to_owned(),
        ),
        (
            "[security]\nauthenticator = 'jwt'\n[jwt]\nsecret = 'short'\n".to_owned(),
            "error: `jwt.secret` ".to_owned(),
        ),
        (
            "[http]\ntls = true\n[tls]\ncertificate = 'not/there.pem'\nkey = 'nor/this.pem'\n"
                .to_owned(),
            "not/there.pem".to_owned(),
        ),
    ] {
        let file = File::new("names.toml", &tables);
        let (out, err, code) = told(&finish(&mut tidings(&[
            "check-config",
            "--config",
            file.path(),
        ])));
        assert_eq!((out.as_str(), code), ("", Some(2)), "{err}");
        assert!(err.contains(&cause), "{cause} is not in {err}");
    }
}
