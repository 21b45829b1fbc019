//! As much of JSON as SockJS has: arrays of strings.

use std::iter::Peekable;
use std::str::Chars;

/// The array of these strings.
pub(crate) fn array(texts: &[&str]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for next in text.chars() {
        match next {
            '"' | '\\' => out.extend(['\\', next]),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// The strings of an array.
#[track_caller]
pub(crate) fn strings(array: &str) -> Vec<String> {
    let mut rest = array.chars().peekable();
    assert_eq!(rest.next(), Some('['), "no array: {array:?}");
    let mut strings = Vec::new();
    while rest.next_if_eq(&']').is_none() {
        if !strings.is_empty() {
            assert_eq!(rest.next(), Some(','), "no array: {array:?}");
        }
        strings.push(string(&mut rest));
    }
    assert_eq!(rest.next(), None, "more than an array: {array:?}");
    strings
}

#[track_caller]
fn string(rest: &mut Peekable<Chars<'_>>) -> String {
    assert_eq!(rest.next(), Some('"'), "a string begins");
    let mut units = Vec::new();
    loop {
        let next = rest.next().expect("a string ends");
        match next {
            '"' => return String::from_utf16(&units).expect("surrogates are in pairs"),
            '\\' => units.push(escape(rest)),
            plain => units.extend(plain.encode_utf16(&mut [0; 2]).iter()),
        }
    }
}

#[track_caller]
fn escape(rest: &mut Peekable<Chars<'_>>) -> u16 {
    let next = rest.next().expect("an escape goes on");
    let plain = match next {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let digits: String = rest.by_ref().take(4).collect();
            return u16::from_str_radix(&digits, 16).expect("four hexadecimal digits");
        }
        other => other,
    };
    plain as u16
}
