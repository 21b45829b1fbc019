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

/// Appends `text` as the inside of a JSON string: `"`, `\`, the C0 controls and the characters that browsers or proxies
/// damage (U+200C-200F, 2028-202F, 2060-206F, FFF0-FFFF) as escapes with lower-case hexadecimal digits, the rest as it is.
/// May be called for parts of a message one after the other.
pub fn escape(text: &str, out: &mut Vec<u8>) {
    let _ = (text, out);
    todo!()
}

/// Appends a close frame: `c[3000,"Go away!"]`.
pub fn write_close(code: u16, reason: &str, out: &mut Vec<u8>) {
    let _ = (code, reason, out);
    todo!()
}

/// Appends one frame with all `messages`, each given as parts of its escaped text; at least one.
pub fn write_messages<'m, M>(messages: impl IntoIterator<Item = M>, out: &mut Vec<u8>)
where
    M: IntoIterator<Item = &'m [u8]>,
{
    let _ = (messages, out);
    todo!()
}

/// Appends the head of an HTTP chunk (RFC 9112, section 7.1) of `length` bytes: lower-case hexadecimal digits, CR LF.
pub fn write_chunk_start(length: usize, out: &mut Vec<u8>) {
    let _ = (length, out);
    todo!()
}

/// Appends what begins the chunk of `xhr_streaming` with one message of `escaped_length` bytes: its head, then
/// [`MESSAGE_START`]. The escaped message and [`XHR_CHUNK_END`] follow. Any number of receivers can share the chunk, see
/// [`crate::Receiver::takes_xhr_chunks`].
pub fn write_xhr_chunk_start(escaped_length: usize, out: &mut Vec<u8>) {
    let _ = (escaped_length, out);
    todo!()
}

/// What ends a chunk begun by [`write_xhr_chunk_start`]: [`MESSAGE_END`], the line feed of the transport, CR LF.
pub const XHR_CHUNK_END: &[u8] = b"\"]\n\r\n";

/// Length of the data of a whole chunk that is `chunk` bytes long with its head and its last CR LF.
pub fn chunk_data_length(chunk: usize) -> usize {
    let _ = chunk;
    todo!()
}

/// Takes the escaped message out of a chunk made by [`write_xhr_chunk_start`]. `tail` is the end of the chunk where it is
/// kept apart, else empty.
pub fn message_of_xhr_chunk<'c>(chunk: &'c [u8], tail: &'c [u8]) -> [&'c [u8]; 2] {
    let _ = (chunk, tail);
    todo!()
}
