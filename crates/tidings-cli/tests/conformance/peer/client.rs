//! A connection of HTTP/1.1 that carries one request after the other.

use std::io::{Error, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::websocket::{connect, read_some};
use super::{Headers, PATIENCE, Response};

pub(crate) struct Http {
    stream: TcpStream,
    /// What has come and is not taken yet.
    input: Vec<u8>,
}

impl Http {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::on(connect(address))
    }

    pub(crate) fn on(stream: TcpStream) -> Self {
        Self {
            stream,
            input: Vec::new(),
        }
    }

    /// Sends a request and waits for its whole answer.
    #[track_caller]
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: Headers,
        body: &[u8],
    ) -> Response {
        self.send(method, path, headers, body)
            .expect("the request is written");
        self.answer()
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str, headers: Headers) -> Response {
        self.ask("GET", path, headers, b"")
    }

    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, headers: Headers, body: &str) -> Response {
        self.ask("POST", path, headers, body.as_bytes())
    }

    /// Sends a request; with a `content-length` where it has a body or is a POST.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: Headers,
        body: &[u8],
    ) -> Result<(), Error> {
        let mut request = self.head(method, path, headers)?;
        if method == "POST" || !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        self.write(&[request.as_bytes(), body].concat())
    }

    fn head(&self, method: &str, path: &str, headers: Headers) -> Result<String, Error> {
        let named = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !named {
            head.push_str(&format!("Host: {}\r\n", self.stream.peer_addr()?));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Ok(head)
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.stream.write_all(octets)
    }

    /// The next answer, whole.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Response {
        match self.read_answer(Instant::now() + PATIENCE) {
            Ok(response) => response,
            Err(error) => panic!(
                "no answer: {error}, after {:?}",
                String::from_utf8_lossy(&self.input)
            ),
        }
    }

    /// The next answer, whole; after the deadline an error of kind `WouldBlock`, and nothing is lost.
    pub(crate) fn read_answer(&mut self, deadline: Instant) -> Result<Response, Error> {
        loop {
            if let Some(response) = self.take_answer()? {
                return Ok(response);
            }
            self.fill(deadline)?;
        }
    }

    fn take_answer(&mut self) -> Result<Option<Response>, Error> {
        let Some((mut response, head_len)) = Response::parse(&self.input) else {
            return Ok(None);
        };
        let has_body = response.status >= 200 && !matches!(response.status, 204 | 304);
        let length = match response.header("content-length") {
            Some(length) => length.parse().map_err(Error::other)?,
            None if has_body => {
                return Err(Error::other(format!("an answer without end: {response:?}")));
            }
            None => 0,
        };
        if self.input.len() < head_len + length {
            return Ok(None);
        }
        response.rest = self.input[head_len..head_len + length].to_vec();
        self.input.drain(..head_len + length);
        Ok(Some(response))
    }

    /// The head of an answer that goes on.
    pub(crate) fn read_head(&mut self, deadline: Instant) -> Result<Response, Error> {
        loop {
            if let Some((response, head_len)) = Response::parse(&self.input) {
                self.input.drain(..head_len);
                return Ok(response);
            }
            self.fill(deadline)?;
        }
    }

    /// The next chunk of an answer that goes on; empty at its end.
    pub(crate) fn read_chunk(&mut self, deadline: Instant) -> Result<Vec<u8>, Error> {
        loop {
            if let Some(chunk) = self.take_chunk()? {
                return Ok(chunk);
            }
            self.fill(deadline)?;
        }
    }

    fn take_chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(line) = self.input.windows(2).position(|pair| pair == b"\r\n") else {
            return Ok(None);
        };
        let length = std::str::from_utf8(&self.input[..line]).map_err(Error::other)?;
        let length = usize::from_str_radix(length, 16).map_err(Error::other)?;
        let start = line + 2;
        let Some(end) = self.input.get(start + length..start + length + 2) else {
            return Ok(None);
        };
        assert_eq!(end, b"\r\n", "a chunk ends with its line");
        let chunk = self.input[start..start + length].to_vec();
        self.input.drain(..start + length + 2);
        Ok(Some(chunk))
    }

    /// What comes when HTTP has ended.
    pub(crate) fn read_octets(&mut self, deadline: Instant) -> Result<Vec<u8>, Error> {
        while self.input.is_empty() {
            self.fill(deadline)?;
        }
        Ok(std::mem::take(&mut self.input))
    }

    /// Waits for more input; the end of the connection is an error of kind `UnexpectedEof`.
    pub(super) fn fill(&mut self, deadline: Instant) -> Result<(), Error> {
        let octets = read_some(&mut self.stream, deadline)?;
        if octets.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.input.extend(octets);
        Ok(())
    }

    /// Whether something has come, or comes within so long.
    pub(super) fn hears_within(&mut self, time: Duration) -> bool {
        !self.input.is_empty() || self.fill(Instant::now() + time).is_ok()
    }

    /// Waits for the end of the connection, before which nothing else may come.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let ended = self.fill(Instant::now() + PATIENCE);
        assert!(self.input.is_empty(), "more came: {:?}", self.input);
        let kind = ended.expect_err("nothing came").kind();
        let has_ended = matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset);
        assert!(has_ended, "no end of the connection: {kind}");
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}
