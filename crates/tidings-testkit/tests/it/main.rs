//! The kit itself: a server in one process, in virtual time, and routers alone.

mod conversations;
mod failures;
mod links;
mod router;
mod time;
