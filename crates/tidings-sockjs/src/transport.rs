//! The HTTP transports by which a client listens, and how each dresses a frame.

use crate::frame;
use crate::headers::{HTML, SCRIPT};

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
        match self {
            Self::Xhr => "xhr",
            Self::XhrStreaming => "xhr_streaming",
            Self::EventSource => "eventsource",
            Self::HtmlFile => "htmlfile",
            Self::Jsonp => "jsonp",
        }
    }

    /// Whether a response carries more than one frame.
    pub fn is_streaming(self) -> bool {
        !matches!(self, Self::Xhr | Self::Jsonp)
    }

    /// Whether its urls have a callback, a function in the client's page.
    pub(crate) fn has_callback(self) -> bool {
        matches!(self, Self::HtmlFile | Self::Jsonp)
    }

    /// Whether scripts of other origins may read its responses.
    pub(crate) fn is_cross_origin(self) -> bool {
        !self.has_callback()
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Xhr | Self::XhrStreaming | Self::Jsonp => SCRIPT,
            // browsers refuse the type with a charset behind it
            Self::EventSource => "text/event-stream",
            Self::HtmlFile => HTML,
        }
    }

    /// Appends what a streaming response begins with: enough for the browsers that hand nothing out before they have
    /// a certain number of bytes.
    pub(crate) fn write_prelude(self, callback: &str, out: &mut Vec<u8>) {
        match self {
            Self::Xhr | Self::Jsonp => {}
            Self::XhrStreaming => {
                out.resize(out.len() + XHR_PRELUDE, b'h');
                out.push(b'\n');
            }
            Self::EventSource => out.extend_from_slice(b"\r\n"),
            Self::HtmlFile => write_page_start(callback, out),
        }
    }

    /// Appends `frame` as the transport carries it.
    pub(crate) fn write_frame(self, callback: &str, frame: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Xhr | Self::XhrStreaming => {
                out.extend_from_slice(frame);
                out.push(b'\n');
            }
            Self::EventSource => {
                out.extend_from_slice(b"data: ");
                write_event_data(frame, out);
                out.extend_from_slice(b"\r\n\r\n");
            }
            Self::HtmlFile => {
                out.extend_from_slice(b"<script>\np(");
                write_js_string(frame, |byte| byte == b'<', out);
                out.extend_from_slice(b");\n</script>\r\n");
            }
            Self::Jsonp => {
                out.extend_from_slice(b"/**/");
                out.extend_from_slice(callback.as_bytes());
                out.push(b'(');
                write_js_string(frame, |_| false, out);
                out.extend_from_slice(b");\r\n");
            }
        }
    }
}

/// Appends the data of an event. The client runs `decodeURI` over it, so `%` goes as `%25`.
fn write_event_data(frame: &[u8], out: &mut Vec<u8>) {
    let mut parts = frame.split(|&byte| byte == b'%');
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(b"%25");
        out.extend_from_slice(part);
    }
}

/// Appends `frame` as a string of JavaScript. In a page the `<` of `</script>` must be escaped as well, which
/// `escaped_too` says.
fn write_js_string(frame: &[u8], escaped_too: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in frame {
        if matches!(byte, b'"' | b'\\' | 0..0x20) || escaped_too(byte) {
            frame::write_escape(u16::from(byte), out);
        } else {
            out.push(byte);
        }
    }
    out.push(b'"');
}

fn write_page_start(callback: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for part in [PAGE_START.0, callback, PAGE_START.1] {
        out.extend_from_slice(part.as_bytes());
    }
    let length = (out.len() - start).max(PAGE_START_BYTES);
    out.resize(start + length, b' ');
    out.extend_from_slice(b"\r\n\r\n");
}

/// Older browsers hand a stream to the script after 2 KiB.
const XHR_PRELUDE: usize = 2048;
/// And run scripts in a page after 1 KiB.
const PAGE_START_BYTES: usize = 1025;

/// What stands before and behind the callback.
const PAGE_START: (&str, &str) = (
    r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent."#,
    r#";
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>"#,
);
