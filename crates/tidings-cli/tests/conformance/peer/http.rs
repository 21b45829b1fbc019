//! One HTTP request by hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What came after the head so far.
    pub(crate) rest: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What came behind the head, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }

    /// Sends `request`, reads the head of the answer and leaves what follows on the stream or in `rest`.
    pub(crate) fn of(stream: &mut TcpStream, request: &[u8]) -> Self {
        stream.write_all(request).expect("the request is written");
        let mut input = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some((mut response, head_len)) = Self::parse(&input) {
                response.rest = input.split_off(head_len);
                return response;
            }
            let count = stream.read(&mut chunk).expect("the answer comes in time");
            assert_ne!(
                count,
                0,
                "the connection ended within the answer {:?}",
                String::from_utf8_lossy(&input)
            );
            input.extend_from_slice(&chunk[..count]);
        }
    }

    /// The head of an answer and how long it is, once it is whole.
    pub(super) fn parse(input: &[u8]) -> Option<(Self, usize)> {
        let head_len = input.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&input[..head_len]).expect("the head is UTF-8");
        let mut lines = head.split("\r\n");
        let status_line = lines.next().expect("split gives one part at least");
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let response = Self {
            status: status.unwrap_or_else(|| panic!("no status in {status_line:?}")),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                .collect(),
            rest: Vec::new(),
        };
        Some((response, head_len + 4))
    }

    /// Sends `request` and reads the whole answer, so that another request may follow on the stream.
    pub(crate) fn whole(stream: &mut TcpStream, request: &[u8]) -> Self {
        let mut response = Self::of(stream, request);
        let length = response
            .header("content-length")
            .and_then(|length| length.parse::<usize>().ok())
            .expect("an answer says how long it is");
        let missing = length.saturating_sub(response.rest.len());
        let mut more = vec![0; missing];
        stream
            .read_exact(&mut more)
            .expect("the body comes in time");
        response.rest.extend(more);
        response
    }

    /// Sends the start of a request and returns all that comes until the server ends the connection.
    pub(crate) fn until_end(address: SocketAddr, start: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).expect("the HTTP listener accepts");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout can be set");
        stream.write_all(start).expect("the start is written");
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("the end comes in time");
        answer
    }

    /// GETs `path` and returns status and text. HTTP/1.0, so that the body ends with the connection.
    pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).expect("the listener accepts");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout can be set");
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        let response = Self::of(&mut stream, request.as_bytes());
        let mut body = response.rest;
        stream
            .read_to_end(&mut body)
            .expect("the body comes in time");
        (
            response.status,
            String::from_utf8(body).expect("the body is UTF-8"),
        )
    }
}
