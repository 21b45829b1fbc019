//! Frames of SockJS, the same on every transport: `o`, `h`, `a[...]`, `c[...]`.
//!
//! A message is escaped once ([`escape`]) and the escaped text shared by any number of frames.

/// The session is open.
pub const OPEN: &[u8] = b"o";
/// A sign of life.
pub const HEARTBEAT: &[u8] = b"h";
/// What stands before the escaped text of the only message of a frame.
pub const MESSAGE_START: &[u8] = b"a[\"";
/// What stands between two escaped messages of a frame.
pub const MESSAGE_SEPARATOR: &[u8] = b"\",\"";
/// What stands behind the escaped text of the last message of a frame.
pub const MESSAGE_END: &[u8] = b"\"]";
/// What ends a chunk begun by [`write_xhr_chunk_start`]: [`MESSAGE_END`], the line feed of the transport, CR LF.
pub const XHR_CHUNK_END: &[u8] = b"\"]\n\r\n";

/// Appends `text` as the inside of a JSON string: `"`, `\`, the C0 controls and the characters that browsers or proxies
/// damage (U+200C-200F, 2028-202F, 2060-206F, FFF0-FFFF) as escapes with lower-case hexadecimal digits, the rest as it is.
/// May be called for parts of a message one after the other.
pub fn escape(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(plain) = bytes[at..]
        .iter()
        .position(|&byte| escape_of(byte) != PLAIN)
    {
        at += plain;
        let byte = bytes[at];
        let (code, length) = match escape_of(byte) {
            LEAD => match damaged_character(&bytes[at..]) {
                Some(code) => (code, 3),
                None => {
                    at += 3;
                    continue;
                }
            },
            _ => (u16::from(byte), 1),
        };
        out.extend_from_slice(&bytes[copied..at]);
        write_escape(code, out);
        at += length;
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Appends one character as an escape: short where JSON has a short form.
pub(crate) fn write_escape(code: u16, out: &mut Vec<u8>) {
    match u8::try_from(code).map_or(LONG, escape_of) {
        PLAIN | LEAD | LONG => {
            out.extend_from_slice(b"\\u");
            out.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(code >> shift & 0xf)]));
        }
        short => out.extend_from_slice(&[b'\\', short]),
    }
}

/// Appends a close frame: `c[3000,"Go away!"]`.
pub fn write_close(code: u16, reason: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"c[");
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(b",\"");
    escape(reason, out);
    out.extend_from_slice(b"\"]");
}

/// Appends one frame with all `messages`, each given as parts of its escaped text; at least one.
pub fn write_messages<'m, M>(messages: impl IntoIterator<Item = M>, out: &mut Vec<u8>)
where
    M: IntoIterator<Item = &'m [u8]>,
{
    let mut before = MESSAGE_START;
    for message in messages {
        out.extend_from_slice(before);
        message
            .into_iter()
            .for_each(|part| out.extend_from_slice(part));
        before = MESSAGE_SEPARATOR;
    }
    out.extend_from_slice(MESSAGE_END);
}

/// Appends the head of an HTTP chunk (RFC 9112, section 7.1) of `length` bytes: lower-case hexadecimal digits, CR LF.
pub fn write_chunk_start(length: usize, out: &mut Vec<u8>) {
    for digit in (0..hex_digits(length)).rev() {
        out.push(HEX[length >> (4 * digit) & 0xf]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends what begins the chunk of `xhr_streaming` with one message of `escaped_length` bytes: its head, then
/// [`MESSAGE_START`]. The escaped message and [`XHR_CHUNK_END`] follow. Any number of receivers can share the chunk, see
/// [`crate::Receiver::takes_xhr_chunks`].
pub fn write_xhr_chunk_start(escaped_length: usize, out: &mut Vec<u8>) {
    let line_feed = 1;
    write_chunk_start(
        MESSAGE_START.len() + escaped_length + MESSAGE_END.len() + line_feed,
        out,
    );
    out.extend_from_slice(MESSAGE_START);
}

/// Length of the data of a whole chunk that is `chunk` bytes long with its head and its last CR LF.
pub fn chunk_data_length(chunk: usize) -> usize {
    let two_line_ends = 4;
    (1..=hex_digits(usize::MAX))
        .filter_map(|digits| chunk.checked_sub(two_line_ends + digits))
        .find(|&length| chunk - two_line_ends - length == hex_digits(length))
        .unwrap_or(0)
}

/// Takes the escaped message out of a chunk made by [`write_xhr_chunk_start`]. `tail` is the end of the chunk where it is
/// kept apart, else empty.
pub fn message_of_xhr_chunk<'c>(chunk: &'c [u8], tail: &'c [u8]) -> [&'c [u8]; 2] {
    let head = chunk.iter().position(|&byte| byte == b'\n');
    let start = head.map_or(chunk.len(), |end| end + 1 + MESSAGE_START.len());
    let end = chunk.len()
        - XHR_CHUNK_END
            .len()
            .saturating_sub(tail.len())
            .min(chunk.len());
    let tail_end = tail.len().saturating_sub(XHR_CHUNK_END.len());
    [chunk.get(start..end).unwrap_or_default(), &tail[..tail_end]]
}

fn hex_digits(length: usize) -> usize {
    (length.max(1).ilog2() / 4 + 1) as usize
}

fn escape_of(byte: u8) -> u8 {
    ESCAPES[usize::from(byte)]
}

/// The character that browsers or proxies damage, if `text` begins with one.
fn damaged_character(text: &[u8]) -> Option<u16> {
    match *text {
        [0xE2, 0x80, last @ (0x8C..=0x8F | 0xA8..=0xAF), ..] => {
            Some(0x2000 | u16::from(last & 0x3F))
        }
        [0xE2, 0x81, last @ 0xA0..=0xAF, ..] => Some(0x2040 | u16::from(last & 0x3F)),
        [0xEF, 0xBF, last @ 0xB0..=0xBF, ..] => Some(0xFFC0 | u16::from(last & 0x3F)),
        _ => None,
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Written as it is.
const PLAIN: u8 = 0;
/// Leads the three bytes of a character that may be one of the damaged.
const LEAD: u8 = 1;
/// Has no short escape.
const LONG: u8 = b'u';

/// What becomes of each byte: [`PLAIN`], [`LEAD`], [`LONG`], or the letter of its short escape.
static ESCAPES: [u8; 256] = {
    let mut escapes = [PLAIN; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = LONG;
        control += 1;
    }
    escapes[0x08] = b'b';
    escapes[b'\t' as usize] = b't';
    escapes[b'\n' as usize] = b'n';
    escapes[0x0C] = b'f';
    escapes[b'\r' as usize] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[0xE2] = LEAD;
    escapes[0xEF] = LEAD;
    escapes
};
