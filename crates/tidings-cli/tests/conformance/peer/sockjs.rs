//! The framing of SockJS over WebSocket: `o`, `h`, `a["..."]`, `c[...]`.

/// The JSON that carries one message to the server.
pub(super) fn encode(message: &str) -> String {
    let mut json = String::from("[\"");
    for character in message.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            plain => json.push(plain),
        }
    }
    json + "\"]"
}

/// The messages of a frame, one behind the other; none where it opens the session or is a heart-beat.
pub(super) fn decode(frame: &str) -> String {
    match frame.split_at_checked(1) {
        Some(("o" | "h", "")) => String::new(),
        Some(("a", array)) => strings(array),
        _ => panic!("no frame of SockJS: {frame:?}"),
    }
}

/// The code of a close frame.
pub(super) fn close_code(frame: &str) -> Option<u16> {
    let (code, _) = frame.strip_prefix("c[")?.split_once(',')?;
    code.parse().ok()
}

/// The strings of a JSON array, unescaped. Surrogates are not known here: the server has no cause to escape such characters.
fn strings(array: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    let mut rest = array.chars();
    while let Some(next) = rest.next() {
        match next {
            '"' => inside = !inside,
            '\\' => text.push(unescaped(&mut rest)),
            plain if inside => text.push(plain),
            '[' | ']' | ',' => {}
            other => panic!("{other:?} between the strings of {array:?}"),
        }
    }
    assert!(!inside, "a string without an end in {array:?}");
    text
}

fn unescaped(rest: &mut std::str::Chars) -> char {
    match rest.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some(plain @ ('"' | '\\' | '/')) => plain,
        Some('u') => {
            let digits: String = rest.take(4).collect();
            let code = u32::from_str_radix(&digits, 16).ok();
            code.and_then(char::from_u32)
                .unwrap_or_else(|| panic!("no character: {digits:?}"))
        }
        other => panic!("no escape of JSON: {other:?}"),
    }
}
