//! A chat: a server and its handlers in one program. Run it with
//!
//! ```text
//! cargo run -p tidings --example chat -- --listen 127.0.0.1:8080
//! ```
//!
//! STOMP clients connect to `ws://127.0.0.1:8080/ws`, or over TCP to the address that it prints. What they find:
//!
//! | frame | what it does |
//! |---|---|
//! | SUBSCRIBE `/topic/rooms/tea` | hears what is said in the room `tea` |
//! | SUBSCRIBE `/app/rooms/tea` | gets what was said there, once |
//! | SEND `/app/rooms/tea` with `{"text": "hello"}` | says something there |
//! | SUBSCRIBE `/user/queue/errors` | hears what was wrong with what it sent, and stays connected |
//! | SUBSCRIBE `/topic/said` | hears each second how much was said |

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{BindError, Server};

/// Lines that a room keeps.
const MAX_LINES: usize = 50;
/// Rooms that are kept; what is said in others is heard, but not kept.
const MAX_ROOMS: usize = 1_000;

#[derive(Clone, Default)]
struct Chat {
    rooms: Arc<Mutex<HashMap<String, Vec<Line>>>>,
}

#[derive(Deserialize)]
struct Saying {
    text: String,
}

#[derive(Clone, Serialize)]
struct Line {
    from: String,
    text: String,
}

enum ChatError {
    NothingSaid,
}

impl IntoReply for ChatError {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let details = match self {
            Self::NothingSaid => "you said nothing: send a text",
        };
        let reply = SendToUser("/queue/errors", details).sender_only();
        reply.into_reply(parts, response);
    }
}

impl Chat {
    fn with_rooms<R>(&self, look: impl FnOnce(&mut HashMap<String, Vec<Line>>) -> R) -> R {
        look(&mut self.rooms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, room: String, line: Line) {
        self.with_rooms(|rooms| {
            if rooms.len() < MAX_ROOMS || rooms.contains_key(&room) {
                let lines = rooms.entry(room).or_default();
                if lines.len() == MAX_LINES {
                    lines.remove(0);
                }
                lines.push(line);
            }
        });
    }
}

/// What was sent to `/app/rooms/tea` goes to `/topic/rooms/tea`: a reply that names no destination does.
async fn say(
    State(chat): State<Chat>,
    user: Option<User>,
    Path(room): Path<String>,
    Json(Saying { text }): Json<Saying>,
) -> Result<Json<Line>, ChatError> {
    if text.trim().is_empty() {
        return Err(ChatError::NothingSaid);
    }
    let from = user.map_or("somebody".to_owned(), |User(name)| name.to_string());
    let line = Line { from, text };
    chat.keep(room, line.clone());
    Ok(Json(line))
}

/// The answer to a subscription goes to that subscription alone.
async fn said(State(chat): State<Chat>, Path(room): Path<String>) -> Json<Vec<Line>> {
    Json(chat.with_rooms(|rooms| rooms.get(&room).cloned().unwrap_or_default()))
}

/// Sends without being asked.
async fn tell_how_much(chat: Chat, template: MessagingTemplate) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        let lines: usize = chat.with_rooms(|rooms| rooms.values().map(Vec::len).sum());
        if let Err(error) = template.send("/topic/said", Json(lines)) {
            print(&format!("not sent: {error}"));
        }
    }
}

/// A server with the chat in it.
pub(crate) async fn bind(config: Config) -> Result<Server, BindError> {
    let server = Server::bind(config).await?;
    let chat = Chat::default();
    let router: Router = Router::new()
        .message("rooms/{room}", say)
        .subscribe("rooms/{room}", said)
        .with_state(chat.clone());
    let template = MessagingTemplate::new(server.broker());
    tokio::spawn(tell_how_much(chat, template));
    Ok(server.application(Arc::new(router)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let listen = match &*arguments {
        [] => None,
        [flag, address] if flag == "--listen" => Some(address.clone()),
        _ => return Err("usage: chat [--listen ADDR]".into()),
    };
    let overrides = Overrides {
        listen,
        ..Overrides::default()
    };
    let server = bind(Config::development(&overrides)?).await?;
    for listener in server.listeners() {
        print(&format!("listening {}", listener.url()));
    }
    let stop = async {
        // Without signals it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    server.run(axum::Router::new(), stop).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is a program's output")]
fn print(line: &str) {
    println!("{line}");
}
