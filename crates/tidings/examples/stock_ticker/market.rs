//! A market of companies that do not exist: prices that wander, and what each trader holds. All money is in cents.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// What everybody begins with.
const CASH: u64 = 1_000_000;
/// Prices that each stock keeps.
const MAX_PRICES: usize = 40;
/// Shares of one stock that somebody may hold.
const MAX_SHARES: u64 = 1_000_000;
/// Who trades; others are told that the market is full.
const MAX_TRADERS: usize = 1_000;
const LEAST_PRICE: i64 = 100;
const HIGHEST_PRICE: i64 = 100_000;
/// The same for each start, and any number but 0.
const SEED: u64 = 0x5eed_0f71_d165;

const COMPANIES: [(&str, &str, u64); 8] = [
    ("ANVL", "Anvil Works", 8_420),
    ("BREW", "Brewers United", 3_175),
    ("CLAY", "Clay & Co", 1_240),
    ("DOCK", "Dockside", 15_690),
    ("FERN", "Fern Pharmacy", 5_815),
    ("KITE", "Kite Aviation", 20_350),
    ("LOOM", "Loom Textiles", 2_460),
    ("TIDE", "Tidal Power", 9_705),
];

/// Cheap to clone; all clones are the same market.
#[derive(Clone)]
pub(crate) struct Market(Arc<Mutex<Books>>);

struct Books {
    stocks: Vec<Stock>,
    accounts: HashMap<String, Account>,
    dice: Dice,
}

#[derive(Clone, Serialize)]
pub(crate) struct Stock {
    symbol: &'static str,
    name: &'static str,
    /// The newest last; never empty.
    prices: VecDeque<u64>,
}

#[derive(Clone, Serialize)]
pub(crate) struct Price {
    pub(crate) symbol: &'static str,
    pub(crate) price: u64,
}

/// What somebody has.
#[derive(Clone, Serialize)]
pub(crate) struct Account {
    /// How many trades led to it: of two accounts that cross on their way, the one with more trades is the newer.
    trades: u64,
    cash: u64,
    positions: BTreeMap<&'static str, Position>,
}

#[derive(Clone, Default, Serialize)]
pub(crate) struct Position {
    shares: u64,
    /// What was paid for these shares.
    paid: u64,
}

#[derive(Clone, Copy)]
pub(crate) enum Trade {
    Buy(u64),
    Sell(u64),
}

/// Why nothing was traded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TradeError {
    UnknownSymbol,
    NoFunds { cost: u64, cash: u64 },
    TooFewShares { held: u64 },
    TooManyShares,
    TooManyTraders,
}

impl Market {
    /// Open for a while already, so that there are prices to draw.
    pub(crate) fn new() -> Self {
        let mut dice = Dice(SEED);
        let stocks = COMPANIES.map(|(symbol, name, price)| {
            let mut stock = Stock {
                symbol,
                name,
                prices: VecDeque::from([price]),
            };
            while stock.prices.len() < MAX_PRICES {
                stock.wander(price, &mut dice);
            }
            stock
        });
        Self(Arc::new(Mutex::new(Books {
            stocks: stocks.into(),
            accounts: HashMap::new(),
            dice,
        })))
    }

    pub(crate) fn stocks(&self) -> Vec<Stock> {
        self.books().stocks.clone()
    }

    pub(crate) fn account(&self, user: &str) -> Account {
        let account = self.books().accounts.get(user).cloned();
        account.unwrap_or_default()
    }

    /// Lets the price of one stock wander.
    pub(crate) fn tick(&self) -> Price {
        let books = &mut *self.books();
        let which = books.dice.below(COMPANIES.len() as u64) as usize;
        let stock = &mut books.stocks[which];
        stock.wander(COMPANIES[which].2, &mut books.dice);
        Price {
            symbol: stock.symbol,
            price: stock.price(),
        }
    }

    /// Trades at the price of the moment.
    pub(crate) fn trade(
        &self,
        user: &str,
        symbol: &str,
        trade: Trade,
    ) -> Result<Account, TradeError> {
        let books = &mut *self.books();
        let mut stocks = books.stocks.iter();
        let stock = stocks.find(|stock| stock.symbol == symbol);
        let stock = stock.ok_or(TradeError::UnknownSymbol)?;
        if books.accounts.len() == MAX_TRADERS && !books.accounts.contains_key(user) {
            return Err(TradeError::TooManyTraders);
        }
        let account = books.accounts.get(user).cloned();
        let mut account = account.unwrap_or_default();
        match trade {
            Trade::Buy(shares) => account.buy(stock, shares)?,
            Trade::Sell(shares) => account.sell(stock, shares)?,
        }
        account.trades += 1;
        // Only now: who cannot trade takes no place in the market.
        books.accounts.insert(user.to_owned(), account.clone());
        Ok(account)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    fn price(&self) -> u64 {
        self.prices.back().copied().unwrap_or_default()
    }

    /// At most 1 % up or down, and a little home to where it began, so that nobody gets rich by waiting.
    fn wander(&mut self, home: u64, dice: &mut Dice) {
        let (price, home) = (self.price() as i64, home as i64);
        let step = price * (dice.below(201) as i64 - 100) / 10_000;
        let price = price + step + (home - price) / 50;
        if self.prices.len() == MAX_PRICES {
            self.prices.pop_front();
        }
        let price = price.clamp(LEAST_PRICE, HIGHEST_PRICE);
        self.prices.push_back(price as u64);
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            trades: 0,
            cash: CASH,
            positions: BTreeMap::new(),
        }
    }
}

impl Account {
    fn held(&self, stock: &Stock) -> Position {
        let position = self.positions.get(stock.symbol).cloned();
        position.unwrap_or_default()
    }

    fn buy(&mut self, stock: &Stock, shares: u64) -> Result<(), TradeError> {
        let mut position = self.held(stock);
        if position.shares + shares > MAX_SHARES {
            return Err(TradeError::TooManyShares);
        }
        let (cost, cash) = (stock.price() * shares, self.cash);
        let left = cash.checked_sub(cost);
        self.cash = left.ok_or(TradeError::NoFunds { cost, cash })?;
        position.shares += shares;
        position.paid += cost;
        self.positions.insert(stock.symbol, position);
        Ok(())
    }

    fn sell(&mut self, stock: &Stock, shares: u64) -> Result<(), TradeError> {
        let mut position = self.held(stock);
        let held = position.shares;
        let left = held.checked_sub(shares);
        position.shares = left.ok_or(TradeError::TooFewShares { held })?;
        if position.shares == 0 {
            self.positions.remove(stock.symbol);
        } else {
            position.paid -= position.paid * shares / held;
            self.positions.insert(stock.symbol, position);
        }
        self.cash += stock.price() * shares;
        Ok(())
    }
}

/// Numbers that look like chance: xorshift64, by G. Marsaglia, Xorshift RNGs, 2003.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_trades_takes_a_place() {
        let market = Market::new();
        let trade = |user: &str, trade| market.trade(user, "TIDE", trade).map(drop);
        for number in 0..=MAX_TRADERS {
            let error = TradeError::TooFewShares { held: 0 };
            assert_eq!(trade(&format!("x{number}"), Trade::Sell(1)), Err(error));
        }
        for number in 0..MAX_TRADERS {
            assert_eq!(trade(&format!("y{number}"), Trade::Buy(1)), Ok(()));
        }
        assert_eq!(
            trade("late", Trade::Buy(1)),
            Err(TradeError::TooManyTraders)
        );
        assert_eq!(trade("y0", Trade::Sell(1)), Ok(()));
    }
}
