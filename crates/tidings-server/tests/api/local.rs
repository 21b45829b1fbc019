//! A server within the test, that takes tokens, with the API: time is that of the test.

use serde_json::Value;
use tidings_auth::issue::{Issue, issue};
use tidings_server::LocalConnection;
use tidings_server::config::{ApiKey, AuthenticatorKind, Config, Secret};
use tidings_testkit::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const KEY: &str = "0123456789abcdef";

/// What tokens are signed with.
const SECRET: &str = "a-secret-that-only-these-tests-know";

/// A day of tokens is enough for every test.
const LIFETIME: std::time::Duration = std::time::Duration::from_hours(24);

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> TestServer {
    let builder = TestServer::builder().config(|config| {
        config.api.enabled = true;
        config.api.keys = vec![ApiKey::new(KEY).expect("it is long enough")];
        config.security.authenticator = vec![AuthenticatorKind::Jwt];
        config.security.anonymous = true;
        config.security.rules = vec!["allow connect".to_owned(), "allow any".to_owned()];
        config.jwt.secret = Some(Secret(SECRET.to_owned()));
        change(config);
    });
    builder.start().await
}

/// Asks the API; gives the status and the JSON of the answer.
pub(crate) async fn ask(
    server: &TestServer,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let mut http = Http::open(server).await;
    let headers = format!(
        "authorization: Bearer {KEY}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    );
    http.request(
        method,
        &format!("/api/v1{path}"),
        &headers,
        &body.to_string(),
    )
    .await;
    let head = http.until("\r\n\r\n").await;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = serde_json::from_str(&http.rest().await);
    (status.expect("a status"), body.expect("JSON"))
}

pub(crate) async fn revoke(server: &TestServer, whom: Value) -> (u16, Value) {
    ask(server, "POST", "/revocations", &whom).await
}

/// `Bearer TOKEN`, of this user, and of this id where it has one.
pub(crate) fn bearer(user: &str, token_id: &str) -> String {
    let wanted = Issue {
        user: user.to_owned(),
        lifetime: LIFETIME,
        token_id: Some(token_id.to_owned()),
        ..Issue::default()
    };
    let token = issue(SECRET.as_bytes(), &wanted, now_ms());
    format!("Bearer {}", token.expect("the secret is long"))
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is later");
    u64::try_from(now.as_millis()).expect("not so late")
}

/// A connection of HTTP/1.1.
pub(crate) struct Http {
    connection: LocalConnection,
    input: String,
}

impl Http {
    pub(crate) async fn open(server: &TestServer) -> Self {
        let connection = server.connector().connect_http().await;
        Self {
            connection: connection.expect("the server runs"),
            input: String::new(),
        }
    }

    pub(crate) async fn request(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        let written = self.connection.write_all(request.as_bytes()).await;
        written.expect("the server reads");
    }

    /// What comes, up to this text and with it.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(place) = self.input.find(end) {
                let rest = self.input.split_off(place + end.len());
                return std::mem::replace(&mut self.input, rest);
            }
            let more = self.read().await;
            assert!(more, "it ended without {end:?}: {}", self.input);
        }
    }

    /// All that comes until the end.
    pub(crate) async fn rest(mut self) -> String {
        while self.read().await {}
        self.input
    }

    async fn read(&mut self) -> bool {
        let mut bytes = Vec::new();
        let count = self.connection.read_buf(&mut bytes).await;
        self.input += &String::from_utf8_lossy(&bytes);
        count.is_ok_and(|count| count > 0)
    }
}

/// A client of SockJS over HTTP that is connected, with this `Authorization` of CONNECT.
pub(crate) async fn sockjs(server: &TestServer, name: &str, authorization: &str) -> (Http, String) {
    let mut listener = Http::open(server).await;
    let path = format!("/ws/000/{name}");
    listener
        .request("POST", &format!("{path}/xhr_streaming"), "", "")
        .await;
    listener.until("o\n").await;
    let mut speaker = Http::open(server).await;
    let connect = format!(
        r#"["CONNECT\naccept-version:1.2\nhost:h\nAuthorization:{authorization}\n\n\u0000"]"#
    );
    speaker
        .request("POST", &format!("{path}/xhr_send"), "", &connect)
        .await;
    let head = speaker.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    let connected = listener.until("\"]\n").await;
    (listener, connected)
}
