//! One route for each thing that a handler can do, named as Spring users know it. Foreign clients are tested against it
//! (`e2e/stompjs`, `e2e/spring`), and `tidings bench handler` measures its last two routes. Run it with
//!
//! ```text
//! cargo run -p tidings --example handlers_showcase -- --listen 127.0.0.1:8080
//! ```
//!
//! It reads the environment as the server does: `TIDINGS__APPLICATION__TIMEOUT=1s`. What is under `/app/`:
//!
//! | frame | Spring's name of it | what comes of it |
//! |---|---|---|
//! | SEND `a1/{market}/{symbol}` | `@MessageMapping`, `@DestinationVariable`, `@SendTo` | the trade, in `/topic/a1/{market}/{symbol}` |
//! | SEND `a3` | arguments | who asked and how, in the sender's `/user/queue/a3` |
//! | SEND `a4` with `{"shares": 3}` | `@Valid @Payload` | twice the shares, in `/topic/a4` |
//! | SEND `a5/{room}` | a return value | the text, in `/topic/a5/{room}` |
//! | SEND `a6/all`, `a6/sender` | `@SendToUser(broadcast = ...)` | a greeting, in `/user/queue/a6` |
//! | SUBSCRIBE `a7/{room}` | `@SubscribeMapping` | once, to that subscription: how often that was asked |
//! | SEND `a8` | an asynchronous result | the number, in `/topic/a8`, some after a while |
//! | SEND `a9/refuse`, `a9/panic`, `a9/hang` | exceptions | a failure; the first one is answered in `/user/queue/a9` |
//! | SEND `a10` | headers of a reply | in `/topic/a10`, with a header of its own |
//! | SEND `a11/text`, `a11/bytes` | message converters | the body, in `/topic/a11/text`, `/topic/a11/bytes` |
//! | SEND `a12` | session attributes | how often this session asked, in the sender's `/user/queue/a12` |
//! | SEND `u3` with `{"to": "bob", "text": "hello"}` | `convertAndSendToUser` | the text, in bob's `/user/queue/u3`; the sender's has how many sessions that were |
//! | SEND `echo` | | the body, in the sender's `/user/queue/echo` |
//! | SEND `echo/{topic}` | | the body, in `/topic/{topic}` |

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Clone)]
struct Showcase {
    template: MessagingTemplate,
    asked: Arc<AtomicU32>,
}

#[derive(Deserialize)]
struct Order {
    shares: u32,
}

impl Validate for Order {
    type Error = &'static str;

    fn validate(&self) -> Result<(), &'static str> {
        match self.shares {
            0 => Err("shares is 0: order one at least"),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Trade {
    market: String,
    symbol: String,
    shares: u32,
}

async fn trade(
    Path((market, symbol)): Path<(String, String)>,
    Json(Order { shares }): Json<Order>,
) -> SendTo<Json<Trade>> {
    let trade = Trade {
        market,
        symbol,
        shares,
    };
    SendTo("/topic/a1/{market}/{symbol}", Json(trade))
}

struct Priority;

impl HeaderName for Priority {
    const NAME: &'static str = "priority";
    type Value = u8;
}

#[derive(Serialize)]
struct Asked {
    user: Option<String>,
    session: String,
    destination: String,
    priority: u8,
    body: String,
}

async fn arguments(
    user: Option<User>,
    SessionId(session): SessionId,
    Destination(destination): Destination,
    Header(priority): Header<Priority>,
    body: String,
) -> impl IntoReply {
    let asked = Asked {
        user: user.map(|User(name)| name.to_string()),
        session: session.to_string(),
        destination: destination.to_string(),
        priority,
        body,
    };
    SendToUser("/queue/a3", Json(asked)).sender_only()
}

async fn valid(Valid(Json(order)): Valid<Json<Order>>) -> Json<u32> {
    Json(order.shares.saturating_mul(2))
}

async fn returned(said: String) -> String {
    said
}

async fn greet_all() -> SendToUser<&'static str> {
    SendToUser("/queue/a6", "all of you")
}

async fn greet_sender() -> impl IntoReply {
    SendToUser("/queue/a6", "you alone").sender_only()
}

async fn answered_once(State(showcase): State<Showcase>, Path(room): Path<String>) -> String {
    let times = showcase.asked.fetch_add(1, Ordering::Relaxed) + 1;
    format!("{room} {times}")
}

/// Every third number takes longer, and yet they stay in order.
async fn later(Json(number): Json<u32>) -> Json<u32> {
    if number.is_multiple_of(3) {
        tokio::task::yield_now().await;
    }
    Json(number)
}

enum Refused {
    ByRule,
}

impl IntoReply for Refused {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let details = match self {
            Self::ByRule => "refused by a rule",
        };
        let reply = SendToUser("/queue/a9", details).sender_only();
        reply.into_reply(parts, response);
    }
}

