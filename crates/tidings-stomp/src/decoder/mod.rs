//! Bytes to frames, whatever pieces they come in.

mod body;
mod error;
mod escape;
mod head;
mod partial;

use bytes::{Buf, Bytes};

use self::body::BodyRule;
pub use self::error::{DecodeError, DecodeErrorKind};
use self::head::{Finished, Head, Rules};
use self::partial::Partial;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::version::Version;

/// What stands in a stream of STOMP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an item is taken apart at once; a box would cost an allocation per frame"
)]
pub enum Item {
    /// A frame.
    Frame(Frame),
    /// An end of line between frames: a heart-beat, or the line end that may follow a NUL.
    HeartBeat,
}

/// An incremental decoder.
///
/// A frame that lies wholly in one input is sliced from it, not copied. Of a frame that does not, what has come is kept;
/// between frames the decoder holds no memory but its own 48 bytes.
///
/// ```
/// use bytes::Bytes;
/// use tidings_stomp::{Decoder, Item, Limits};
///
/// let mut decoder = Decoder::new(Limits::default());
/// assert_eq!(decoder.decode(&mut Bytes::from_static(b"SEND\ndestination:/topic/a\n"))?, None);
/// let mut input = Bytes::from_static(b"\nhello\0\n");
/// let Some(Item::Frame(frame)) = decoder.decode(&mut input)? else { panic!("the rest has come") };
/// assert_eq!((frame.header("destination"), &frame.body[..]), (Some("/topic/a"), &b"hello"[..]));
/// assert_eq!(decoder.decode(&mut input)?, Some(Item::HeartBeat));
/// # Ok::<(), tidings_stomp::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    version: Option<Version>,
    /// A CR between frames came last; its LF must follow.
    after_cr: bool,
    poisoned: bool,
    partial: Option<Box<Partial>>,
}

impl Decoder {
    /// A decoder that knows no version yet and so expects a CONNECT, STOMP or CONNECTED frame. Anything else is read by
    /// the rules of 1.2.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            version: None,
            after_cr: false,
            poisoned: false,
            partial: None,
        }
    }

    /// Reads by the rules of this version from the next line on.
    pub fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// The next item of the stream, taken off the front of `input`. `None` when more bytes are needed; then `input` is
    /// empty.
    ///
    /// # Errors
    ///
    /// When the bytes are no STOMP or pass a limit. From then on every call is an error.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Item>, DecodeError> {
        if self.poisoned {
            return Err(DecodeError::new(DecodeErrorKind::Poisoned, None));
        }
        let item = self.next_item(input);
        self.poisoned = item.is_err();
        if input.is_empty() {
            // An empty slice would still keep the whole read buffer alive.
            *input = Bytes::new();
        }
        item
    }

    fn next_item(&mut self, input: &mut Bytes) -> Result<Option<Item>, DecodeError> {
        if let Some(mut partial) = self.partial.take() {
            let frame = partial.feed(input, self.rules())?;
            if frame.is_none() {
                self.partial = Some(partial);
            }
            return Ok(frame.map(Item::Frame));
        }
        match self.take_line_end(input)? {
            LineEnd::Whole => Ok(Some(Item::HeartBeat)),
            LineEnd::Half => Ok(None),
            LineEnd::None if input.is_empty() => Ok(None),
            LineEnd::None => self.start_frame(input),
        }
    }

    /// Any version may end lines between frames in LF or CR LF: nothing else could begin with a CR there.
    fn take_line_end(&mut self, input: &mut Bytes) -> Result<LineEnd, DecodeError> {
        let skipped_cr = std::mem::take(&mut self.after_cr);
        let rest = if skipped_cr {
            &input[..]
        } else {
            input.strip_prefix(b"\r").unwrap_or(input)
        };
        let seen_cr = skipped_cr || rest.len() < input.len();
        match rest.first() {
            Some(b'\n') => {
                input.advance(input.len() - rest.len() + 1);
                Ok(LineEnd::Whole)
            }
            None if seen_cr => {
                self.after_cr = true;
                input.clear();
                Ok(LineEnd::Half)
            }
            Some(_) if seen_cr => Err(DecodeError::new(
                DecodeErrorKind::UnknownCommand {
                    found: "\\r".to_owned(),
                },
                None,
            )),
            _ => Ok(LineEnd::None),
        }
    }

    /// Reads a frame from its first byte, in place; what is incomplete moves to `self.partial`.
    fn start_frame(&mut self, input: &mut Bytes) -> Result<Option<Item>, DecodeError> {
        let rules = self.rules();
        let mut head = Head::default();
        loop {
            let start = head.line_start();
            let line = head.find_line_end(&input[start..], 0, rules);
            let Some(len) = line.map_err(|kind| head.fail(kind, input, rules))? else {
                self.partial = Some(Box::new(Partial::of_head(head, input)));
                return Ok(None);
            };
            if head
                .take_line(input, start + len, rules)
                .map_err(|kind| head.fail(kind, input, rules))?
            {
                break;
            }
        }
        let raw = input.split_to(head.line_start());
        let Finished {
            command,
            headers,
            content_length,
        } = head.finish(raw, rules)?;
        let body = BodyRule::new(command, content_length, rules, &headers)?;
        match body.find_end(input, 0, rules, &headers)? {
            Some(len) => {
                let bytes = input.split_to(len);
                input.advance(1);
                Ok(Some(Item::Frame(Frame {
                    command,
                    headers,
                    body: body.keep(bytes),
                })))
            }
            None => {
                self.partial = Some(Box::new(Partial::of_body(command, headers, body, input)));
                Ok(None)
            }
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            version: self.version,
            limits: &self.limits,
        }
    }
}

enum LineEnd {
    None,
    /// A CR whose LF has not come.
    Half,
    Whole,
}
