//! Who clients are, as a program says, and what rules let them do.

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::prelude::*;
use tidings::security::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, TokenSource,
};
use tidings_testkit::{Link, TestServer, TestServerBuilder, now, run};

const RULES: [&str; 4] = [
    "allow connect if authenticated",
    "allow any /topic/staff/** if role staff",
    "allow subscribe /topic/team/{team} if claim teams contains {team}",
    "allow send /app/**",
];

async fn who(principal: Arc<Principal>, User(user): User) -> SendTo<String> {
    let answer = format!("{user} {}", principal.has_role("staff"));
    SendTo("/topic/staff/who", answer)
}

fn builder() -> TestServerBuilder {
    let router: Router = Router::new().message("who", who);
    TestServer::builder().application(router).rules(RULES)
}

/// A token is the name of its user, for the staff with a star.
fn proven(token: &str) -> Result<Principal, AuthenticationError> {
    match token.strip_suffix('*') {
        Some(name) => Ok(Principal::user(name).with_roles(["staff"])),
        None if token == "nobody" => Err(AuthenticationError::Rejected("wrong".to_owned())),
        None => Ok(Principal::user(token)),
    }
}

fn renewal(token: &str) -> Frame {
    Frame::new(Command::Send)
        .with_header("destination", "/session/token")
        .with_header("Authorization", &format!("Bearer {token}"))
}

#[test]
fn an_async_closure_is_asked_in_the_handshake_at_connect_and_at_a_renewal() {
    run(async {
        let sources = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&sources);
        let server = builder().authenticator(move |credentials: Credentials| {
            let heard = Arc::clone(&heard);
            async move {
                // An answer that takes its time, on the paused clock of `run`: nobody waits for it.
                tokio::time::sleep(Duration::from_secs(1)).await;
                let Credential::Token { token, source } = credentials.credential else {
                    return Err(AuthenticationError::Missing("send a token".to_owned()));
                };
                heard.lock().expect("no panic").push(source);
                proven(&token)
            }
        });
        let server = server.start().await;
        let dial = server.dial().over(Link::WebSocket);
        let mut ann = dial
            .http_header("Authorization", "Bearer ann*")
            .connect()
            .await;
        let mut bob = server.dial().token("bob").connect().await;
        bob.confirm(renewal("bob*")).await;
        ann.subscribe("/topic/staff/who").await;
        bob.send("/app/who", "").await;
        assert_eq!(ann.message().await.text(), "bob true");
        assert_eq!(
            server.dial().token("nobody").refused().await.code(),
            "bad-credentials"
        );
        assert_eq!(
            server.dial().login("ann").refused().await.code(),
            "unauthenticated"
        );
        let sources = sources.lock().expect("no panic").clone();
        use TokenSource::{Authorization, Connect, Renewal};
        assert_eq!(sources, [Authorization, Connect, Renewal, Connect]);
    });
}

struct Passcodes;

impl Authenticator for Passcodes {
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        Box::pin(ready(match credentials.credential {
            Credential::Login { login, passcode } if passcode.as_deref() == Some("secret") => {
                Ok(Principal::user(login))
            }
            _ => Err(AuthenticationError::Rejected("wrong passcode".to_owned())),
        }))
    }
}

#[test]
fn a_type_of_the_program_is_an_authenticator() {
    run(async {
        let server = builder().authenticator(Passcodes).start().await;
        let ann = server.dial().login("ann").header("passcode", "secret");
        ann.connect().await;
        let eve = server.dial().login("ann").header("passcode", "guess");
        assert_eq!(eve.refused().await.code(), "bad-credentials");
    });
}

/// Connects as somebody who can't be asked about, then as somebody who can.
async fn is_out_of_order(server: TestServer) {
    for link in [Link::Tcp, Link::WebSocket] {
        let refused = server.dial().over(link).token("ill").refused().await;
        assert_eq!(refused.code(), "authentication-unavailable");
    }
    let mut ann = server.dial().token("ann").connect().await;
    ann.send_frame(renewal("ill")).await;
    assert_eq!(ann.error().await.code(), "authentication-unavailable");
    server.dial().token("ann").connect().await;
    server.shutdown().await;
}

#[test]
fn an_authenticator_that_panics_costs_its_client_the_connection_and_nobody_else() {
    run(async {
        let authenticator = |credentials: Credentials| async move {
            match credentials.credential {
                Credential::Token { token, .. } if &*token == "ill" => panic!("a fault"),
                _ => Ok(Principal::user("ann")),
            }
        };
        is_out_of_order(builder().authenticator(authenticator).start().await).await;
        let at_once = |credentials: Credentials| match credentials.credential {
            Credential::Token { token, .. } if &*token == "ill" => panic!("a fault"),
            _ => ready(Ok(Principal::user("ann"))),
        };
        is_out_of_order(builder().authenticator(at_once).start().await).await;
    });
}

