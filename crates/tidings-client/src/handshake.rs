//! The opening handshake of WebSocket (RFC 6455, section 4.1) on a socket.

use std::io;

use bytes::{Buf, BytesMut};
use tidings_websocket::{ClientRequest, ResponseHead};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::address::Address;
use crate::credentials::Credentials;
use crate::error::{ConnectError, Ended, HandshakeError};
use crate::transport::Socket;

/// Opens a WebSocket; returns what the server has sent after its answer.
pub(crate) async fn open(
    socket: &mut Socket,
    address: &Address,
    credentials: &Credentials,
) -> Result<BytesMut, ConnectError> {
    let host = address.http_host();
    let headers = credentials.handshake_headers.iter();
    let headers: Vec<(&str, &str)> = headers.map(|(name, value)| (&**name, &**value)).collect();
    let request = ClientRequest {
        host: &host,
        path: &address.path,
        nonce: nonce().map_err(broken)?,
        protocols: &["v12.stomp", "v11.stomp", "v10.stomp"],
        compression: false,
        headers: &headers,
    };
    let writer = &mut socket.writer;
    writer.write_all(&request.encode()).await.map_err(broken)?;
    writer.flush().await.map_err(broken)?;
    let mut input = BytesMut::with_capacity(4 * 1024);
    let head_len = read_head(socket, &mut input).await?;
    let head = Head::parse(&input[..head_len]).ok_or(HandshakeError::Malformed)?;
    request
        .verify(&head.as_response())
        .map_err(HandshakeError::from)?;
    input.advance(head_len);
    Ok(input)
}

fn nonce() -> io::Result<[u8; 16]> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    Ok(nonce)
}

fn broken(error: io::Error) -> ConnectError {
    Ended::Broken(error.into()).into()
}

/// Reads up to the empty line; returns where it ends.
async fn read_head(socket: &mut Socket, input: &mut BytesMut) -> Result<usize, ConnectError> {
    loop {
        if let Some(at) = input.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(at + 4);
        }
        if input.len() >= MAX_HEAD_BYTES {
            return Err(HandshakeError::Malformed.into());
        }
        if socket.reader.read_buf(input).await.map_err(broken)? == 0 {
            return Err(Ended::Eof.into());
        }
    }
}

const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The parts of a response that matter; headers that came more than once are joined.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    upgrade: String,
    connection: String,
    accept: String,
    protocol: String,
    extensions: String,
}

impl Head {
    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?;
        let mut parsed = Self {
            status: status.get(..3)?.parse().ok()?,
            ..Self::default()
        };
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            if let Some(field) = parsed.field(&name.to_ascii_lowercase()) {
                if !field.is_empty() {
                    field.push_str(", ");
                }
                field.push_str(value.trim());
            }
        }
        Some(parsed)
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "upgrade" => &mut self.upgrade,
            "connection" => &mut self.connection,
            "sec-websocket-accept" => &mut self.accept,
            "sec-websocket-protocol" => &mut self.protocol,
            "sec-websocket-extensions" => &mut self.extensions,
            _ => return None,
        })
    }

    fn as_response(&self) -> ResponseHead<'_> {
        ResponseHead {
            status: self.status,
            upgrade: &self.upgrade,
            connection: &self.connection,
            accept: &self.accept,
            protocol: &self.protocol,
            extensions: &self.extensions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_and_nonsense_is_not() {
        let head = Head::parse(
            b"HTTP/1.1 101 Switching Protocols\r\nUPGRADE: websocket\r\nConnection: keep-alive\r\n\
              connection: Upgrade\r\nDate: today\r\n\r\n",
        );
        let head = head.expect("a good response");
        let response = head.as_response();
        assert_eq!(response.status, 101);
        assert_eq!(response.upgrade, "websocket");
        assert_eq!(response.connection, "keep-alive, Upgrade");
        for nonsense in [
            &b"\r\n\r\n"[..],
            b"HTTP/1.1 \r\n\r\n",
            b"HTTP/1.1 1\xc3\xa91\r\n\r\n",
            b"HTTP/2 101\r\n\r\n",
            b"CONNECTED\nversion:1.2\r\n\r\n",
            b"HTTP/1.1 101 x\r\nno colon\r\n\r\n",
            b"HTTP/1.1 101 \xff\r\n\r\n",
        ] {
            assert!(Head::parse(nonsense).is_none(), "{nonsense:?}");
        }
    }
}
