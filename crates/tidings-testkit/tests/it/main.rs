//! The kit itself: a server in one process, in virtual time, and routers alone.

mod conversations;
mod documented;
mod failures;
mod links;
mod requests;
mod router;
mod security;
mod time;
mod user_destinations;
