//! JSON text: what is escaped, and that it is read again as it was.

use proptest::prelude::*;
use tidings_sockjs::frame::{escape, write_close, write_messages};
use tidings_sockjs::payload::decode;

use super::ask::written;

/// The same, slowly.
fn escaped(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\0'..='\x1f'
        | '\u{200c}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fff0}'..='\u{ffff}' => format!("\\u{:04x}", character as u32),
        other => other.to_string(),
    });
    escaped.collect()
}

#[test]
fn every_character_is_escaped_as_it_must_be() {
    for character in '\0'..=char::MAX {
        let text = character.to_string();
        assert_eq!(written(|out| escape(&text, out)), escaped(&text));
    }
}

#[test]
fn escapes_are_spelled_so() {
    let text = "\0\u{1f}\n\r\t\u{8}\u{c}\"\\/\u{7f}\u{2027}\u{2028}\u{feff}\u{fff0}\u{ffff}😀é";
    assert_eq!(
        written(|out| escape(text, out)),
        "\\u0000\\u001f\\n\\r\\t\\b\\f\\\"\\\\/\u{7f}\u{2027}\\u2028\u{feff}\\ufff0\\uffff😀é"
    );
}

#[test]
fn frames_hold_messages_of_several_parts() {
    let one: [&[u8]; 2] = [b"a", b"b"];
    let none: [&[u8]; 2] = [b"", b""];
    assert_eq!(
        written(|out| write_messages([one, none], out)),
        r#"a["ab",""]"#
    );
    assert_eq!(written(|out| write_messages([one], out)), r#"a["ab"]"#);
}

#[test]
fn close_frames_have_no_spaces() {
    let close = |code, reason| written(|out| write_close(code, reason, out));
    assert_eq!(close(3000, "Go away!"), r#"c[3000,"Go away!"]"#);
    assert_eq!(
        close(1002, "a \"b\"\n\u{2028}"),
        r#"c[1002,"a \"b\"\n\u2028"]"#
    );
}

proptest! {
    #[test]
    fn what_is_escaped_is_read_as_it_was(messages in prop::collection::vec(text(), 1..4), cut: prop::sample::Index) {
        let mut parts = Vec::new();
        for message in &messages {
            let ends = message.char_indices().map(|(at, _)| at).chain([message.len()]);
            let ends: Vec<_> = ends.collect();
            let (one, other) = message.split_at(ends[cut.index(ends.len())]);
            let mut both = [Vec::new(), Vec::new()];
            escape(one, &mut both[0]);
            escape(other, &mut both[1]);
            prop_assert_eq!(String::from_utf8(both.concat()).expect("text"), escaped(message));
            parts.push(both);
        }
        let mut frame = Vec::new();
        write_messages(parts.iter().map(|both| both.iter().map(Vec::as_slice)), &mut frame);
        prop_assert_eq!(frame[0], b'a');
        prop_assert_eq!(decode(&frame[1..]), Ok(messages));
    }
}

/// Text with many characters from within and around the special ranges.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::char::any(),
        prop::char::range('\0', '\x7f'),
        prop::char::range('\u{2000}', '\u{2080}'),
        prop::char::range('\u{ffe0}', '\u{ffff}'),
        Just('"'),
        Just('\\'),
    ];
    prop::collection::vec(character, 0..40).prop_map(String::from_iter)
}
