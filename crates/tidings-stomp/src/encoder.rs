//! Frames to bytes, in the form that the receiver's version reads.
//!
//! What a version can't say becomes a space: a NUL everywhere, a CR or LF where nothing is escaped (1.0, CONNECT,
//! CONNECTED), a colon in a name there. A CR goes raw to 1.1, which has no escape for it and lets it belong to the value.

use std::io::Write as _;

use crate::frame::{Command, Frame};
use crate::version::Version;

/// The line end that we write; CR LF exists only in 1.2.
pub const EOL: &[u8] = b"\n";

/// What ends a frame.
pub const NUL: &[u8] = b"\0";

/// A heart-beat: an end of line between frames.
pub const HEART_BEAT: &[u8] = EOL;

/// Appends the frame for a receiver that speaks `version`.
///
/// SEND, MESSAGE and ERROR carry a `content-length`, always ours; other commands carry neither that header nor a body.
pub fn encode_frame(frame: &Frame, version: Version, out: &mut Vec<u8>) {
    let Frame {
        command,
        headers,
        body,
    } = frame;
    out.reserve(FRAME_OVERHEAD + headers.byte_len() + body.len());
    write_command(out, *command);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        if command.is_escaped() {
            write_header(out, name, value, version);
        } else {
            write_header(out, name, value, Version::V1_0);
        }
    }
    if command.has_body() {
        write_body(out, body);
    } else {
        write_end(out);
    }
}

/// Appends a RECEIPT, with more headers behind its own.
pub fn encode_receipt(
    receipt_id: &str,
    headers: &[(&str, &str)],
    version: Version,
    out: &mut Vec<u8>,
) {
    write_command(out, Command::Receipt);
    write_header(out, "receipt-id", receipt_id, version);
    for (name, value) in headers {
        write_header(out, name, value, version);
    }
    write_end(out);
}

/// Appends the command line.
pub fn write_command(out: &mut Vec<u8>, command: Command) {
    out.extend_from_slice(command.as_str().as_bytes());
    out.extend_from_slice(EOL);
}

/// Appends a header line, name and value escaped for `version`. The headers of CONNECT and CONNECTED are never escaped;
/// write those for 1.0.
pub fn write_header(out: &mut Vec<u8>, name: &str, value: &str, version: Version) {
    write_text(out, name, version, Place::Name);
    out.push(b':');
    write_text(out, value, version, Place::Value);
    out.extend_from_slice(EOL);
}

/// Appends `content-length`, the empty line, the body and the NUL.
pub fn write_body(out: &mut Vec<u8>, body: &[u8]) {
    write_content_length(out, body.len());
    out.extend_from_slice(EOL);
    out.extend_from_slice(body);
    out.extend_from_slice(NUL);
}

/// Appends the header line that gives the size of the body, in bytes.
pub fn write_content_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(b"content-length:");
    write_number(out, length);
    out.extend_from_slice(EOL);
}

/// Appends the empty line and the NUL of a frame without body.
pub fn write_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\0");
}

/// Command line, `content-length` line, empty line and NUL, and room for a few escapes.
const FRAME_OVERHEAD: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Name,
    Value,
}

fn write_text(out: &mut Vec<u8>, text: &str, version: Version, place: Place) {
    let bytes = text.as_bytes();
    if !bytes
        .iter()
        .fold(false, |special, &byte| special | is_special(byte))
    {
        return out.extend_from_slice(bytes);
    }
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if let Some(form) = form_of(byte, version, place) {
            out.extend_from_slice(&bytes[written..at]);
            out.extend_from_slice(form);
            written = at + 1;
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

/// Whether any version treats this byte in its own way. Plain comparisons, so that the scan compiles to vector code.
fn is_special(byte: u8) -> bool {
    (byte == b'\n') | (byte == b'\r') | (byte == b':') | (byte == b'\\') | (byte == b'\0')
}

/// What stands for this byte on the wire; `None` = itself.
fn form_of(byte: u8, version: Version, place: Place) -> Option<&'static [u8]> {
    match (byte, version) {
        (b'\0', _) | (b'\n' | b'\r', Version::V1_0) => Some(b" "),
        (b':', Version::V1_0) if place == Place::Name => Some(b" "),
        (_, Version::V1_0) => None,
        (b'\n', _) => Some(b"\\n"),
        (b':', _) => Some(b"\\c"),
        (b'\\', _) => Some(b"\\\\"),
        (b'\r', Version::V1_2) => Some(b"\\r"),
        _ => None,
    }
}

fn write_number(out: &mut Vec<u8>, number: usize) {
    write!(out, "{number}").expect("writing to a Vec can't fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str, version: Version) -> String {
        let mut out = Vec::new();
        write_header(&mut out, name, value, version);
        String::from_utf8(out).expect("text in, text out")
    }

    #[test]
    fn header_is_escaped_for_the_receivers_version() {
        let (name, value) = ("a:b", "x:y\\z\r\n\0é");
        assert_eq!(header(name, value, Version::V1_0), "a b:x:y\\z   é\n");
        assert_eq!(
            header(name, value, Version::V1_1),
            "a\\cb:x\\cy\\\\z\r\\n é\n"
        );
        assert_eq!(
            header(name, value, Version::V1_2),
            "a\\cb:x\\cy\\\\z\\r\\n é\n"
        );
        assert_eq!(
            header("plain", "/topic/a", Version::V1_2),
            "plain:/topic/a\n"
        );
    }

    #[test]
    fn content_length_is_ours_and_only_where_a_body_may_be() {
        let send = Frame::new(Command::Send)
            .with_header("content-length", "7")
            .with_header("destination", "/queue/a")
            .with_body("ab\0");
        let mut out = Vec::new();
        encode_frame(&send, Version::V1_2, &mut out);
        assert_eq!(
            out,
            b"SEND\ndestination:/queue/a\ncontent-length:3\n\nab\0\0"
        );

        let ack = Frame::new(Command::Ack)
            .with_header("id", "1")
            .with_header("content-length", "3")
            .with_body("x");
        out.clear();
        encode_frame(&ack, Version::V1_2, &mut out);
        assert_eq!(out, b"ACK\nid:1\n\n\0");
    }

    #[test]
    fn frames_that_settle_the_version_are_not_escaped() {
        let connect = Frame::new(Command::Connect).with_header("passcode", "a:b\\c\nd");
        let mut out = Vec::new();
        encode_frame(&connect, Version::V1_2, &mut out);
        assert_eq!(out, b"CONNECT\npasscode:a:b\\c d\n\n\0");
    }

    #[test]
    fn receipt_is_short() {
        let mut out = Vec::new();
        encode_receipt("r:1", &[], Version::V1_1, &mut out);
        assert_eq!(out, b"RECEIPT\nreceipt-id:r\\c1\n\n\0");
    }
}
