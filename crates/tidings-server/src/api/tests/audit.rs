//! What the audit log is told of.

use super::*;

#[test]
fn the_audit_log_is_told_who_did_what_and_who_was_refused() {
    let routes = Routes::new(|config| {
        let reader = ApiKey::new("reader read reader-reader-reader");
        config.api.keys.push(reader.expect("a key"));
    });
    let with_key = |key: &str, method: Method, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("{API_PATH}{path}"))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"));
        let body = r#"{"user":"ada","destination":"/topic/a"}"#;
        routes.ask(request, body).status.as_u16()
    };
    let events = || {
        let kinds = ["administered", "revoked", "denied", "authentication-failed"];
        let text = routes.node.telemetry.render();
        kinds.map(|kind| {
            let start = format!("tidings_audit_events_total{{event=\"{kind}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&*start));
            line.map_or(0, |count| count.parse().expect("a number"))
        })
    };
    assert_eq!(with_key(KEY, Method::GET, "/users"), 200);
    assert_eq!(events(), [0, 0, 0, 0]);
    assert_eq!(with_key(KEY, Method::DELETE, "/users/ada/sessions"), 200);
    assert_eq!(with_key(KEY, Method::DELETE, "/revocations/users/ada"), 200);
    assert_eq!(with_key(KEY, Method::DELETE, "/sessions/none"), 404);
    assert_eq!(events(), [2, 0, 0, 0]);
    let request = post("/revocations");
    assert_eq!(
        routes.ask(request, r#"{"user":"ada"}"#).status.as_u16(),
        200
    );
    assert_eq!(events(), [2, 1, 0, 0]);
    let reader = "reader-reader-reader";
    assert_eq!(with_key(reader, Method::DELETE, "/users/ada/sessions"), 403);
    assert_eq!(with_key(reader, Method::POST, "/messages"), 403);
    assert_eq!(events(), [2, 1, 2, 0]);
    assert_eq!(with_key("no-such-key-at-all", Method::GET, "/users"), 401);
    assert_eq!(events(), [2, 1, 2, 1]);
}
