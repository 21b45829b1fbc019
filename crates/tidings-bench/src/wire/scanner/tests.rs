//! Every way of speaking, cut at every byte.

use super::super::{Mask, Writer, upgrade_request, write_header};
use super::*;

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn text(out: &mut Vec<u8>, payload: &[u8]) {
    write_header(out, Opcode::Text, payload.len(), None);
    out.extend_from_slice(payload);
}

/// What the scanner says when the bytes arrive in the given pieces.
fn read(role: Role, pieces: &[&[u8]]) -> Result<Vec<String>, ScanError> {
    let mut scanner = Scanner::new(role);
    let mut buffer = vec![0; 8];
    let mut said = Vec::new();
    for piece in pieces {
        let waiting = scanner.restore(&mut buffer);
        buffer.resize(buffer.len().max(waiting + piece.len()), 0);
        buffer[waiting..waiting + piece.len()].copy_from_slice(piece);
        let filled = waiting + piece.len();
        scanner.advance(&mut buffer[..filled], &mut |event| {
            said.push(match event {
                Event::Frame(frame) => format!(
                    "{} {:?}",
                    String::from_utf8_lossy(frame.command),
                    String::from_utf8_lossy(frame.body)
                ),
                Event::Head(_) => "head".to_owned(),
                other => format!("{other:?}"),
            });
        })?;
    }
    assert!(scanner.tail.is_empty(), "nothing is left over");
    Ok(said)
}