async fn refuse() -> Result<NoReply, Refused> {
    Err(Refused::ByRule)
}

async fn panic() -> NoReply {
    panic!("as it is asked to")
}

async fn hang() -> NoReply {
    std::future::pending().await
}

async fn headed(text: String) -> Headed<String> {
    text.with_header("flavour", "own")
}

async fn bytes(body: Bytes) -> Bytes {
    body
}

#[derive(Default)]
struct Times(u32);

async fn counted(times: Attribute<Times>) -> impl IntoReply {
    let times = times.with(|times| {
        times.0 += 1;
        times.0
    });
    SendToUser("/queue/a12", Json(times)).sender_only()
}

#[derive(Deserialize)]
struct Note {
    to: String,
    text: String,
}

async fn tell(
    State(showcase): State<Showcase>,
    Json(Note { to, text }): Json<Note>,
) -> Result<impl IntoReply, Failure> {
    let reached = showcase.template.send_to_user(&to, "/queue/u3", text);
    let reached = reached.map_err(|error| Failure {
        reason: Reason::ApplicationFailed,
        details: error.to_string(),
    })?;
    Ok(SendToUser("/queue/u3-reached", Json(reached)).sender_only())
}

async fn echo(body: Bytes) -> impl IntoReply {
    SendToUser("/queue/echo", body).sender_only()
}

async fn echo_to_topic(body: Bytes) -> SendTo<Bytes> {
    SendTo("/topic/{topic}", body)
}

fn router(template: MessagingTemplate) -> Router {
    Router::new()
        .message("a1/{market}/{symbol}", trade)
        .message("a3", arguments)
        .message("a4", valid)
        .message("a5/{room}", returned)
        .message("a6/all", greet_all)
        .message("a6/sender", greet_sender)
        .subscribe("a7/{room}", answered_once)
        .message("a8", later)
        .message("a9/refuse", refuse)
        .message("a9/panic", panic)
        .message("a9/hang", hang)
        .message("a10", headed)
        .message("a11/text", returned)
        .message("a11/bytes", bytes)
        .message("a12", counted)
        .message("u3", tell)
        .message("echo", echo)
        .message("echo/{topic}", echo_to_topic)
        .with_state(Showcase {
            template,
            asked: Arc::default(),
        })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(None, std::env::vars(), &overrides()?)?;
    let server = Server::bind(config).await?;
    let router = router(MessagingTemplate::new(server.broker()));
    for listener in server.listeners() {
        let serves = match listener.kind {
            ListenerKind::Http => "HTTP, WebSocket at /ws",
            ListenerKind::Tcp => "STOMP",
            ListenerKind::Admin => "admin",
            ListenerKind::Api => "API",
        };
        print(&format!("listening {} ({serves})", listener.url()));
    }
    let stop = async {
        // Without signals it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    let server = server.application(Arc::new(router));
    server.run(axum::Router::new(), stop).await?;
    Ok(())
}

fn overrides() -> Result<Overrides, &'static str> {
    const USAGE: &str = "usage: handlers_showcase [--listen ADDR] [--tcp ADDR] [--admin ADDR]";
    let mut overrides = Overrides::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let address = Some(arguments.next().ok_or(USAGE)?);
        match &*flag {
            "--listen" => overrides.listen = address,
            "--tcp" => overrides.tcp = address,
            "--admin" => overrides.admin = address,
            _ => return Err(USAGE),
        }
    }
    Ok(overrides)
}

#[expect(clippy::print_stdout, reason = "this is a program's output")]
fn print(line: &str) {
    println!("{line}");
}
