//! Client frames as typed requests, checked by the rules of the version.

use thiserror::Error;

use crate::frame::{Command, Frame};
use crate::version::Version;

/// What a client asks for; borrows from its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// SEND: the message is the frame itself.
    Send {
        /// Where to.
        destination: &'a str,
        /// The transaction that it waits for.
        transaction: Option<&'a str>,
    },
    /// SUBSCRIBE.
    Subscribe {
        /// Names the subscription within its connection; `None` only in 1.0.
        id: Option<&'a str>,
        /// What to hear.
        destination: &'a str,
        /// How messages are acknowledged.
        ack: AckMode,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Which subscription.
        target: SubscriptionRef<'a>,
    },
    /// ACK: the message was consumed.
    Ack {
        /// Which message.
        target: AckTarget<'a>,
        /// The transaction that it waits for.
        transaction: Option<&'a str>,
    },
    /// NACK: the message was not consumed.
    Nack {
        /// Which message.
        target: AckTarget<'a>,
        /// The transaction that it waits for.
        transaction: Option<&'a str>,
    },
    /// BEGIN.
    Begin {
        /// Names the transaction within its connection.
        transaction: &'a str,
    },
    /// COMMIT.
    Commit {
        /// An open transaction.
        transaction: &'a str,
    },
    /// ABORT.
    Abort {
        /// An open transaction.
        transaction: &'a str,
    },
    /// DISCONNECT: nothing follows.
    Disconnect,
}

/// How the messages of a subscription are acknowledged (`ack` of SUBSCRIBE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AckMode {
    /// By being sent.
    #[default]
    Auto,
    /// By an ACK for this message or a later one of the subscription.
    Client,
    /// By an ACK for this very message.
    ClientIndividual,
}

/// How UNSUBSCRIBE names its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionRef<'a> {
    /// By the `id` of SUBSCRIBE.
    Id(&'a str),
    /// By its destination; only in 1.0.
    Destination(&'a str),
}

/// How ACK and NACK name their message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckTarget<'a> {
    /// 1.2: by the `ack` header of the MESSAGE.
    Id(&'a str),
    /// 1.0 and 1.1: by its `message-id`.
    Message {
        /// The `message-id` of the MESSAGE.
        message_id: &'a str,
        /// The subscription it was sent for; `None` only in 1.0.
        subscription: Option<&'a str>,
    },
}

/// Why a frame is no request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A header is missing that the command needs.
    #[error("{command} without the header \"{name}\"; STOMP {version} requires it")]
    MissingHeader {
        /// The command of the frame.
        command: Command,
        /// The header.
        name: &'static str,
        /// The version of the connection.
        version: Version,
    },
    /// A header has a value that means nothing.
    #[error("{command} with a wrong \"{name}\"; write {expected}")]
    InvalidHeader {
        /// The command of the frame.
        command: Command,
        /// The header.
        name: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
    /// The command does not exist in this version.
    #[error("{command} does not exist in STOMP {version}; connect with a later version")]
    NotInVersion {
        /// The command of the frame.
        command: Command,
        /// The version of the connection.
        version: Version,
    },
    /// The command opens a connection, or is for servers to send.
    #[error("{command} is no request of an open connection")]
    UnexpectedCommand {
        /// The command of the frame.
        command: Command,
    },
}

impl RequestError {
    /// A short name that never changes, in kebab-case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing-header",
            Self::InvalidHeader { .. } => "invalid-header",
            Self::NotInVersion { .. } => "not-in-version",
            Self::UnexpectedCommand { .. } => "unexpected-command",
        }
    }
}

impl Frame {
    /// The frame as the request of a client that speaks `version`.
    ///
    /// `client-individual` is taken in 1.0 too, where brokers have always known it.
    ///
    /// # Errors
    ///
    /// When the command is no request in this version, or a header that it needs is missing or means nothing.
    pub fn request(&self, version: Version) -> Result<Request<'_>, RequestError> {
        let view = View {
            frame: self,
            version,
        };
        let transaction = self.header("transaction");
        Ok(match self.command {
            Command::Send => Request::Send {
                destination: view.required("destination")?,
                transaction,
            },
            Command::Subscribe => Request::Subscribe {
                id: view.required_since(Version::V1_1, "id")?,
                destination: view.required("destination")?,
                ack: view.ack_mode()?,
            },
            Command::Unsubscribe => Request::Unsubscribe {
                target: view.subscription()?,
            },
            Command::Ack => Request::Ack {
                target: view.ack_target()?,
                transaction,
            },
            Command::Nack if version == Version::V1_0 => {
                return Err(RequestError::NotInVersion {
                    command: self.command,
                    version,
                });
            }
            Command::Nack => Request::Nack {
                target: view.ack_target()?,
                transaction,
            },
            Command::Begin => Request::Begin {
                transaction: view.required("transaction")?,
            },
            Command::Commit => Request::Commit {
                transaction: view.required("transaction")?,
            },
            Command::Abort => Request::Abort {
                transaction: view.required("transaction")?,
            },
            Command::Disconnect => Request::Disconnect,
            Command::Connect
            | Command::Stomp
            | Command::Connected
            | Command::Message
            | Command::Receipt
            | Command::Error => {
                return Err(RequestError::UnexpectedCommand {
                    command: self.command,
                });
            }
        })
    }
}

struct View<'a> {
    frame: &'a Frame,
    version: Version,
}

impl<'a> View<'a> {
    fn required(&self, name: &'static str) -> Result<&'a str, RequestError> {
        let Self { frame, version } = *self;
        frame.header(name).ok_or(RequestError::MissingHeader {
            command: frame.command,
            name,
            version,
        })
    }

    fn required_since(
        &self,
        version: Version,
        name: &'static str,
    ) -> Result<Option<&'a str>, RequestError> {
        if self.version >= version {
            self.required(name).map(Some)
        } else {
            Ok(self.frame.header(name))
        }
    }

    fn ack_mode(&self) -> Result<AckMode, RequestError> {
        match self.frame.header("ack") {
            None | Some("auto") => Ok(AckMode::Auto),
            Some("client") => Ok(AckMode::Client),
            Some("client-individual") => Ok(AckMode::ClientIndividual),
            Some(_) => Err(RequestError::InvalidHeader {
                command: self.frame.command,
                name: "ack",
                expected: "auto, client or client-individual",
            }),
        }
    }

    fn subscription(&self) -> Result<SubscriptionRef<'a>, RequestError> {
        match (self.frame.header("id"), self.frame.header("destination")) {
            (None, Some(destination)) if self.version == Version::V1_0 => {
                Ok(SubscriptionRef::Destination(destination))
            }
            _ => self.required("id").map(SubscriptionRef::Id),
        }
    }

    fn ack_target(&self) -> Result<AckTarget<'a>, RequestError> {
        if self.version >= Version::V1_2 {
            return self.required("id").map(AckTarget::Id);
        }
        Ok(AckTarget::Message {
            message_id: self.required("message-id")?,
            subscription: self.required_since(Version::V1_1, "subscription")?,
        })
    }
}
