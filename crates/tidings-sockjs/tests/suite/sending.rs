//! Messages from the client.

use tidings_sockjs::payload::{decode, decode_jsonp, decode_websocket};
use tidings_sockjs::{Answer, PayloadError};

use super::ask::{options, sender};

const FORM: &str = "application/x-www-form-urlencoded";

fn messages<const N: usize>(messages: [&str; N]) -> Result<Vec<String>, PayloadError> {
    Ok(messages.map(str::to_owned).into())
}

#[test]
fn arrays_of_strings_are_messages() {
    for read in [decode, decode_websocket] {
        assert_eq!(read(b"[]"), messages([]));
        assert_eq!(read(br#"["x"]"#), messages(["x"]));
        assert_eq!(read(b" [ \"a\" ,\n\"\"] \r\n"), messages(["a", ""]));
        assert_eq!(
            read(br#"["\ud83d\ude00\u0000\u2028","\/"]"#),
            messages(["😀\0\u{2028}", "/"])
        );
        assert_eq!(read("[\"😀ä\"]".as_bytes()), messages(["😀ä"]));
    }
}

#[test]
fn broken_json_is_refused() {
    let broken: [&[u8]; 14] = [
        b"[\"x",
        b"[",
        b"[\"x\",]",
        b"[\"x\"]]",
        b"[\"x\"] x",
        b"x",
        b" ",
        b"{\"a\"",
        b"nul",
        b"[\"\\ud83d\"]",
        b"[\"\\ude00\"]",
        b"[\"\\ud83dx\"]",
        b"[\"\xff\"]",
        b"[\"\n\"]",
    ];
    for body in broken {
        assert_eq!(decode(body), Err(PayloadError::Broken), "{body:?}");
        assert_eq!(
            decode_websocket(body),
            Err(PayloadError::Broken),
            "{body:?}"
        );
        assert_eq!(
            decode_jsonp("text/plain", body),
            Err(PayloadError::Broken),
            "{body:?}"
        );
    }
    let deep = "[".repeat(100_000);
    assert_eq!(decode(deep.as_bytes()), Err(PayloadError::Broken));
}

#[test]
fn json_that_is_no_array_of_strings_is_refused() {
    for body in [
        "1",
        "-1",
        "1.5",
        "true",
        "null",
        "{}",
        r#"{"a":[{"b":"c"}]}"#,
        "[1]",
        r#"["a",null]"#,
        r#"["a",["b"]]"#,
        r#"[{"a":"b"},"c"]"#,
        "[true]",
        "[-1]",
        "[0.5]",
    ] {
        assert_eq!(
            decode(body.as_bytes()),
            Err(PayloadError::Expected),
            "{body}"
        );
        assert_eq!(
            decode_websocket(body.as_bytes()),
            Err(PayloadError::Expected),
            "{body}"
        );
    }
}

#[test]
fn one_bare_string_is_a_message_on_websocket_only() {
    assert_eq!(decode_websocket(br#""x""#), messages(["x"]));
    assert_eq!(decode(br#""x""#), Err(PayloadError::Expected));
}

#[test]
fn nothing_is_a_payload_on_websocket_only() {
    assert_eq!(decode_websocket(b""), messages([]));
    assert_eq!(decode(b""), Err(PayloadError::Expected));
    assert_eq!(decode_jsonp("", b""), Err(PayloadError::Expected));
}

#[test]
fn forms_carry_messages_in_their_field_d() {
    for (content_type, body, expected) in [
        (FORM, "d=%5B%22x%22%5D", messages(["x"])),
        (FORM, "a=b&d=[\"x+y%2B\"]&c", messages(["x y+"])),
        (
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "d=%5b%22%C3%A4%22%5d",
            messages(["ä"]),
        ),
        (FORM, "d=", Err(PayloadError::Expected)),
        (FORM, "d", Err(PayloadError::Expected)),
        (FORM, "e=%5B%5D", Err(PayloadError::Expected)),
        (FORM, "", Err(PayloadError::Expected)),
        (FORM, "[\"x\"]", Err(PayloadError::Expected)),
        (FORM, "d=%5B%22x", Err(PayloadError::Broken)),
        (FORM, "d=%5B%22%FF%22%5D", Err(PayloadError::Broken)),
        ("text/plain", "[\"%61+\"]", messages(["%61+"])),
        ("text/plain; charset=UTF-8", "[\"x\"]", messages(["x"])),
        ("", "[]", messages([])),
        ("text/plain", "d=%5B%5D", Err(PayloadError::Broken)),
    ] {
        assert_eq!(
            decode_jsonp(content_type, body.as_bytes()),
            expected,
            "{content_type} {body}"
        );
    }
}

#[test]
fn xhr_send_takes_any_content_type() {
    let sender = sender(&options(), "xhr_send");
    for content_type in [
        "",
        "T",
        "text/plain",
        "application/json",
        "application/xml",
        "text/xml",
        FORM,
    ] {
        for content_type in [
            content_type.to_owned(),
            format!("{content_type}; charset=utf-8"),
        ] {
            assert_eq!(
                sender.decode(&content_type, b"[\"a+%41\"]"),
                messages(["a+%41"])
            );
        }
    }
}

#[test]
fn what_came_of_it_is_answered() {
    let xhr = sender(&options(), "xhr_send");
    let jsonp = sender(&options(), "jsonp_send");
    assert_eq!(jsonp.decode(FORM, b"d=[\"a\"]"), messages(["a"]));
    let refusals = [
        (500, "Payload expected."),
        (500, "Broken JSON encoding."),
        (404, "session is unknown or over; open a new one\n"),
        (413, "payload is longer than 3 bytes; send less at once\n"),
    ];
    for (sender, accepted, cors) in [(xhr, (204, ""), true), (jsonp, (200, "ok"), false)] {
        let answers = [
            sender.refused(PayloadError::Expected),
            sender.refused(PayloadError::Broken),
            sender.unknown_session(),
            sender.too_large(3),
            sender.accepted(),
        ];
        for (answer, (status, body)) in answers.iter().zip(refusals.into_iter().chain([accepted])) {
            assert_eq!(answer, &expected(status, body, cors));
        }
    }
}

fn expected(status: u16, body: &'static str, cors: bool) -> Answer {
    let uncached = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
    let mut headers = vec![("cache-control", uncached.into())];
    if cors {
        headers.push(("access-control-allow-origin", "*".into()));
        headers.push(("vary", "Origin".into()));
    }
    headers.push(("content-type", "text/plain; charset=UTF-8".into()));
    Answer {
        status,
        headers,
        body: body.as_bytes().into(),
    }
}
