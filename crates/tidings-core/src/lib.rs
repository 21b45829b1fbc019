//! The domain of Tidings: what messages, destinations, subscriptions and queues are and do. No I/O, no runtime, no
//! clock: time is an argument, in milliseconds since the Unix epoch.
//!
//! | module | what it answers |
//! |---|---|
//! | [`message`] | What is carried, and which of the sender's headers reach a subscriber? |
//! | [`destination`] | Where may a frame go? What does a pattern match? |
//! | [`subscription`] | Who hears a message on a topic? |
//! | [`application`] | Who answers what is sent to the application, and how does it send? |
//! | [`user`] | Whose are the sessions, and what do only they hear? |
//! | [`queue`] | Which one consumer gets a message of a queue, and what becomes of it? |
//! | [`security`] | Who is a session, and what may it do? |
//! | [`transaction`] | What does a session hold back until COMMIT? |
//! | [`disconnect`] | Why did a connection end, and is it worth coming back? |
//!
//! Start reading at [`destination::Destinations::classify`], then [`subscription::PatternMap`] for topics and
//! [`queue::Queue`] for queues. Everything that can grow has a limit, and every error knows its
//! [`disconnect::Reason`].

pub mod application;
pub mod destination;
pub mod disconnect;
pub mod message;
pub mod queue;
pub mod security;
pub mod subscription;
pub mod transaction;
pub mod user;
