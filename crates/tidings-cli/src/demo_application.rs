//! The application behind the demo page: the stock ticker, in the very files of the example `stock_ticker`.

#[path = "../../tidings/examples/stock_ticker/market.rs"]
mod market;
#[path = "../../tidings/examples/stock_ticker/ticker.rs"]
mod ticker;

use std::sync::Arc;

use tidings::prelude::*;
use tidings_server::Server;
use tidings_server::config::Config;

use self::market::Market;

/// Lets the ticker answer `/app/**`, where there is a page to show it and nobody else who answers. Needs a runtime around
/// it, which publishes prices as long as it lives.
pub(crate) fn install(server: Server, config: &Config) -> Server {
    let answered = config.webhook.is_used();
    // Routes are separated by what the configuration says, and the page knows only one.
    let spoken = config.broker.separator == '/';
    if !config.http.demo || answered || !spoken {
        return server;
    }
    let market = Market::new();
    let template = MessagingTemplate::new(server.broker());
    tokio::spawn(ticker::publish_prices(market.clone(), template));
    server.application(Arc::new(ticker::router(market)))
}
