//! What each transport writes, to the byte.

use tidings_sockjs::{Options, Progress, Receiver, RequestHead, Transport};

use super::ask::{
    chunks, options, receive, receiver, receiver_named, request, sha256, split_head, written,
};

const CORS: &str =
    "access-control-allow-origin: *\r\nvary: Origin\r\nx-content-type-options: nosniff\r\n";

fn head(content_type: &str, rest: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\
         cache-control: no-store, no-cache, no-transform, must-revalidate, max-age=0\r\n{rest}\r\n"
    )
}

/// The whole response with an opening, a message, and an end.
fn response(mut receiver: Receiver) -> String {
    written(|out| {
        receiver.begin(out);
        if receiver.write(b"o", out) == Progress::GoesOn {
            receiver.write(br#"a["100%\u2028<"]"#, out);
            receiver.end(out);
        }
    })
}

#[test]
fn xhr_answers_with_one_frame() {
    let expected = head(
        "application/javascript; charset=UTF-8",
        &format!("{CORS}content-length: 2\r\n"),
    );
    assert_eq!(
        response(receiver_named(&options(), "xhr")),
        expected + "o\n"
    );
}

#[test]
fn xhr_streaming_writes_lines_in_chunks_of_their_own() {
    let expected = head(
        "application/javascript; charset=UTF-8",
        &format!("{CORS}x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n"),
    );
    let prelude = "h".repeat(2048);
    let body =
        format!("801\r\n{prelude}\n\r\n2\r\no\n\r\n11\r\na[\"100%\\u2028<\"]\n\r\n0\r\n\r\n");
    assert_eq!(
        response(receiver_named(&options(), "xhr_streaming")),
        expected + &body
    );
}

#[test]
fn eventsource_writes_events_with_their_percent_signs_escaped() {
    let expected = head(
        "text/event-stream",
        &format!("{CORS}x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n"),
    );
    let body = "2\r\n\r\n\r\nb\r\ndata: o\r\n\r\n\r\n\
                1c\r\ndata: a[\"100%25\\u2028<\"]\r\n\r\n\r\n0\r\n\r\n";
    assert_eq!(
        response(receiver_named(&options(), "eventsource")),
        expected + body
    );
}

#[test]
fn jsonp_calls_the_callback() {
    let nosniff = "x-content-type-options: nosniff\r\n";
    let expected = head(
        "application/javascript; charset=UTF-8",
        &format!("{nosniff}content-length: 20\r\n"),
    );
    let answered = response(receiver_named(&options(), "jsonp"));
    assert_eq!(answered, expected + "/**/callback(\"o\");\r\n");

    let mut receiver = receiver_named(&options(), "jsonp");
    let answered = written(|out| {
        receiver.write(br#"a["x\\","<%"]"#, out);
    });
    let body = "/**/callback(\"a[\\\"x\\\\\\\\\\\",\\\"<%\\\"]\");\r\n";
    assert_eq!(split_head(&answered).1, body);
}

#[test]
fn htmlfile_writes_a_page_that_calls_the_callback() {
    let nosniff = "x-content-type-options: nosniff\r\n";
    let expected = head(
        "text/html; charset=UTF-8",
        &format!("{nosniff}x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n"),
    );
    let answered = response(receiver_named(&options(), "htmlfile"));
    let body = answered.strip_prefix(&expected).expect("the head");
    let chunks = chunks(body);
    assert_eq!(chunks.len(), 4);
    let page = chunks[0];
    assert!(page.len() > 1024 && page.ends_with(" \r\n\r\n"));
    let page = page.trim();
    assert_eq!(page.len(), 371 - 1 + "callback".len());
    assert_eq!(
        sha256(&page.replace("callback", "@")),
        "c088cafee7fe03bfd5d36f9fb7535ec21dde8b98c37ec2773a8ae445194ef1c0"
    );
    let frames = [
        "<script>\np(\"o\");\n</script>\r\n",
        "<script>\np(\"a[\\\"100%\\\\u2028\\u003c\\\"]\");\n</script>\r\n",
        "",
    ];
    assert_eq!(chunks[1..], frames);
}

#[test]
fn http_1_0_has_no_chunks_and_ends_streams_with_the_connection() {
    for transport in ["xhr_streaming", "eventsource", "htmlfile"] {
        let chunked = response(receiver_named(&options(), transport));
        let (path, method) = receive(transport);
        let old = receiver(
            &options(),
            &RequestHead {
                http_1_1: false,
                ..request(method, &path)
            },
        );
        assert!(!old.keeps_alive());
        let plain = response(old);
        let (chunked_head, body) = split_head(&chunked);
        let head = chunked_head.replace("transfer-encoding: chunked", "connection: close");
        assert_eq!(plain, format!("{head}\r\n\r\n{}", chunks(body).concat()));
    }
}

#[test]
fn polling_says_whether_the_connection_stays() {
    for (http_1_1, keep_alive, said) in [
        (true, true, ""),
        (true, false, "connection: close\r\n"),
        (false, true, "connection: keep-alive\r\n"),
        (false, false, "connection: close\r\n"),
    ] {
        let (path, method) = receive("xhr");
        let old = receiver(
            &options(),
            &RequestHead {
                http_1_1,
                keep_alive,
                ..request(method, &path)
            },
        );
        assert_eq!(old.keeps_alive(), keep_alive);
        let expected = head(
            "application/javascript; charset=UTF-8",
            &format!("{CORS}content-length: 2\r\n{said}"),
        );
        assert_eq!(response(old), expected + "o\n");
    }
}

#[test]
fn the_driver_adds_cookies_and_a_date() {
    let mut receiver = receiver_named(&options(), "eventsource");
    receiver.set_cookie("a=b; HttpOnly".to_owned());
    receiver.set_cookie("c=d".to_owned());
    receiver.set_date("Sun, 06 Nov 1994 08:49:37 GMT".to_owned());
    let rest = format!(
        "{CORS}set-cookie: a=b; HttpOnly\r\nset-cookie: c=d\r\n\
         date: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n"
    );
    let begun = written(|out| receiver.begin(out));
    assert_eq!(begun, head("text/event-stream", &rest) + "2\r\n\r\n\r\n");
}

#[test]
fn a_stream_ends_at_the_limit_of_its_frames() {
    let limited = Options {
        stream_bytes_limit: 4096,
        ..options()
    };
    let frame = format!("a[\"{}\"]", "x".repeat(128));
    let mut stream = receiver_named(&limited, "xhr_streaming");
    let mut out = Vec::new();
    stream.begin(&mut out);
    assert_eq!(stream.bytes_left(), 4096);
    for frames in 1..31 {
        assert_eq!(stream.write(frame.as_bytes(), &mut out), Progress::GoesOn);
        assert_eq!(stream.bytes_left(), 4096 - frames * 134);
    }
    assert!(!out.ends_with(b"\r\n0\r\n\r\n"));
    assert_eq!(stream.write(frame.as_bytes(), &mut out), Progress::Ended);
    assert!(out.ends_with(b"\r\n0\r\n\r\n"));
    assert_eq!(stream.bytes_left(), 0);

    let frame = format!("a[\"{}\"]", "x".repeat(4096));
    for transport in ["eventsource", "htmlfile"] {
        let mut stream = receiver_named(&limited, transport);
        assert_eq!(stream.write(b"o", &mut out), Progress::GoesOn);
        assert_eq!(stream.write(frame.as_bytes(), &mut out), Progress::Ended);
    }
}

#[test]
fn a_response_that_has_ended_says_nothing_more() {
    for transport in ["xhr", "xhr_streaming", "eventsource", "htmlfile", "jsonp"] {
        let mut receiver = receiver_named(&options(), transport);
        let mut out = Vec::new();
        receiver.write(b"o", &mut out);
        receiver.end(&mut out);
        let length = out.len();
        assert_eq!(receiver.write(b"h", &mut out), Progress::Ended);
        receiver.begin(&mut out);
        receiver.end(&mut out);
        assert_eq!((out.len(), receiver.bytes_left()), (length, 0));
    }
}

#[test]
fn a_poll_without_a_frame_ends_empty() {
    let mut receiver = receiver_named(&options(), "xhr");
    assert_eq!(written(|out| receiver.begin(out)), "");
    let expected = head(
        "application/javascript; charset=UTF-8",
        &format!("{CORS}content-length: 0\r\n"),
    );
    assert_eq!(written(|out| receiver.end(out)), expected);
}

#[test]
fn a_session_that_cannot_be_had_is_refused_with_the_same_headers() {
    let receiver = receiver_named(&options(), "xhr_streaming");
    assert_eq!(receiver.transport(), Transport::XhrStreaming);
    let refused = receiver.refused(503, "the server is full; try later\n");
    assert_eq!(
        (refused.status, &refused.body[..]),
        (503, &b"the server is full; try later\n"[..])
    );
    let names: Vec<_> = refused.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "cache-control",
            "access-control-allow-origin",
            "vary",
            "content-type"
        ]
    );
}
