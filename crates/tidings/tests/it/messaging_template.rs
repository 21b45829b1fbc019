use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::prelude::*;
use tidings::template::TemplateError;
use tidings_core::application::{
    Broker, ReachedFuture, Recipient, ReplyError, ReplyFuture, SendError,
};

/// Writes down what it is given; ann has two sessions.
#[derive(Default)]
struct Scribe(Mutex<Vec<String>>);

impl Scribe {
    fn write(&self, to: &str, message: &Outgoing) {
        let mut lines = self.0.lock().expect("not poisoned");
        lines.push(format!("{to} {:?} {:?}", message.headers, message.body));
    }
}

impl Broker for Scribe {
    fn send(&self, destination: &str, message: Outgoing) -> Result<(), SendError> {
        if destination == "/queue/full" {
            let (reason, details) = (Reason::QueueFull, "full: wait".to_owned());
            return Err(SendError::Refused { reason, details });
        }
        self.write(destination, &message);
        Ok(())
    }

    fn send_to(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
    ) -> Result<usize, SendError> {
        self.write(&format!("{recipient:?} {path}"), &message);
        Ok(match recipient {
            Recipient::User(user) if **user == *"ann" => 2,
            Recipient::User(_) => 0,
            Recipient::Session(_) => 1,
        })
    }

    fn send_counted(
        &self,
        destination: &str,
        message: Outgoing,
    ) -> Result<ReachedFuture, SendError> {
        self.send(destination, message)?;
        Ok(Box::pin(async { 3 }))
    }

    fn sessions_of(&self, _: &str) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn users(&self, _: &str, _: usize) -> Vec<Box<str>> {
        Vec::new()
    }

    fn disconnect(&self, _: &str, _: Reason) -> bool {
        false
    }

    fn request(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
        deadline: Duration,
    ) -> ReplyFuture {
        let reached = self.send_to(recipient, path, message);
        Box::pin(async move {
            match reached? {
                0 => Err(ReplyError::NobodyReached),
                _ => Err(ReplyError::TimedOut(deadline)),
            }
        })
    }
}

#[test]
fn it_sends_to_destinations_users_and_sessions_and_says_how_many_were_reached() {
    let scribe = Arc::new(Scribe::default());
    let template = MessagingTemplate::new(scribe.clone());
    let price = Json(1.5)
        .with_header("a", "b")
        .expires_after(Duration::from_secs(2));
    template.send("/topic/prices", price).expect("taken");
    assert_eq!(
        template
            .send_to_user("ann", "/queue/x", "hello")
            .expect("taken"),
        2
    );
    assert_eq!(
        template
            .send_to_user("bob", "queue/x", "hello")
            .expect("taken"),
        0
    );
    assert_eq!(
        template
            .send_to_session("s1", "/queue/x", "hello")
            .expect("taken"),
        1
    );
    assert_eq!(
        *scribe.0.lock().expect("not poisoned"),
        [
            r#"/topic/prices {"a": "b", "expiration": "2000", "content-type": "application/json"} b"1.5""#,
            r#"User("ann") queue/x {"content-type": "text/plain;charset=utf-8"} b"hello""#,
            r#"User("bob") queue/x {"content-type": "text/plain;charset=utf-8"} b"hello""#,
            r#"Session("s1") queue/x {"content-type": "text/plain;charset=utf-8"} b"hello""#,
        ]
    );
}

#[test]
fn it_tells_what_was_not_sent() {
    let template = MessagingTemplate::new(Arc::new(Scribe::default()));
    let full = template.send("/queue/full", "x").expect_err("full");
    assert_eq!(full.to_string(), "full: wait");
    let no_json = Json(std::collections::BTreeMap::from([((1, 2), 3)]));
    let not_written = template.send_to_user("ann", "/queue/x", no_json);
    assert!(matches!(not_written, Err(TemplateError::Payload(_))));
}
