//! In which words clients are disconnected.

use serde_json::json;
use tidings_core::application::Event;
use tidings_core::disconnect::Reason;

use crate::server::{Place, Running, WebSocketClient};

#[test]
fn a_session_ends_with_the_reason_and_the_text_of_the_application() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, id) = server.client("ada");
    let path = format!("/api/v1/sessions/{id}?reason=overloaded&text=Come%20back:%20sp%C3%A4ter");
    let answer = server.ask("DELETE", &path, None);
    assert_eq!(answer, (200, json!({"disconnected": 1})));
    client.is_told(&[
        "ERROR\n",
        "code:overloaded\n",
        "message:Come back\\c sp\u{e4}ter\n",
    ]);
    client.has_ended();
    let reason = server.event(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(reason, Reason::Overloaded);
}

#[test]
fn the_close_frame_has_the_code_and_the_text_of_the_application() {
    let server = Running::start(Place::BeneathHttp);
    for (query, code, text, has_error) in [
        ("", 4533, "disconnected-by-application", true),
        (
            "?close_code=4900&text=no%20more",
            4900,
            "disconnected-by-application: no more",
            true,
        ),
        ("?reason=refused", 1008, "refused", true),
        ("?reason=normal&text=bye", 1000, "normal: bye", false),
    ] {
        let mut client = WebSocketClient::connect(&server, "ada");
        let path = format!("/api/v1/users/ada/sessions{query}");
        let answer = server.ask("DELETE", &path, None);
        assert_eq!(answer, (200, json!({"disconnected": 1})));
        if has_error {
            let (opcode, error) = client.message();
            assert!(opcode == 1 && error.starts_with(b"ERROR\n"), "{query}");
        }
        let (opcode, payload) = client.message();
        let expected = [&u16::to_be_bytes(code), text.as_bytes()].concat();
        assert_eq!((opcode, payload), (8, expected), "{query}");
    }
}

#[test]
fn a_text_too_long_for_a_close_frame_is_cut_between_characters() {
    let server = Running::start(Place::BeneathHttp);
    let mut client = WebSocketClient::connect(&server, "ada");
    let text = "%C3%A4".repeat(200);
    let path = format!("/api/v1/users/ada/sessions?reason=normal&text={text}");
    assert_eq!(server.ask("DELETE", &path, None).0, 200);
    let (opcode, payload) = client.message();
    assert_eq!((opcode, payload.len()), (8, 124));
    assert!(
        std::str::from_utf8(&payload[2..]).is_ok_and(|text| text.starts_with("normal: \u{e4}"))
    );
}