fn every_split_says(role: Role, bytes: &[u8], expected: &[&str]) {
    for cut in 0..=bytes.len() {
        let said = read(role, &[&bytes[..cut], &bytes[cut..]]);
        assert_eq!(
            said.as_deref(),
            Ok(&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
            "{cut}"
        );
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(
        read(role, &single).map(|said| said.len()),
        Ok(expected.len())
    );
}

#[test]
fn a_websocket_server_is_understood_at_every_split() {
    let mut bytes = ANSWER.as_bytes().to_vec();
    text(&mut bytes, b"CONNECTED\nversion:1.2\n\n\0");
    text(&mut bytes, b"\n");
    write_header(&mut bytes, Opcode::Ping, 2, None);
    bytes.extend_from_slice(b"hi");
    let long = format!("MESSAGE\ncontent-length:200\n\n{}\0", "x".repeat(200));
    text(&mut bytes, long.as_bytes());
    text(&mut bytes, b"MESSAGE\n\none\0\nMESSAGE\n\ntwo\0");
    bytes.extend_from_slice(b"\x01\x09MESSAGE\n\n\x89\x00\x00\x0bthree\0MESSA\x80\x09GE\n\nfour\0");
    bytes.extend_from_slice(b"\x88\x02\x03\xe8");
    let x = format!("MESSAGE \"{}\"", "x".repeat(200));
    every_split_says(
        Role::WebSocketClient,
        &bytes,
        &[
            "head",
            "CONNECTED \"\"",
            "EndOfLine",
            "Ping([104, 105])",
            &x,
            "MESSAGE \"one\"",
            "EndOfLine",
            "MESSAGE \"two\"",
            "Ping([])",
            "MESSAGE \"three\"",
            "MESSAGE \"four\"",
            "Close(Some(1000))",
        ],
    );
}

#[test]
fn a_stream_is_understood_at_every_split() {
    every_split_says(
        Role::TcpClient,
        b"CONNECTED\n\n\0\n\nMESSAGE\ncontent-length:2\n\n\0\n\0",
        &[
            "CONNECTED \"\"",
            "EndOfLine",
            "EndOfLine",
            "MESSAGE \"\\0\\n\"",
        ],
    );
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/javascript; charset=UTF-8\r\n";

fn chunk(out: &mut Vec<u8>, data: &str) {
    out.extend_from_slice(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes());
}

fn streaming() -> Vec<u8> {
    let mut bytes = Vec::new();
    for frames in [
        &[
            "o\n",
            "a[\"CONNECTED\\nversion:1.2\\n\\n\\u0000\"]\n",
            "a[\"\\n\",\"MESSAGE\\n\\n\\\"\\\\\\u0000\"]\n",
        ][..],
        &[
            "h\n",
            "a[\"MESS\"]\na[\"AGE\\n\\nsplit\\u0000\"]\nc[3000,\"Go away!\"]\n",
        ][..],
    ] {
        bytes.extend_from_slice(HEAD.as_bytes());
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        chunk(&mut bytes, &("h".repeat(2048) + "\n"));
        for frame in frames {
            chunk(&mut bytes, frame);
        }
        chunk(&mut bytes, "");
    }
    bytes
}

#[test]
fn streaming_responses_are_understood_at_every_split() {
    every_split_says(
        Role::SockJsHttpClient { streaming: true },
        &streaming(),
        &[
            "head",
            "Opened",
            "CONNECTED \"\"",
            "EndOfLine",
            "MESSAGE \"\\\"\\\\\"",
            "ResponseEnd",
            "head",
            "HeartBeat",
            "MESSAGE \"split\"",
            "Close(Some(3000))",
            "ResponseEnd",
        ],
    );
}

#[test]
fn polls_are_understood_at_every_split() {
    let mut bytes = format!("{HEAD}Content-Length: 2\r\n\r\no\n").into_bytes();
    let frame = "a[\"MESSAGE\\n\\none\\u0000\",\"MESSAGE\\n\\ntwo\\u0000\"]\n";
    let length = frame.len();
    bytes.extend_from_slice(format!("{HEAD}Content-Length: {length}\r\n\r\n{frame}").as_bytes());
    bytes.extend_from_slice(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
    chunk(&mut bytes, "h\n");
    chunk(&mut bytes, "");
    every_split_says(
        Role::SockJsHttpClient { streaming: false },
        &bytes,
        &[
            "head",
            "Opened",
            "ResponseEnd",
            "head",
            "MESSAGE \"one\"",
            "MESSAGE \"two\"",
            "ResponseEnd",
            "head",
            "HeartBeat",
            "ResponseEnd",
        ],
    );
}

#[test]
fn sockjs_in_a_websocket_is_understood_at_every_split() {
    let mut bytes = ANSWER.as_bytes().to_vec();
    for frame in [
        "o",
        "a[\"MESSAGE\\n\\none\\u0000\"]",
        "h",
        "a[]",
        "c[1000,\"\"]",
    ] {
        text(&mut bytes, frame.as_bytes());
    }
    every_split_says(
        Role::SockJsWebSocketClient,
        &bytes,
        &[
            "head",
            "Opened",
            "MESSAGE \"one\"",
            "HeartBeat",
            "Close(Some(1000))",
        ],
    );
}

#[test]
fn refuses_what_is_no_sockjs_response() {
    let streaming = |body: &str| {
        let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
        let mut bytes = head.into_bytes();
        chunk(&mut bytes, body);
        read(Role::SockJsHttpClient { streaming: true }, &[&bytes])
    };
    let poll = |answer: &str| {
        let role = Role::SockJsHttpClient { streaming: false };
        read(role, &[answer.as_bytes()])
    };
    let prelude = "h".repeat(2048);
    for (read, error) in [
        (streaming("o\n"), ScanError::SockJs("no prelude of 2048 h")),
        (
            streaming(&format!("{prelude}\no")),
            ScanError::SockJs("a frame without its end of line"),
        ),
        (
            streaming(&format!("{prelude}\nx\n")),
            ScanError::SockJs("none of o, h, a, c"),
        ),
        (
            poll(&format!("{HEAD}Content-Length: 0\r\n\r\n")),
            ScanError::SockJs("a response without a frame"),
        ),
        (
            poll("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            ScanError::Refused("HTTP/1.1 404 Not Found".to_owned()),
        ),
    ] {
        assert_eq!(read, Err(error));
    }
}

#[test]
fn a_client_is_understood_at_every_split_with_and_without_websocket() {
    let mut bytes = upgrade_request("localhost", "/ws", true).into_bytes();
    let writer = Writer::WebSocket(Mask::new(7));
    writer.frame(&mut bytes, &[b"SEND\n\n", b"abc", b"\0"]);
    writer.pong(&mut bytes, b"x");
    writer.frame(&mut bytes, &[b"\n"]);
    every_split_says(Role::Server, &bytes, &["head", "SEND \"abc\"", "EndOfLine"]);
    every_split_says(
        Role::Server,
        b"SEND\n\nabc\0\n",
        &["SEND \"abc\"", "EndOfLine"],
    );
}

#[test]
fn refuses_a_broken_handshake() {
    assert_eq!(
        read(Role::WebSocketClient, &[b"HTTP/1.1 403 Forbidden\r\n\r\n"]),
        Err(ScanError::Refused("HTTP/1.1 403 Forbidden".to_owned()))
    );
    let wrong = ANSWER.replace("s3pP", "s3pQ");
    assert_eq!(
        read(Role::WebSocketClient, &[wrong.as_bytes()]),
        Err(ScanError::WrongAccept)
    );
}

#[test]
fn refuses_masks_and_fragments_out_of_place() {
    let after = |frame: &[u8]| read(Role::WebSocketClient, &[ANSWER.as_bytes(), frame]);
    assert_eq!(
        after(b"\x81\x80\0\0\0\0"),
        Err(ScanError::WebSocketHeader("mask in the wrong direction"))
    );
    assert_eq!(after(b"\x80\x00"), Err(ScanError::Fragmentation));
    assert_eq!(after(b"\x01\x01\n\x81\x00"), Err(ScanError::Fragmentation));
}
