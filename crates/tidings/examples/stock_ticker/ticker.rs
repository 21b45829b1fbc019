//! What clients of the market find: prices as they change, and a counter for trades. The frames are in `main.rs`.

use std::time::Duration;

use serde::Deserialize;
use tidings::prelude::*;
use tokio::time::{MissedTickBehavior, interval};

use super::market::{Account, Market, Stock, Trade, TradeError};

/// How often a price changes.
const TICK: Duration = Duration::from_millis(500);
/// Shares that one order may be about.
const MAX_ORDER: u64 = 10_000;

#[derive(Deserialize)]
struct Order {
    side: Side,
    shares: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Buy,
    Sell,
}

impl Validate for Order {
    type Error = String;

    fn validate(&self) -> Result<(), String> {
        match self.shares {
            1..=MAX_ORDER => Ok(()),
            shares => Err(format!("shares is {shares}: order 1 to {MAX_ORDER}")),
        }
    }
}

/// The handlers. Prices come from [`publish_prices`].
pub(crate) fn router(market: Market) -> Router {
    Router::new()
        .message("trade/{symbol}", trade)
        .subscribe("positions", positions)
        .subscribe("stocks", stocks)
        .with_state(market)
}

/// All sessions of the user learn what became of the account, the sender's among them.
async fn trade(
    State(market): State<Market>,
    User(user): User,
    Path(symbol): Path<String>,
    Valid(Json(order)): Valid<Json<Order>>,
) -> Result<SendToUser<Json<Account>>, TradeError> {
    let trade = match order.side {
        Side::Buy => Trade::Buy(order.shares),
        Side::Sell => Trade::Sell(order.shares),
    };
    let account = market.trade(&user, &symbol, trade)?;
    Ok(SendToUser("/queue/position-updates", Json(account)))
}

async fn positions(State(market): State<Market>, User(user): User) -> Json<Account> {
    Json(market.account(&user))
}

async fn stocks(State(market): State<Market>) -> Json<Vec<Stock>> {
    Json(market.stocks())
}

/// An order that can't be filled is no failure of the program: only the session that sent it hears of it, in the form of
/// the failures that the framework tells there.
impl IntoReply for TradeError {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let (code, details) = match self {
            Self::UnknownSymbol => (
                "unknown-symbol",
                "nothing of that name is traded".to_owned(),
            ),
            Self::NoFunds { cost, cash } => (
                "no-funds",
                format!("that costs {}, and you have {}", money(cost), money(cash)),
            ),
            Self::TooFewShares { held: 0 } => {
                ("too-few-shares", "you hold none of these".to_owned())
            }
            Self::TooFewShares { held } => {
                ("too-few-shares", format!("you hold {held} of these only"))
            }
            Self::TooManyShares => ("too-many-shares", "nobody may hold so many".to_owned()),
            Self::TooManyTraders => ("too-many-traders", "the market is full".to_owned()),
        };
        let message = details.clone().with_header("code", code);
        let reply = SendToUser("/queue/errors", message.with_header("message", &details));
        reply.sender_only().into_reply(parts, response);
    }
}

/// Sends prices until it is dropped. Who listens to none is sent none.
pub(crate) async fn publish_prices(market: Market, template: MessagingTemplate) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let price = market.tick();
        let destination = format!("/topic/price/{}", price.symbol);
        // What a busy server does not take is old by the next tick.
        let _ = template.send(&destination, Json(price));
    }
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
