//! Urls of sessions and of WebSockets.

use tidings_sockjs::{Options, Route, Transport, route};

use super::ask::{answer, options, request, status, text};

#[test]
fn the_three_parts_of_a_session_url_are_taken_as_they_are() {
    for (path, names) in [
        ("/a/a/xhr", ("a", "a")),
        ("/_/_/xhr", ("_", "_")),
        ("/1/1/xhr/", ("1", "1")),
        (
            "/abcdefgh_i-j%20/abcdefg_i-j%20/xhr",
            ("abcdefgh_i-j%20", "abcdefg_i-j%20"),
        ),
        ("/000/a;b%2e/xhr?x=/1/2", ("000", "a;b%2e")),
    ] {
        match route(&options(), &request("POST", path), || 7) {
            Route::Receive {
                server, session, ..
            } => assert_eq!((server, session), names),
            other => panic!("{other:?} for {path}"),
        }
        let send = path.replace("/xhr", "/xhr_send");
        match route(&options(), &request("POST", &send), || 7) {
            Route::Send { session, .. } => assert_eq!(session, names.1),
            other => panic!("{other:?} for {send}"),
        }
    }
}

#[test]
fn other_paths_are_no_session() {
    for suffix in [
        "/xhr",
        "/xhr_send",
        "/websocket",
        "/eventsource",
        "/jsonp_send",
    ] {
        for base in [
            "/", "", "/a./a", "/a/a.", "/./.", "/.", "//", "///", "/a/", "//a", "/a/b/c",
        ] {
            let path = format!("{base}{suffix}");
            if path == "/websocket" {
                continue;
            }
            for method in ["GET", "POST", "OPTIONS"] {
                assert_eq!(status(&options(), method, &path), 404, "{method} {path}");
            }
        }
    }
    for path in [
        "/a/b/c",
        "/a/b/",
        "/a/b/xhr//",
        "/a/b/xhr/c",
        "/a/b/XHR",
        "/a/b/xhr.",
        "a/b/xhr",
    ] {
        assert_eq!(status(&options(), "POST", path), 404, "{path}");
    }
}

#[test]
fn names_are_short() {
    let (longest, too_long) = ("a".repeat(128), "a".repeat(129));
    assert_eq!(
        status(&options(), "POST", &format!("/{longest}/{longest}/xhr")),
        0
    );
    assert_eq!(
        status(&options(), "POST", &format!("/a/{too_long}/xhr")),
        404
    );
    assert_eq!(
        status(&options(), "POST", &format!("/{too_long}/a/xhr")),
        404
    );
}

#[test]
fn every_transport_has_its_url() {
    let transports = [
        Transport::Xhr,
        Transport::XhrStreaming,
        Transport::EventSource,
        Transport::HtmlFile,
        Transport::Jsonp,
    ];
    for transport in transports {
        let (path, method) = super::ask::receive(transport.name());
        match route(&options(), &request(method, &path), || 7) {
            Route::Receive { receiver, .. } => assert_eq!(receiver.transport(), transport),
            other => panic!("{other:?}"),
        }
    }
    let streaming = transports.map(Transport::is_streaming);
    assert_eq!(streaming, [false, true, true, true, false]);
}

#[test]
fn websockets_have_two_urls() {
    for path in ["/0/s/websocket", "/0/s/websocket/"] {
        let wanted = route(&options(), &request("GET", path), || 7);
        assert!(matches!(wanted, Route::WebSocket), "{path}");
    }
    let wanted = route(&options(), &request("GET", "/websocket"), || 7);
    assert!(matches!(wanted, Route::RawWebSocket));
    let off = Options {
        websocket_enabled: false,
        ..options()
    };
    for path in ["/0/s/websocket", "/websocket"] {
        assert_eq!(status(&off, "GET", path), 404);
        assert_eq!(status(&off, "POST", path), 404);
    }
}

#[test]
fn callbacks_are_checked() {
    for transport in ["jsonp", "htmlfile"] {
        let ask = |query: &str| request_callback(transport, query);
        for query in ["", "?", "?c", "?c=", "?callback=", "?d=x"] {
            assert_eq!(
                ask(query),
                Err((500, "\"callback\" parameter required\n".into()))
            );
        }
        let too_long = format!("?c={}", "a".repeat(33));
        for query in [
            "?c=a%20b",
            "?c=a+b",
            "?c=f(",
            "?c=%3Cb",
            "?c=a%0d",
            "?c=%ff",
            "?c=%C3%A4",
            &too_long,
        ] {
            let refused = Err((500, "invalid \"callback\" parameter\n".into()));
            assert_eq!(ask(query), refused, "{query}");
        }
        let longest = format!("?c={}", "a".repeat(32));
        for query in [
            "?c=%63allback",
            "?callback=a",
            "?x=y&c=_jp.a-Z9&callback=(",
            &longest,
        ] {
            assert_eq!(ask(query), Ok(()), "{query}");
        }
    }
}

fn request_callback(transport: &str, query: &str) -> Result<(), (u16, String)> {
    let path = format!("/0/s/{transport}{query}");
    let head = request("GET", &path);
    match route(&options(), &head, || 7) {
        Route::Receive { .. } => Ok(()),
        _ => {
            let answer = answer(&options(), &head);
            Err((answer.status, text(&answer).to_owned()))
        }
    }
}
