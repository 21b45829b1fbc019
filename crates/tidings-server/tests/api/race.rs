//! A revocation that comes while a client does.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use tidings_core::security::{
    AuthenticateFuture, Authenticator, Credential, Credentials, Principal,
};
use tokio::sync::Notify;

use crate::server::{Place, Running, comer, config};

/// Finds out at once, and answers late.
struct Late {
    asked: mpsc::Sender<()>,
    go: Arc<Notify>,
}

impl Authenticator for Late {
    fn authenticate(&self, _: Credentials) -> AuthenticateFuture {
        self.asked.send(()).expect("the test waits");
        let go = Arc::clone(&self.go);
        let principal = Principal::user("ada").with_token_id("lost");
        Box::pin(async move {
            go.notified().await;
            Ok(principal)
        })
    }
}

const REVOKE: &str = r#"{"token_id": "lost"}"#;

#[test]
fn who_is_on_the_way_in_does_not_slip_through() {
    let (asked, is_asked) = mpsc::channel();
    let go = Arc::new(Notify::new());
    let authenticator = Late {
        asked,
        go: Arc::clone(&go),
    };
    let mut config = config(Place::BeneathHttp);
    config.security.rules = vec!["allow any".to_owned()];
    let server = Running::start_with(config, |server| server.authenticator(authenticator));
    let mut client = comer(server.tcp, "Authorization:Bearer x\n");
    is_asked.recv().expect("it is asked");
    let (status, answer) = server.ask("POST", "/api/v1/revocations", Some(REVOKE));
    assert_eq!((status, &answer["disconnected"]), (200, &0.into()));
    go.notify_one();
    client.is_told(&["ERROR\n", "code:revoked\n"]);
    client.has_ended();
}

/// Whose token is called as what it shows.
struct Named;

impl Authenticator for Named {
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        let id = match credentials.credential {
            Credential::Token { token, .. } => token,
            _ => "none".into(),
        };
        let principal = Principal::user("ada").with_token_id(id);
        Box::pin(async move { Ok(principal) })
    }
}

#[test]
fn of_a_revocation_and_a_client_at_the_same_time_the_revocation_wins() {
    let mut config = config(Place::BeneathHttp);
    config.security.rules = vec!["allow any".to_owned()];
    let server = Running::start_with(config, |server| server.authenticator(Named));
    let tcp = server.tcp;
    for round in 0..300 {
        let start = Barrier::new(2);
        let mut client = thread::scope(|scope| {
            let client = scope.spawn(|| {
                start.wait();
                comer(tcp, &format!("Authorization:Bearer t{round}\n"))
            });
            start.wait();
            let body = format!(r#"{{"token_id": "t{round}"}}"#);
            let (status, _) = server.ask("POST", "/api/v1/revocations", Some(&body));
            assert_eq!(status, 200);
            client.join().expect("it connects")
        });
        // Refused, or let in and told to go.
        let first = client.frame();
        if first.starts_with("CONNECTED\n") {
            client.is_told(&["ERROR\n", "code:revoked\n"]);
        } else {
            assert!(first.contains("code:revoked\n"), "{first}");
        }
        client.has_ended();
    }
}
