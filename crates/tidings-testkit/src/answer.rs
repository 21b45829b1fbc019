//! What handlers told the server to do.

use std::fmt;

use tidings::application::{Effect, Failure, Outgoing, Recipient, Response};

use crate::message::Message;

/// What a [`TestRouter`](crate::TestRouter) answers.
///
/// Those of its methods that look for one message panic unless there is exactly one, and then say all that there is.
pub struct Answer {
    /// In order.
    told: Vec<(To, Message)>,
    failure: Option<Failure>,
}

/// Where a message goes.
#[derive(Clone, PartialEq, Eq)]
enum To {
    Asker,
    Destination(String),
    /// A user's sessions, and what they have subscribed to behind the user prefix.
    User(String, String),
    Session(String, String),
}

impl Answer {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            told: response.effects.into_iter().map(told).collect(),
            failure: response.failure,
        }
    }

    /// The message to the subscription that asked.
    #[track_caller]
    pub fn reply(&self) -> &Message {
        self.one(&To::Asker)
    }

    /// The message to this topic or queue.
    #[track_caller]
    pub fn sent_to(&self, destination: &str) -> &Message {
        self.one(&To::Destination(destination.to_owned()))
    }

    /// The message to the sessions of a user that have subscribed to this destination behind the user prefix:
    /// `/queue/news`.
    #[track_caller]
    pub fn sent_to_user(&self, user: &str, destination: &str) -> &Message {
        self.one(&To::User(user.to_owned(), path(destination)))
    }

    /// The message to one session, named by its id, that has subscribed to this destination behind the user prefix.
    #[track_caller]
    pub fn sent_to_session(&self, session: &str, destination: &str) -> &Message {
        self.one(&To::Session(session.to_owned(), path(destination)))
    }

    /// All messages, wherever they go, in order.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.told.iter().map(|(_, message)| message)
    }

    /// Nothing is sent, and nothing has failed.
    #[track_caller]
    pub fn is_nothing(&self) {
        assert!(
            self.told.is_empty() && self.failure.is_none(),
            "awaited nothing; there came {self:?}"
        );
    }

    /// Why it failed.
    ///
    /// # Panics
    /// It did not fail.
    #[track_caller]
    pub fn failure(&self) -> &Failure {
        match &self.failure {
            Some(failure) => failure,
            None => panic!("awaited a failure; there came {self:?}"),
        }
    }

    #[track_caller]
    fn one(&self, to: &To) -> &Message {
        let mut messages = self.told.iter().filter(|(its, _)| its == to);
        match (messages.next(), messages.next()) {
            (Some((_, message)), None) => message,
            _ => panic!("awaited one message {to}; there came {self:?}"),
        }
    }
}

fn told(effect: Effect) -> (To, Message) {
    let (to, message) = match effect {
        Effect::Reply(message) => (To::Asker, message),
        Effect::Send {
            destination,
            message,
        } => (To::Destination(destination.into()), message),
        Effect::SendTo {
            recipient,
            path: its,
            message,
        } => match recipient {
            Recipient::User(user) => (To::User(user.into(), path(&its)), message),
            Recipient::Session(session) => (To::Session((*session).into(), path(&its)), message),
        },
    };
    let Outgoing { headers, body } = message;
    (to, Message { headers, body })
}

/// A destination behind the user prefix; which separator it begins with does not matter.
fn path(destination: &str) -> String {
    destination.trim_start_matches(['/', '.']).to_owned()
}

/// What happens, a line each.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.told.is_empty() && self.failure.is_none() {
            return formatter.write_str("nothing");
        }
        for (to, message) in &self.told {
            write!(formatter, "\n  {to}: {message:?}")?;
        }
        match &self.failure {
            Some(Failure { reason, details }) => {
                write!(formatter, "\n  failure {}: {details}", reason.name())
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asker => formatter.write_str("to the subscription that asked"),
            Self::Destination(destination) => write!(formatter, "to {destination}"),
            Self::User(user, path) => write!(formatter, "to the user {user} at {path}"),
            Self::Session(session, path) => write!(formatter, "to the session {session} at {path}"),
        }
    }
}
