//! The back ends of `docs/webhooks.md`, as they stand there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tidings_server::config::{Webhook, WebhookRoute};

use crate::back_end::SECRET;
use crate::server::{Running, routed};

/// Ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The one block of code in this language.
fn code(language: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/webhooks.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let opening = format!("```{language}\n");
    let (_, rest) = page.split_once(&opening).expect("the page has the example");
    let (code, _) = rest.split_once("```").expect("it ends");
    code.to_owned()
}

fn trades(program: &str, arguments: &[&str], language: &str) {
    let child = Command::new(program)
        .args(arguments)
        .arg(code(language))
        .env("TIDINGS__WEBHOOK__SECRET", SECRET)
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Program(child.expect("it is installed"));
    let mut out = BufReader::new(child.0.stdout.take().expect("it is piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("it says where it listens");
    let port = line.trim().rsplit(' ').next().expect("a port").to_owned();
    let route = |pattern: &str, path: &str| WebhookRoute {
        pattern: pattern.to_owned(),
        url: format!("http://127.0.0.1:{port}/{path}"),
    };
    let server = Running::start(Webhook {
        routes: vec![
            route("trade/{symbol}", "trade"),
            route("positions", "positions"),
        ],
        events_url: Some(format!("http://127.0.0.1:{port}/events")),
        ..routed("127.0.0.1:0".parse().expect("an address"))
    });
    let mut client = server.client("ada");
    client.subscribe("p", "/user/queue/positions");
    client.subscribe("e", "/user/queue/errors");
    client.ask("trade/acme", r#"{"amount":2}"#);
    client.is_told(&[
        "subscription:p\n",
        "content-type:application/json\n",
        "\"acme\"",
        "2}",
    ]);
    client.is_told(&["RECEIPT\n"]);
    client.ask("trade/acme", "[]");
    client.is_told(&[
        "subscription:e\n",
        "code:invalid-payload\n",
        "the trade has no amount",
    ]);
    client.send("SUBSCRIBE\nid:s\ndestination:/app/positions\n\n");
    client.is_told(&["subscription:s\n", "\"acme\"", "2}"]);
    drop(client);
    assert!(!server.metrics().contains("webhook-event"));
}

#[test]
#[ignore = "needs python3"]
fn the_back_end_in_python_trades() {
    trades("python3", &["-c"], "python");
}

#[test]
#[ignore = "needs node"]
fn the_back_end_in_node_trades() {
    trades("node", &["--input-type=module", "-e"], "js");
}
