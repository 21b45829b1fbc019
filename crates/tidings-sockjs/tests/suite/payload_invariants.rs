//! What holds for any payload whatsoever. The fuzz target runs this very file.

use tidings_sockjs::PayloadError;
use tidings_sockjs::frame::{escape, write_messages};
use tidings_sockjs::payload::{decode, decode_jsonp, decode_websocket};

/// Reads a payload each way; what is read and written again must read the same.
pub(crate) fn check(payload: &[u8]) {
    let array = decode(payload);
    assert_survives(&array);
    assert_eq!(decode_jsonp("text/plain", payload), array);
    assert_survives(&decode_jsonp("application/x-www-form-urlencoded", payload));
    let text = decode_websocket(payload);
    assert_survives(&text);
    match array {
        Ok(_) | Err(PayloadError::Broken) => assert_eq!(text, array),
        Err(_) => assert!(text.is_err() || text.is_ok_and(|messages| messages.len() <= 1)),
    }
}

fn assert_survives(read: &Result<Vec<String>, PayloadError>) {
    let Ok(messages) = read else { return };
    if messages.is_empty() {
        return;
    }
    let escaped: Vec<_> = messages.iter().map(|message| escaped(message)).collect();
    let mut frame = Vec::new();
    write_messages(
        escaped.iter().map(|message| [message.as_slice()]),
        &mut frame,
    );
    assert!(
        !frame
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != 0x7f)
    );
    assert_eq!(decode(&frame[1..]).as_ref(), Ok(messages));
    let form: String = frame[1..]
        .iter()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let form = decode_jsonp(
        "application/x-www-form-urlencoded",
        format!("d={form}").as_bytes(),
    );
    assert_eq!(form.as_ref(), Ok(messages));
}

fn escaped(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    escape(message, &mut out);
    out
}
