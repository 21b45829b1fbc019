//! A stock ticker: prices that a scheduled job publishes, and orders that a handler fills. Run it with
//!
//! ```text
//! cargo run -p tidings --example stock_ticker -- --listen 127.0.0.1:8080
//! ```
//!
//! STOMP clients connect to `ws://127.0.0.1:8080/ws`, or over TCP to the address that it prints, and log in with any name.
//! What they find, with all money in cents:
//!
//! | frame | what it does |
//! |---|---|
//! | SUBSCRIBE `/topic/price/*`, or `/topic/price/TIDE` | hears prices: `{"symbol": "TIDE", "price": 9705}` |
//! | SUBSCRIBE `/app/stocks` | gets all stocks with their last prices, once |
//! | SUBSCRIBE `/app/positions` | gets what the user has, once |
//! | SUBSCRIBE `/user/queue/position-updates` | hears what the user has after each trade, of any session |
//! | SUBSCRIBE `/user/queue/errors` | hears what was wrong with an order, and stays connected |
//! | SEND `/app/trade/TIDE` with `{"side": "buy", "shares": 3}` | buys; with `"sell"`, sells |
//!
//! The demo page of `./run` shows the same ticker: the program `tidings` contains these very files.

mod market;
mod ticker;

use std::sync::Arc;

use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{BindError, Server};

use self::market::Market;

/// A server with the market in it. Prices are published as long as the runtime lives.
pub(crate) async fn bind(config: Config) -> Result<Server, BindError> {
    let server = Server::bind(config).await?;
    let market = Market::new();
    let template = MessagingTemplate::new(server.broker());
    tokio::spawn(ticker::publish_prices(market.clone(), template));
    Ok(server.application(Arc::new(ticker::router(market))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let listen = match &*arguments {
        [] => None,
        [flag, address] if flag == "--listen" => Some(address.clone()),
        _ => return Err("usage: stock_ticker [--listen ADDR]".into()),
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
