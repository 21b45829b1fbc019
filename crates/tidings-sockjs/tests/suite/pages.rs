//! The fixed pages.

use tidings_sockjs::{Answer, Options, RequestHead, route};

use super::ask::{answer, header, options, request, sha256, status, text};

#[test]
fn the_base_greets() {
    for path in ["", "/", "?a=b", "/?a=b"] {
        let expected = Answer {
            status: 200,
            headers: vec![("content-type", "text/plain; charset=UTF-8".into())],
            body: b"Welcome to SockJS!\n".into(),
        };
        assert_eq!(
            answer(&options(), &request("GET", path)),
            expected,
            "{path}"
        );
    }
}

#[test]
fn unknown_paths_are_not_found() {
    for path in [
        "/a", "/a.html", "//", "///", "/a/a", "/a/a/", "/a/", "a", "/xhr", "/info/a",
    ] {
        assert_eq!(status(&options(), "GET", path), 404, "{path}");
        assert_eq!(status(&options(), "POST", path), 404, "{path}");
    }
}

#[test]
fn a_wrong_method_gets_those_allowed_and_nothing_else() {
    for (method, path, allowed) in [
        ("POST", "", "GET"),
        ("POST", "/info", "OPTIONS, GET"),
        ("POST", "/iframe.html", "GET"),
        ("POST", "/websocket", "GET"),
        ("POST", "/000/abcdefgh/websocket", "GET"),
        ("GET", "/000/abcdefgh/xhr", "OPTIONS, POST"),
        ("GET", "/000/abcdefgh/xhr_send", "OPTIONS, POST"),
        ("PUT", "/000/abcdefgh/xhr_streaming", "OPTIONS, POST"),
        ("POST", "/000/abcdefgh/eventsource", "GET"),
        ("POST", "/000/abcdefgh/htmlfile", "GET"),
        ("POST", "/000/abcdefgh/jsonp", "GET"),
        ("GET", "/000/abcdefgh/jsonp_send", "POST"),
    ] {
        let expected = Answer {
            status: 405,
            headers: vec![("allow", allowed.into())],
            body: b"".into(),
        };
        assert_eq!(
            answer(&options(), &request(method, path)),
            expected,
            "{path}"
        );
    }
}

#[test]
fn info_says_what_there_is() {
    for path in ["/info", "/info/", "/info?a=b"] {
        let info = answer(&options(), &request("GET", path));
        assert_eq!(info.status, 200);
        assert_eq!(
            text(&info),
            r#"{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":7}"#
        );
        assert_eq!(
            header(&info, "content-type"),
            Some("application/json; charset=UTF-8")
        );
    }
    let other = Options {
        websocket_enabled: false,
        session_cookie_needed: true,
        ..Options::default()
    };
    let info = answer(&other, &request("GET", "/info"));
    assert_eq!(
        text(&info),
        r#"{"websocket":false,"origins":["*:*"],"cookie_needed":true,"entropy":7}"#
    );
    assert_eq!(header(&info, "set-cookie"), None);
}

const IFRAMES: [&str; 6] = [
    "/iframe.html",
    "/iframe-a.html",
    "/iframe-.html",
    "/iframe-0.1.2.html",
    "/iframe-0.1.2abc-dirty.2144.html",
    "/iframe_a.html?t=1234",
];

#[test]
fn only_info_draws_entropy() {
    for (method, path, draws) in [
        ("GET", "/info", true),
        ("OPTIONS", "/info", false),
        ("GET", "", false),
        ("GET", "/iframe.html", false),
        ("GET", "/websocket", false),
        ("POST", "/0/s/xhr", false),
        ("POST", "/0/s/xhr_send", false),
    ] {
        let mut drawn = false;
        route(&options(), &request(method, path), || {
            drawn = true;
            7
        });
        assert_eq!(drawn, draws, "{method} {path}");
    }
}

#[test]
fn the_iframe_page_is_known_to_the_byte() {
    let options = Options {
        client_library_url: "@".to_owned(),
        session_cookie_needed: true,
        ..options()
    };
    let pages = IFRAMES.map(|path| answer(&options, &request("GET", path)));
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
    let page = &pages[0];
    assert_eq!(page.status, 200);
    let body = text(page).trim();
    assert_eq!(body.len(), 410);
    assert_eq!(
        sha256(body),
        "5cf5b85d09c7a66c8c143665badfd8b8274fbc9f6f8e01dda11b7a9314d856c5"
    );
    let names: Vec<_> = page.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["cache-control", "expires", "etag", "content-type"]);
    assert_eq!(
        header(page, "content-type"),
        Some("text/html; charset=UTF-8")
    );
    assert_eq!(
        header(page, "cache-control"),
        Some("public, max-age=31536000")
    );
}

#[test]
fn the_iframe_page_loads_the_library_from_the_url_given() {
    let page = answer(&options(), &request("GET", "/iframe.html"));
    assert!(text(&page).contains("  <script src=\"/sockjs.min.js\"></script>\n"));
}

#[test]
fn whoever_has_the_iframe_page_is_told_so() {
    let page = answer(&options(), &request("GET", "/iframe.html"));
    let tag = header(&page, "etag").expect("a tag").to_owned();
    let ask = |tags: &str| {
        let head = RequestHead {
            if_none_match: Some(tags),
            ..request("GET", "/iframe-1.html")
        };
        answer(&options(), &head)
    };
    for tags in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"a\", {tag}"),
        "*".to_owned(),
    ] {
        let unchanged = ask(&tags);
        assert_eq!(unchanged.status, 304, "{tags}");
        assert_eq!(header(&unchanged, "content-type"), None);
        assert_eq!(header(&unchanged, "etag"), Some(&tag[..]));
        assert!(unchanged.body.is_empty());
    }
    assert_eq!(ask("\"other\"").status, 200);
    let moved = Options {
        client_library_url: "/other.js".to_owned(),
        ..options()
    };
    let page = answer(&moved, &request("GET", "/iframe.html"));
    assert_ne!(header(&page, "etag"), Some(&tag[..]));
}

#[test]
fn what_looks_like_the_iframe_page_is_not_found() {
    for path in [
        "/iframe",
        "/iframe.htm",
        "/iframe.xml",
        "/IFRAME.HTML",
        "/IFRAME",
        "/iframe.HTML",
        "/iframe-A.html",
        "/iframe-/.html",
        "/iframe-%61.html",
        "/iframehtml",
    ] {
        assert_eq!(status(&options(), "GET", path), 404, "{path}");
    }
}

#[test]
fn without_legacy_transports_their_urls_are_not_found() {
    for path in [
        "/iframe.html",
        "/0/s/htmlfile?c=f",
        "/0/s/jsonp?c=f",
        "/0/s/jsonp_send",
    ] {
        assert_eq!(status(&Options::default(), "GET", path), 404, "{path}");
        assert_eq!(status(&Options::default(), "POST", path), 404, "{path}");
    }
}
