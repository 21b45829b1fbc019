//! Requests of the application to clients, until one of them replies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;
use tidings_core::application::{Outgoing, Recipient, Reply, ReplyError};
use tidings_core::destination::reply_queue;
use tidings_core::message::Message;
use tokio::sync::oneshot;

use crate::node::{Node, lock, random_name};
use crate::outbound;

/// Where clients reply to, and who waits for that.
#[derive(Default)]
pub(crate) struct Replies {
    waiting: Mutex<HashMap<Box<str>, Waiting>>,
}

struct Waiting {
    /// Who may reply.
    asked: SmallVec<[Arc<str>; 1]>,
    reply: oneshot::Sender<Reply>,
}

impl Replies {
    /// Takes what `session` has sent to the reply queue `name`; false where nobody waits for it.
    pub(crate) fn take(&self, name: &str, session: Option<&Arc<str>>, message: &Message) -> bool {
        let Some(session) = session else {
            return false;
        };
        let mut all = lock(&self.waiting);
        let is_asked = all
            .get(name)
            .is_some_and(|waiting| waiting.asked.contains(session));
        if !is_asked {
            return false;
        }
        let reply = Reply {
            session: Arc::clone(session),
            headers: message.headers.clone(),
            body: message.body.clone(),
        };
        all.remove(name)
            .is_some_and(|waiting| waiting.reply.send(reply).is_ok())
    }
}

/// A request that has been sent.
pub(crate) struct Pending {
    node: Arc<Node>,
    name: Box<str>,
    reply: oneshot::Receiver<Reply>,
}

impl Pending {
    /// Sends a request.
    pub(crate) fn begin(
        node: &Arc<Node>,
        recipient: &Recipient,
        path: &str,
        mut message: Outgoing,
    ) -> Result<Self, ReplyError> {
        let name: Box<str> = reply_queue(&random_name()).into();
        let kept = message
            .headers
            .iter()
            .filter(|(name, _)| *name != "reply-to");
        message.headers = kept.collect();
        message.headers.push("reply-to", &name);
        let messages = outbound::to_sessions(node, recipient, path, message)?;
        let sessions = outbound::sessions(node, recipient);
        let limit = node.config.application.max_pending_replies;
        let (sender, reply) = oneshot::channel();
        {
            let mut all = lock(&node.replies.waiting);
            if all.len() >= limit {
                return Err(ReplyError::TooMany(limit));
            }
            let asked = sessions.into_iter().collect();
            let waiting = Waiting {
                asked,
                reply: sender,
            };
            all.insert(name.clone(), waiting);
        }
        let pending = Self {
            node: Arc::clone(node),
            name,
            reply,
        };
        let mut reached = false;
        for message in messages {
            reached |= node.publish(message)?;
        }
        if reached {
            Ok(pending)
        } else {
            Err(ReplyError::NobodyReached)
        }
    }

    /// Waits for the reply.
    pub(crate) async fn reply(mut self, deadline: Duration) -> Result<Reply, ReplyError> {
        match tokio::time::timeout(deadline, &mut self.reply).await {
            Ok(Ok(reply)) => Ok(reply),
            _ => Err(ReplyError::TimedOut(deadline)),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        lock(&self.node.replies.waiting).remove(&self.name);
    }
}