#[test]
fn a_panic_in_the_handshake_is_answered() {
    run(async {
        let authenticator =
            |_: Credentials| -> std::future::Ready<Result<Principal, AuthenticationError>> {
                panic!("a fault")
            };
        let server = builder().authenticator(authenticator).start().await;
        let mut http = server.connector().connect_http().await.expect("it runs");
        let request = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer a\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut http, request.as_bytes())
            .await
            .expect("written");
        let mut head = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut http, &mut head)
            .await
            .expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 503");
    });
}

#[test]
fn an_authenticator_that_never_answers_is_waited_for_as_long_as_the_configuration_says() {
    run(async {
        let authenticator = |credentials: Credentials| async move {
            match credentials.credential {
                Credential::Token { token, .. } if &*token == "ill" => pending().await,
                _ => Ok(Principal::user("ann")),
            }
        };
        let server = builder().authenticator(authenticator).config(|config| {
            config.security.authentication_timeout = Duration::from_secs(7);
        });
        let server = server.start().await;
        let began = now();
        let refused = server.dial().token("ill").refused().await;
        assert_eq!(refused.code(), "authentication-unavailable");
        assert_eq!((now() - began).as_secs(), 7);
        is_out_of_order(server).await;
    });
}

#[test]
fn a_principal_connects_by_each_link_and_rules_ask_for_its_roles_and_claims() {
    run(async {
        let server = builder().start().await;
        for link in [Link::Tcp, Link::WebSocket] {
            let ann = Principal::user("ann").with_roles(["staff"]);
            let mut ann = server.dial_as(ann).over(link).connect().await;
            ann.subscribe("/topic/staff/who").await;
            let teams = serde_json::json!(["red"]);
            let bob = Principal::user("bob").with_claim("teams", teams);
            let mut bob = server.dial_as(bob).over(link).connect().await;
            bob.subscribe("/topic/team/red").await;
            bob.send("/app/who", "").await;
            assert_eq!(ann.message().await.text(), "bob false");
            let refused = Frame::new(Command::Subscribe)
                .with_header("id", "1")
                .with_header("destination", "/topic/team/green");
            bob.send_frame(refused).await;
            assert_eq!(bob.error().await.code(), "forbidden");
        }
        let nobody = server.dial_as(Principal::anonymous());
        assert_eq!(nobody.refused().await.code(), "forbidden");
    });
}

#[test]
fn what_the_program_sends_needs_no_rule() {
    run(async {
        let server = builder().start().await;
        let mut ann = server
            .connect_as(Principal::user("ann").with_roles(["staff"]))
            .await;
        ann.subscribe("/topic/staff/who").await;
        let sent = server.template().send("/topic/staff/who", "the program");
        sent.expect("it is trusted");
        assert_eq!(ann.message().await.text(), "the program");
        // A handler's answer goes where its client, who is no staff, may not send.
        let mut bob = server.connect_as(Principal::user("bob")).await;
        bob.send("/app/who", "").await;
        assert_eq!(ann.message().await.text(), "bob false");
        bob.send("/topic/staff/who", "me too").await;
        assert_eq!(bob.error().await.code(), "forbidden");
    });
}

#[test]
fn interceptors_and_events_see_the_principal() {
    run(async {
        let (listener, mut events) = EventStream::new(16);
        let staff_only =
            async |frame: Frame, session: Arc<Session>| match session.principal().has_role("staff")
            {
                true => Ok(frame),
                false => Err(Failure {
                    reason: Reason::Forbidden,
                    details: "ask the staff".to_owned(),
                }),
            };
        let router: Router = Router::new()
            .on_event(listener)
            .interceptor([Command::Subscribe], staff_only);
        let server = TestServer::start(router).await;
        let ann = Principal::user("ann").with_roles(["staff"]);
        let mut ann = server.connect_as(ann).await;
        ann.subscribe("/topic/a").await;
        let mut bob = server.connect("bob").await;
        let subscribe = Frame::new(Command::Subscribe)
            .with_header("id", "1")
            .with_header("destination", "/topic/a");
        bob.send_frame(subscribe).await;
        assert_eq!(bob.error().await.code(), "forbidden");
        let mut connected = Vec::new();
        while connected.len() < 2 {
            if let Some(Event::Connected { session }) = events.next().await {
                connected.push((session.user.clone(), session.principal().has_role("staff")));
            }
        }
        assert_eq!(
            connected,
            [(Some("ann".into()), true), (Some("bob".into()), false)]
        );
    });
}
