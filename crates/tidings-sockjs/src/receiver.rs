//! One response by which a client listens: its head, its prelude, the framing of its transport, its end.

use crate::answer::Answer;

/// The HTTP transports by which a client listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `xhr`: long-polling, one frame per response.
    Xhr,
    /// `xhr_streaming`: frames as lines.
    XhrStreaming,
    /// `eventsource`: server-sent events.
    EventSource,
    /// `htmlfile`: scripts in a page that never ends.
    HtmlFile,
    /// `jsonp`: one frame as a script that calls a function.
    Jsonp,
}

impl Transport {
    /// Its name in the url.
    pub fn name(self) -> &'static str {
        todo!()
    }

    /// Whether a response carries more than one frame.
    pub fn is_streaming(self) -> bool {
        todo!()
    }
}

/// What became of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It takes more frames.
    GoesOn,
    /// It has ended; its last bytes are written.
    Ended,
}

/// One response by which a client listens. Writes raw HTTP/1.x; nothing is written before the first frame of a polling
/// transport, since its length stands in the head.
#[derive(Debug, Clone)]
pub struct Receiver {
    // private: transport, callback, http_1_1, keep_alive, origin, cookie value, what else the head needs, bytes sent, limit
}

impl Receiver {
    /// Its transport.
    pub fn transport(&self) -> Transport {
        todo!()
    }

    /// Whether another request may follow on the same connection once the response has ended.
    pub fn keeps_alive(&self) -> bool {
        todo!()
    }

    /// Another response by `connection: close`: the server stops.
    pub fn close_connection(&mut self) {
        todo!()
    }

    /// One more `set-cookie` in the head of the response.
    pub fn set_cookie(&mut self, cookie: String) {
        let _ = cookie;
        todo!()
    }

    /// The value of the `date` header of the response, an IMF-fixdate.
    pub fn set_date(&mut self, date: String) {
        let _ = date;
        todo!()
    }

    /// Writes the head and the prelude of a streaming response; nothing for a polling one.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let _ = out;
        todo!()
    }

    /// Writes one frame; ends the response where the transport or the limit says so.
    pub fn write(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Progress {
        let _ = (frame, out);
        todo!()
    }

    /// Ends a response that has begun, without a further frame. A polling one that has no frame yet ends as an empty 200.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let _ = out;
        todo!()
    }

    /// Whether the response is made of the chunks of [`crate::frame::write_xhr_chunk_start`] as they are.
    pub fn takes_xhr_chunks(&self) -> bool {
        todo!()
    }

    /// How many bytes of frames the response takes until it ends; at least 1 while it goes on.
    pub fn bytes_left(&self) -> usize {
        todo!()
    }

    /// Counts `bytes` of data of chunks that the driver wrote itself; less than [`Receiver::bytes_left`].
    pub fn wrote(&mut self, bytes: usize) {
        let _ = bytes;
        todo!()
    }

    /// The whole response for a session that can't be had (the server is full, the session belongs to someone else).
    pub fn refused(&self, status: u16, text: &'static str) -> Answer {
        let _ = (status, text);
        todo!()
    }
}
