//! Listens to a topic and publishes to it. Start a server with `./run`, then
//!
//! ```text
//! cargo run -p tidings-client --example rust_client -- ws://127.0.0.1:8080/ws
//! ```
//!
//! The url may be left out, or be `tcp://127.0.0.1:61613`. Start it twice, and stop and start the server in between, to
//! see more.

use std::error::Error;
use std::io::{Write, stdout};

use tidings_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("ws://127.0.0.1:8080/ws");
    greet(url, &mut stdout()).await
}

/// Says three greetings, and writes what is heard.
pub(crate) async fn greet(url: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let client = Client::connect(url).await?;
    let mut greetings = client.subscribe("/topic/greetings").await?;

    for name in ["Ann", "Björn", "Chloë"] {
        // Without `confirmed` it would not wait for the server.
        let greeting = client.send("/topic/greetings", format!("hello, {name}"));
        greeting.content_type("text/plain").confirmed().await?;
    }
    for _ in 0..3 {
        let Some(greeting) = greetings.next().await else {
            return Err("the connection is lost for good".into());
        };
        writeln!(out, "{}: {}", greeting.destination(), greeting.text()?)?;
    }

    client.disconnect().await?;
    Ok(())
}
