//! What holds for any request whatsoever. The fuzz target runs this very file.

use std::time::Duration;

use tidings_sockjs::{Answer, Options, Progress, Receiver, RequestHead, Route, route};

/// Checks a request and the responses to it. The first byte of `data` are switches; fields follow, each ended by 0xFF,
/// which is no part of text: method, path, query, origin, headers asked for, cookie, tags, then frames.
pub(crate) fn check(data: &[u8]) {
    let Some((&switches, fields)) = data.split_first() else {
        return;
    };
    let fields: Vec<_> = fields
        .split(|&byte| byte == 0xFF)
        .map(String::from_utf8_lossy)
        .collect();
    let field = |at: usize| fields.get(at).map(AsRef::as_ref);
    let options = options(switches);
    let head = RequestHead {
        method: field(0).unwrap_or("GET"),
        path: field(1).unwrap_or_default(),
        query: field(2).unwrap_or_default(),
        http_1_1: switches & 1 != 0,
        keep_alive: switches & 2 != 0,
        origin: field(3),
        access_control_request_headers: field(4),
        cookie: field(5),
        if_none_match: field(6),
    };
    match route(&options, &head, || u32::from(switches)) {
        Route::Answer(answer) => check_answer(&answer),
        Route::WebSocket | Route::RawWebSocket => assert!(options.websocket_enabled),
        Route::Receive {
            session, receiver, ..
        } => {
            check_session(session);
            check_answer(&receiver.refused(503, "full"));
            check_receiver(receiver, &head, fields.get(7..).unwrap_or_default());
        }
        Route::Send { session, sender } => {
            check_session(session);
            check_answer(&sender.accepted());
            check_answer(&sender.unknown_session());
            check_answer(&sender.too_large(7));
        }
    }
}

fn options(switches: u8) -> Options {
    Options {
        heartbeat_time: Duration::from_secs(25),
        disconnect_delay: Duration::from_secs(5),
        stream_bytes_limit: 40,
        session_cookie_needed: switches & 4 != 0,
        websocket_enabled: switches & 8 != 0,
        legacy_transports: switches & 16 != 0,
        client_library_url: "/sockjs.min.js".to_owned(),
    }
}

fn check_session(session: &str) {
    assert!(!session.is_empty() && session.len() <= 128 && !session.contains(['/', '.']));
}

fn check_answer(answer: &Answer) {
    let statuses = [200, 204, 304, 404, 405, 413, 500, 503];
    assert!(statuses.contains(&answer.status), "{answer:?}");
    if matches!(answer.status, 204 | 304 | 405) {
        assert!(answer.body.is_empty(), "{answer:?}");
    }
    for (name, value) in &answer.headers {
        assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()));
        check_value(value);
    }
}

fn check_value(value: &str) {
    let breaks = value
        .bytes()
        .any(|byte| byte.is_ascii_control() && byte != b'\t');
    assert!(!breaks, "{value:?}");
}

fn check_receiver(mut receiver: Receiver, head: &RequestHead<'_>, frames: &[impl AsRef<str>]) {
    assert!(head.keep_alive || !receiver.keeps_alive());
    receiver.set_cookie(head.cookie.unwrap_or_default().to_owned());
    let mut out = Vec::new();
    receiver.begin(&mut out);
    let mut written = Vec::new();
    let mut progress = Progress::GoesOn;
    for frame in frames.iter().map(AsRef::as_ref) {
        assert!(receiver.bytes_left() > 0);
        written.push(frame);
        progress = receiver.write(frame.as_bytes(), &mut out);
        if progress == Progress::Ended {
            break;
        }
    }
    if progress == Progress::GoesOn {
        receiver.end(&mut out);
    }
    assert_eq!(receiver.bytes_left(), 0);
    let response = String::from_utf8(out).expect("a response of text");
    let (response_head, body) = response.split_once("\r\n\r\n").expect("a head");
    check_head(response_head, &receiver);
    check_body(response_head, body, written.len());
}

fn check_head(head: &str, receiver: &Receiver) {
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
    let mut names = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        check_value(value);
        names.push(name);
    }
    let known = [
        "content-type",
        "cache-control",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "vary",
        "set-cookie",
        "x-content-type-options",
        "x-accel-buffering",
        "content-length",
        "transfer-encoding",
        "connection",
    ];
    assert!(names.iter().all(|name| known.contains(name)), "{head}");
    assert_eq!(
        receiver.keeps_alive(),
        !head.contains("\r\nconnection: close")
    );
}

/// The body has the length or the chunks that the head promises: the prelude, one for each frame, the last.
fn check_body(head: &str, body: &str, frames: usize) {
    if let Some((_, length)) = head.split_once("\r\ncontent-length: ") {
        let length = length.split("\r\n").next().expect("a line");
        assert_eq!(length.parse(), Ok(body.len()));
        assert!(frames <= 1);
    } else if head.contains("\r\ntransfer-encoding: chunked") {
        let mut lengths = Vec::new();
        let mut rest = body;
        while let Some((length, data)) = rest.split_once("\r\n") {
            let length = usize::from_str_radix(length, 16).expect("a number");
            lengths.push(length);
            rest = data[length..]
                .strip_prefix("\r\n")
                .expect("the end of a chunk");
        }
        assert!(rest.is_empty());
        assert_eq!(lengths.len(), frames + 2);
        assert_eq!(lengths.iter().rposition(|&length| length > 0), Some(frames));
    }
}
