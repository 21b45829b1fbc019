//! Answers of HTTP/1.1, as they come.

use std::fmt;
use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::door::Stream;

/// One connection, on which requests follow each other.
pub(crate) struct Exchange {
    stream: Box<dyn Stream>,
    input: BytesMut,
    state: State,
}

enum State {
    /// Nothing is asked.
    Idle,
    Head,
    /// So many bytes are to come.
    Body(usize),
    /// So many bytes of the chunk, with its line end.
    Chunk(usize),
    ChunkLength,
}

/// What comes of an answer.
pub(crate) enum Part {
    Head(String),
    Body(BytesMut),
    End,
}

/// The server answered otherwise than with what was asked for.
#[derive(Debug, Clone)]
pub(crate) struct TurnedAway {
    /// Zero where it was no answer of HTTP.
    pub(crate) status: u16,
    text: String,
}

impl TurnedAway {
    pub(crate) fn with(head: &str) -> Self {
        Self {
            status: status(head),
            text: format!("the answer was {head:?}"),
        }
    }

    pub(crate) fn because(self, cause: impl fmt::Display) -> Self {
        let text = format!("{cause}; {}", self.text);
        Self { text, ..self }
    }

    pub(crate) fn by(text: impl fmt::Display) -> Self {
        Self {
            status: 0,
            text: text.to_string(),
        }
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Exchange {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            state: State::Idle,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    pub(crate) async fn ask(&mut self, request: &str) -> io::Result<()> {
        self.state = State::Head;
        self.stream.write_all(request.as_bytes()).await
    }

    /// The next part of the answer; dropped before that, nothing is lost.
    pub(crate) async fn part(&mut self) -> io::Result<Part> {
        loop {
            if let Some(part) = self.decode() {
                return Ok(part);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// A whole answer: its head and its body.
    pub(crate) async fn answer(&mut self) -> io::Result<(String, String)> {
        let (mut head, mut body) = (String::new(), Vec::new());
        loop {
            match self.part().await? {
                Part::Head(text) => head = text,
                Part::Body(bytes) => body.extend_from_slice(&bytes),
                Part::End => return Ok((head, String::from_utf8_lossy(&body).into_owned())),
            }
        }
    }

    fn decode(&mut self) -> Option<Part> {
        loop {
            match self.state {
                State::Idle => return Some(Part::End),
                State::Head => {
                    let head = self.until(b"\r\n\r\n")?;
                    let is_chunked = header(&head, "transfer-encoding") == "chunked";
                    self.state = match is_chunked {
                        true => State::ChunkLength,
                        false => State::Body(header(&head, "content-length").parse().unwrap_or(0)),
                    };
                    return Some(Part::Head(head));
                }
                State::Body(0) => self.state = State::Idle,
                State::Body(left) => {
                    let part = self.take(left)?;
                    self.state = State::Body(left - part.len());
                    return Some(Part::Body(part));
                }
                State::ChunkLength => {
                    let line = self.until(b"\r\n")?;
                    let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
                    self.state = State::Chunk(length + 2);
                    if length == 0 {
                        // The empty line behind it is of no use, and here at the latest with the next answer.
                        self.until(b"\r\n")?;
                        self.state = State::Idle;
                    }
                }
                State::Chunk(left) => {
                    let mut part = self.take(left)?;
                    let left = left - part.len();
                    self.state = match left {
                        0 => State::ChunkLength,
                        _ => State::Chunk(left),
                    };
                    part.truncate((part.len() + left).saturating_sub(2).min(part.len()));
                    return Some(Part::Body(part));
                }
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> Option<String> {
        let at = self
            .input
            .windows(end.len())
            .position(|bytes| bytes == end)?;
        let text = self.input.split_to(at + end.len());
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    fn take(&mut self, most: usize) -> Option<BytesMut> {
        let count = most.min(self.input.len());
        (count > 0).then(|| self.input.split_to(count))
    }
}

/// The value of the first header of that name.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> &'a str {
    headers(head, name).next().unwrap_or_default()
}

/// The values of all headers of that name.
pub(crate) fn headers<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(move |(its, _)| its.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

pub(crate) fn status(head: &str) -> u16 {
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.unwrap_or_default()
}
