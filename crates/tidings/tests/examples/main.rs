//! The examples, as they stand, behind real sockets.

mod chat;
mod running;
mod stock_ticker;
