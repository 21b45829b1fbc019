//! The sets of headers: uncached, CORS, preflights, the cookie of load balancers.

use tidings_sockjs::{Answer, Options, RequestHead};

use super::ask::{
    SESSION, answer, header, options, receive, receiver, receiver_named, request, sender,
    split_head, written,
};

const UNCACHED: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
const RECEIVERS: [&str; 5] = ["xhr", "xhr_streaming", "eventsource", "htmlfile", "jsonp"];

/// The head of the response of a receiver.
fn head_of(options: &Options, head: &RequestHead<'_>) -> String {
    let response = written(|out| receiver(options, head).end(out));
    split_head(&response).0.to_owned()
}

#[test]
fn nothing_about_a_session_is_cached() {
    for transport in RECEIVERS {
        let (path, method) = receive(transport);
        let head = head_of(&options(), &request(method, &path));
        assert!(
            head.contains(&format!("\r\ncache-control: {UNCACHED}\r\n")),
            "{head}"
        );
    }
    let info = answer(&options(), &request("GET", "/info"));
    let mut answers = vec![info, receiver_named(&options(), "xhr").refused(503, "full")];
    for transport in ["xhr_send", "jsonp_send"] {
        let sender = sender(&options(), transport);
        answers.extend([
            sender.accepted(),
            sender.unknown_session(),
            sender.too_large(3),
        ]);
    }
    for answer in answers {
        assert_eq!(header(&answer, "cache-control"), Some(UNCACHED));
        assert_eq!(header(&answer, "expires"), None);
        assert_eq!(header(&answer, "last-modified"), None);
    }
}

#[test]
fn scripts_of_any_origin_may_read() {
    for origin in ["http://example.com", "null", "https://a.b:8443"] {
        let info = answer(
            &options(),
            &RequestHead {
                origin: Some(origin),
                ..request("GET", "/info")
            },
        );
        assert_eq!(header(&info, "access-control-allow-origin"), Some(origin));
        assert_eq!(
            header(&info, "access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(header(&info, "vary"), Some("Origin"));
        for transport in ["xhr", "xhr_streaming", "eventsource"] {
            let (path, method) = receive(transport);
            let head = head_of(
                &options(),
                &RequestHead {
                    origin: Some(origin),
                    ..request(method, &path)
                },
            );
            let cors = format!(
                "\r\naccess-control-allow-origin: {origin}\r\naccess-control-allow-credentials: true\r\nvary: Origin\r\n"
            );
            assert!(head.contains(&cors), "{head}");
        }
    }
}

#[test]
fn without_an_origin_everybody_may_read_but_nobody_by_credentials() {
    let info = answer(&options(), &request("GET", "/info"));
    assert_eq!(header(&info, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&info, "access-control-allow-credentials"), None);
    let sent = sender(&options(), "xhr_send").accepted();
    assert_eq!(header(&sent, "access-control-allow-origin"), Some("*"));
}

#[test]
fn scripts_of_other_origins_may_not_read_what_is_not_for_them() {
    for transport in ["htmlfile", "jsonp"] {
        let (path, method) = receive(transport);
        let head = head_of(&options(), &request(method, &path));
        assert!(!head.contains("access-control"), "{head}");
        assert!(
            head.contains("\r\nx-content-type-options: nosniff\r\n"),
            "{head}"
        );
    }
}

#[test]
fn headers_asked_for_are_allowed() {
    let allowed = |names| {
        let info = answer(
            &options(),
            &RequestHead {
                access_control_request_headers: names,
                ..request("GET", "/info")
            },
        );
        header(&info, "access-control-allow-headers").map(str::to_owned)
    };
    assert_eq!(allowed(Some("a, b, c")).as_deref(), Some("a, b, c"));
    assert_eq!(allowed(Some("")), None);
    assert_eq!(allowed(None), None);
}

#[test]
fn preflights_are_allowed_for_a_year() {
    for (path, methods) in [
        ("/info".to_owned(), "OPTIONS, GET"),
        (format!("{SESSION}/xhr"), "OPTIONS, POST"),
        (format!("{SESSION}/xhr_send"), "OPTIONS, POST"),
        (format!("{SESSION}/xhr_streaming"), "OPTIONS, POST"),
    ] {
        let head = RequestHead {
            origin: Some("null"),
            access_control_request_headers: Some("x-a"),
            ..request("OPTIONS", &path)
        };
        let expected = Answer {
            status: 204,
            headers: vec![
                ("cache-control", "public, max-age=31536000".into()),
                ("expires", "Thu, 31 Dec 2099 23:59:59 GMT".into()),
                ("access-control-allow-methods", methods.into()),
                ("access-control-max-age", "31536000".into()),
                ("access-control-allow-origin", "null".into()),
                ("access-control-allow-credentials", "true".into()),
                ("vary", "Origin".into()),
                ("access-control-allow-headers", "x-a".into()),
            ],
            body: b"".into(),
        };
        assert_eq!(answer(&options(), &head), expected);
    }
}

#[test]
fn the_cookie_of_balancers_is_set_where_it_is_needed() {
    let needed = Options {
        session_cookie_needed: true,
        ..options()
    };
    for (cookie, value) in [
        (None, "dummy"),
        (Some("JSESSIONID=abcdef"), "abcdef"),
        (Some("a=b; JSESSIONID=abc=d;c=d"), "abc=d"),
        (Some("JSESSIONID="), "dummy"),
        (Some("XJSESSIONID=a"), "dummy"),
    ] {
        let set = format!("\r\nset-cookie: JSESSIONID={value}; path=/\r\n");
        for transport in RECEIVERS {
            let (path, method) = receive(transport);
            let head = RequestHead {
                cookie,
                ..request(method, &path)
            };
            assert!(head_of(&needed, &head).contains(&set));
            assert!(!head_of(&options(), &head).contains("set-cookie"));
        }
    }
    for transport in ["xhr_send", "jsonp_send"] {
        let accepted = sender(&needed, transport).accepted();
        assert_eq!(
            header(&accepted, "set-cookie"),
            Some("JSESSIONID=dummy; path=/")
        );
    }
    for path in ["", "/iframe.html", "/info"] {
        assert_eq!(
            header(&answer(&needed, &request("GET", path)), "set-cookie"),
            None
        );
    }
}

#[test]
fn values_that_would_break_the_head_are_left_out() {
    let needed = Options {
        session_cookie_needed: true,
        ..options()
    };
    let long = "a".repeat(1025);
    for bad in [
        "a\r\nset-cookie: b",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x7fb",
        "a\x1bb",
        &long,
    ] {
        let cookie = format!("JSESSIONID={bad}");
        let (path, method) = receive("xhr");
        let request = RequestHead {
            origin: Some(bad),
            access_control_request_headers: Some(bad),
            cookie: Some(&cookie),
            ..request(method, &path)
        };
        let mut receiver = receiver(&needed, &request);
        receiver.set_cookie(bad.to_owned() + "\n");
        receiver.set_date(bad.to_owned() + "\n");
        let response = written(|out| receiver.end(out));
        assert_eq!(
            split_head(&response).0,
            format!(
                "HTTP/1.1 200 OK\r\n\
                 content-type: application/javascript; charset=UTF-8\r\n\
                 cache-control: {UNCACHED}\r\n\
                 access-control-allow-origin: *\r\n\
                 vary: Origin\r\n\
                 set-cookie: JSESSIONID=dummy; path=/\r\n\
                 x-content-type-options: nosniff\r\n\
                 content-length: 0"
            ),
            "{bad:?}"
        );
    }
}
