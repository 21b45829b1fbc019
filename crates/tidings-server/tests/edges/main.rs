//! Who is let in at the edge of the server, and as whom: proxies, limits by address, origins, headers of answers.
//!
//! Clients come from loopback here, which no limit by address holds; a trusted proxy at 127.0.0.1 gives them the addresses
//! that a test needs.

mod foreign_proxies;
mod forwarded;
mod limits;
mod origins;
mod protection;
mod proxy_protocol;
mod server;
