//! A client of HTTP/1.1 that keeps its connection.

use tidings_server::LocalConnection;
use tidings_testkit::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

    /// Asks, without waiting for the answer.
    pub(crate) async fn post(&mut self, path: &str, body: &str) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let written = self.connection.write_all(request.as_bytes()).await;
        written.expect("the server reads");
    }

    /// Asks, and waits for the head of an answer without a body.
    pub(crate) async fn answer(&mut self, path: &str, body: &str) -> String {
        self.post(path, body).await;
        self.until("\r\n\r\n").await
    }

    /// What comes, up to this text and with it.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(place) = self.input.find(end) {
                let rest = self.input.split_off(place + end.len());
                return std::mem::replace(&mut self.input, rest);
            }
            let mut bytes = Vec::new();
            let count = self.connection.read_buf(&mut bytes).await;
            assert!(
                count.is_ok_and(|count| count > 0),
                "it ended: {}",
                self.input
            );
            self.input += &String::from_utf8_lossy(&bytes);
        }
    }
}
