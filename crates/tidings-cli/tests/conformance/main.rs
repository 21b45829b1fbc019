//! The conformance suite: one test per sentence of `docs/protocol.md` and of what `docs/sockjs.md` says of
//! STOMP, sessions and limits, against the real program.
//!
//! Every test starts a server of its own on ports that the system picks, talks to it through sockets, and ends it.
//! [`peer`] is a STOMP, WebSocket and SockJS client written for this suite alone: it shares no code with the server, so that
//! a mistake cannot be made twice, and it can say what a proper client never says.

mod peer;

mod acknowledgement;
mod admin;
mod backlogs;
mod bad_input;
mod busy_workers;
mod connect;
mod connection_limit;
mod dead_letter;
mod deflate;
mod destinations;
mod disconnect;
mod errors;
mod escaping;
mod expiry;
mod framing;
mod heart_beats;
mod limits;
mod message_headers;
mod polling;
mod queues;
mod receipts;
mod reload;
mod reply_queues;
mod resets;
mod shutdown;
mod slow_consumers;
mod sockjs_binary;
mod sockjs_binding;
mod sockjs_ends;
mod sockjs_heart_beats;
mod sockjs_limits;
mod sockjs_origins;
mod sockjs_queues;
mod sockjs_requests;
mod sockjs_shutdown;
mod sockjs_slow_consumers;
mod sockjs_stomp;
mod sockjs_urls;
mod splits;
mod subscriptions;
mod tokens;
mod topics;
mod transactions;
mod user_destinations;
mod user_names;
mod versions;
mod websocket_close;
mod websocket_handshake;
mod websocket_messages;
mod workers;
