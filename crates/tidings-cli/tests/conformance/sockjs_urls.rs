//! What is where beneath the endpoint, and what the configuration turns off and on.

use std::time::Instant;

use crate::peer::{Http, PATIENCE, Peer, Server, Version, WebSocket, fresh_url};

#[test]
fn the_greeting_and_what_is_offered() {
    let server = Server::start();
    let mut http = server.http();
    for path in ["/ws", "/ws/"] {
        let answer = http.get(path, &[]);
        assert_eq!(
            (answer.status, &*answer.text()),
            (200, "Welcome to SockJS!\n")
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
    let info = http.get("/ws/info", &[]);
    assert_eq!(info.status, 200);
    let text = info.text();
    for member in [
        "\"websocket\":true",
        "\"cookie_needed\":false",
        "\"origins\":[\"*:*\"]",
    ] {
        assert!(text.contains(member), "{text}");
    }
}

#[test]
fn with_the_headers_of_a_handshake_the_base_is_the_plain_endpoint() {
    let server = Server::start();
    let mut plain = server.websocket_session();
    plain.expect_nothing();
    let lame = server.http().get("/ws", &[("Upgrade", "websocket")]);
    assert_eq!(lame.status, 400);
}

#[test]
fn the_raw_websocket_is_stomp_as_it_is() {
    let server = Server::start();
    let websocket = WebSocket::open_at(server.http, "/ws/websocket", &[]);
    let mut peer = Peer::over_websocket(websocket.expect("it opens"));
    peer.connect(Version::V12);
    peer.done("DISCONNECT", &[], b"");
    assert_eq!(peer.expect_end(), Some(1000));
    let refused = server.http().get("/ws/websocket", &[]);
    assert_eq!(refused.status, 400, "no handshake");
}

#[test]
fn a_websocket_url_without_a_handshake_is_refused() {
    let server = Server::start();
    let mut http = server.http();
    let path = fresh_url() + "/websocket";
    assert_eq!(http.get(&path, &[]).status, 400);
    let posted = http.post(&path, &[], "");
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET")));
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "8"),
    ];
    assert_eq!(server.http().get(&path, &headers).status, 426);
}

#[test]
fn unknown_urls_are_not_found_and_wrong_methods_not_allowed() {
    let server = Server::start();
    let mut http = server.http();
    for path in [
        "/ws/a",
        "/ws/a/b",
        "/ws/a/b/c",
        "/ws//b/xhr",
        "/ws/a./b/xhr",
        "/ws/a/b/xhr/c",
    ] {
        assert_eq!(http.post(path, &[], "").status, 404, "{path}");
    }
    for (method, last, allow) in [
        ("GET", "xhr", "OPTIONS, POST"),
        ("GET", "xhr_send", "OPTIONS, POST"),
        ("POST", "eventsource", "GET"),
    ] {
        let answer = http.ask(method, &format!("{}/{last}", fresh_url()), &[], b"");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some(allow)),
            "{last}"
        );
    }
    let unknown = http.post(&(fresh_url() + "/xhr_send"), &[], "[]");
    assert_eq!(unknown.status, 404, "nobody has opened it");
}

fn legacy(http: &mut Http) -> Vec<u16> {
    let url = fresh_url();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let mut statuses = vec![
        http.get("/ws/iframe.html", &[]).status,
        http.get("/ws/iframe-1.6.1.html", &[]).status,
        http.get(&format!("{url}/jsonp?c=x"), &[]).status,
        http.post(&format!("{url}/jsonp_send"), &form, "d=%5B%5D")
            .status,
    ];
    let path = format!("{}/htmlfile?c=x", fresh_url());
    http.send("GET", &path, &[], b"").expect("it is written");
    let deadline = Instant::now() + PATIENCE;
    let head = http.read_head(deadline).expect("it is answered");
    statuses.push(head.status);
    statuses
}

#[test]
fn the_legacy_transports_are_off_unless_they_are_asked_for() {
    let server = Server::start();
    assert_eq!(legacy(&mut server.http()), [404; 5]);
    let server = Server::configured("[sockjs]\nlegacy_transports = true\n");
    assert_eq!(legacy(&mut server.http()), [200; 5]);
}

#[test]
fn without_sockjs_the_plain_endpoint_is_all_there_is() {
    let server = Server::configured("[sockjs]\nenabled = false\n");
    server.websocket_session().expect_nothing();
    let mut http = server.http();
    for path in ["/ws/", "/ws/info", "/ws/websocket", "/ws/sockjs.min.js"] {
        assert_eq!(http.get(path, &[]).status, 404, "{path}");
    }
    assert_eq!(http.post(&(fresh_url() + "/xhr"), &[], "").status, 404);
    assert_eq!(
        http.get("/ws", &[]).status,
        400,
        "no handshake, and no greeting"
    );
    for path in [fresh_url() + "/websocket", "/ws/websocket".into()] {
        let refusal = WebSocket::open_at(server.http, &path, &[]);
        assert_eq!(refusal.expect_err("it is refused").status, 404);
    }
}

#[test]
fn without_its_websocket_the_plain_endpoint_stays_and_info_says_so() {
    let server = Server::configured("[sockjs]\nwebsocket_enabled = false\n");
    server.websocket_session().expect_nothing();
    let mut http = server.http();
    assert!(
        http.get("/ws/info", &[])
            .text()
            .contains("\"websocket\":false")
    );
    for path in [fresh_url() + "/websocket", "/ws/websocket".into()] {
        let refusal = WebSocket::open_at(server.http, &path, &[]);
        assert_eq!(refusal.expect_err("it is refused").status, 404);
    }
    assert_eq!(http.post(&(fresh_url() + "/xhr"), &[], "").status, 200);
}

#[test]
fn the_servers_own_copy_of_the_client_is_there() {
    let server = Server::start();
    let mut http = server.http();
    let script = http.get("/ws/sockjs.min.js", &[]);
    if http.get("/", &[]).text().contains("npm run build") {
        // This build has no front end, and with it no copy.
        assert_eq!(script.status, 404);
        assert!(script.text().contains("client_library_url"));
        return;
    }
    assert_eq!(script.status, 200);
    let kind = script.header("content-type");
    assert_eq!(kind, Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    assert!(
        script.text().contains("sockjs-client v"),
        "it names its version"
    );
    assert_eq!(http.post("/ws/sockjs.min.js", &[], "").status, 405);
}

#[test]
fn the_iframe_page_loads_the_script_that_the_configuration_names() {
    let own = Server::configured("[sockjs]\nlegacy_transports = true\n");
    let page = own.http().get("/ws/iframe.html", &[]).text();
    assert!(
        page.contains("<script src=\"/ws/sockjs.min.js\"></script>"),
        "{page}"
    );
    let other = "https://cdn.example/sockjs-1.6.1.min.js?v=1";
    let server = Server::configured(&format!(
        "[sockjs]\nlegacy_transports = true\nclient_library_url = \"{other}\"\n"
    ));
    let page = server.http().get("/ws/iframe.html", &[]).text();
    assert!(
        page.contains(&format!("<script src=\"{other}\"></script>")),
        "{page}"
    );
}

#[test]
fn the_path_follows_the_configuration() {
    let server = Server::configured("[websocket]\npath = \"/deep/base\"\n");
    let mut http = server.http();
    assert_eq!(http.get("/deep/base/info?t=1", &[]).status, 200);
    assert_eq!(http.post("/deep/base/0/one/xhr?t=1", &[], "").text(), "o\n");
    assert_eq!(http.get("/ws/info", &[]).status, 404);
}
