//! Tokens and refusals against a real server, on a clock that stands still while anything can be done.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use tidings_core::disconnect::Reason;
use tidings_core::security::{AuthenticationError, Credential, Credentials as Shown, Principal};
use tidings_server::Server;
use tidings_server::config::{Config, Overrides};
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::*;
use crate::error::{ConnectError, ReceiptError, SubscribeError};
use crate::transport::{Dialer, Socket};
use crate::{Builder, Client, Credentials, Events};

const RULES: [&str; 3] = [
    "deny connect if role banned",
    "allow connect if authenticated",
    "allow any /topic/open/**",
];

/// The time of day in a test, as the server under test takes it to be.
#[derive(Clone, Copy)]
struct Day {
    began: Instant,
    began_ms: u64,
}

impl Day {
    fn begin() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let since = since.expect("after 1970").as_millis();
        Self {
            began: Instant::now(),
            began_ms: u64::try_from(since).expect("before the end of time"),
        }
    }

    fn in_seconds(self, seconds: u64) -> u64 {
        let passed = u64::try_from(self.began.elapsed().as_millis()).expect("a short test");
        self.began_ms + passed + seconds * 1000
    }
}

/// What a token says: `ann:60` is ann for a minute, `ann` is ann for good.
fn proven(token: &str, day: Day) -> Result<Principal, AuthenticationError> {
    let (name, seconds) = token.split_once(':').unwrap_or((token, ""));
    let principal = match name {
        "outdated" => return Err(AuthenticationError::Expired),
        "banned" => Principal::user("ann").with_roles(["banned"]),
        name => Principal::user(name),
    };
    Ok(match seconds.parse() {
        Ok(seconds) => principal.expiring_at_ms(day.in_seconds(seconds)),
        Err(_) => principal,
    })
}

/// Runs a test beside a server whose tokens are read by [`proven`].
fn with_server(test: impl AsyncFnOnce(Dialer)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("an event queue");
    LocalSet::new().block_on(&runtime, async {
        let day = Day::begin();
        let mut config = Config::development(&Overrides::default()).expect("a configuration");
        config.server.workers = 1;
        let server = Server::unbound(config)
            .rules(RULES)
            .expect("rules")
            .authenticator(move |shown: Shown| {
                std::future::ready(match shown.credential {
                    Credential::Token { token, .. } => proven(&token, day),
                    _ => Err(AuthenticationError::Missing("send a token".to_owned())),
                })
            });
        let connector = server.connector();
        let dialer = Dialer::new(move || {
            let connector = connector.clone();
            Box::pin(async move {
                let connection = connector.connect_stomp().await;
                let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
                let connection = connection
                    .map_err(refused)
                    .map_err(ConnectError::unreachable)?;
                Ok(Socket::new(connection))
            })
        });
        tokio::task::spawn_local(server.run_in_place(axum::Router::new(), std::future::pending()));
        test(dialer).await;
    });
}

fn builder() -> Builder {
    Client::builder("tcp://nowhere")
}

/// Gives the tokens in turn, the last one ever after; counts how often it was asked.
fn tokens(given: &'static [&'static str]) -> (Builder, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let builder = builder().renew_before_expiry().credentials(move || {
        let nth = counted.fetch_add(1, Ordering::Relaxed) as usize;
        let token = given[nth.min(given.len() - 1)];
        std::future::ready(match token {
            "" => Err(io::Error::other("the issuer is away")),
            token => Ok(Credentials::new().token(token)),
        })
    });
    (builder, asked)
}

async fn soon(events: &mut Events) -> Event {
    let next = timeout(Duration::from_secs(3600), events.next()).await;
    next.expect("an event within an hour").expect("one more")
}

fn seconds(left: Option<Duration>) -> Option<u64> {
    left.map(|left| left.as_secs_f64().round() as u64)
}

#[test]
fn a_session_knows_when_it_expires_and_is_renewed_by_hand() {
    with_server(async |dialer| {
        let client = builder().token("ann:60").connect_by(dialer).await;
        let client = client.expect("connected");
        let mut events = client.events();
        assert_eq!(seconds(client.expires_in()), Some(60));
        sleep(Duration::from_secs(50)).await;
        assert_eq!(seconds(client.expires_in()), Some(10));
        let renewed = client.renew("ann:100").await.expect("renewed");
        assert_eq!(seconds(renewed), Some(100));
        sleep(Duration::from_secs(90)).await;
        assert_eq!(client.renew("ann").await.expect("renewed"), None);
        assert_eq!(client.expires_in(), None);
        sleep(Duration::from_secs(3600)).await;
        client.disconnect().await.expect("still connected");
        let event = events.next().await;
        assert!(matches!(event, Some(Event::Closed)), "{event:?}");
    });
}

#[test]
fn a_session_that_is_not_renewed_ends_with_its_token() {
    with_server(async |dialer| {
        let client = builder().token("ann:60").connect_by(dialer).await;
        let client = client.expect("connected");
        let mut events = client.events();
        let began = Instant::now();
        let Event::Lost(why) = soon(&mut events).await else {
            panic!("the session outlived its token");
        };
        assert_eq!(seconds(Some(began.elapsed())), Some(60));
        assert!(why.to_string().contains("token-expired"), "{why}");
        assert_eq!(client.expires_in(), None);
        let Err(error) = client.renew("ann:60").await else {
            panic!("there is nothing to renew");
        };
        assert_eq!(error.reason(), None);
    });
}

#[test]
fn refused_tokens_are_told_by_their_code_and_the_session_goes_on_where_asked_to() {
    with_server(async |dialer| {
        let client = builder().token("ann:60").continue_after_errors();
        let client = client.connect_by(dialer).await.expect("connected");
        for (token, reason) in [
            ("outdated", Reason::TokenExpired),
            ("bob:60", Reason::TokenMismatch),
            ("banned:60", Reason::Forbidden),
        ] {
            let error = client.renew(token).await.expect_err("refused");
            assert_eq!(error.reason(), Some(reason), "{token}: {error}");
        }
        let malformed = client.renew("a\nreceipt:1").await;
        assert!(
            matches!(malformed, Err(RenewError::Credentials(_))),
            "{malformed:?}"
        );
        assert_eq!(seconds(client.expires_in()), Some(60));
        assert!(client.renew("ann:70").await.is_ok());
    });
}

#[test]
fn a_refused_token_ends_the_session_where_nothing_else_was_asked_for() {
    with_server(async |dialer| {
        let client = builder().token("ann:60").connect_by(dialer).await;
        let client = client.expect("connected");
        let mut events = client.events();
        let error = client.renew("bob").await.expect_err("refused");
        assert_eq!(error.reason(), Some(Reason::TokenMismatch));
        assert!(matches!(soon(&mut events).await, Event::Lost(_)));
    });
}

#[test]
fn credentials_renew_each_token_at_three_quarters_of_its_time() {
    with_server(async |dialer| {
        let (builder, asked) = tokens(&["ann:60", "ann:100", "ann:40", "ann"]);
        let began = Instant::now();
        let client = builder.connect_by(dialer).await.expect("connected");
        let mut events = client.events();
        for (at, left) in [(45, Some(100)), (120, Some(40)), (150, None)] {
            match soon(&mut events).await {
                Event::Renewed { expires_in } => assert_eq!(seconds(expires_in), left),
                other => panic!("{other:?}"),
            }
            assert_eq!(seconds(Some(began.elapsed())), Some(at));
        }
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(asked.load(Ordering::Relaxed), 4);
        client.disconnect().await.expect("the same session");
        assert!(matches!(soon(&mut events).await, Event::Closed));
    });
}

#[test]
fn a_renewal_that_fails_is_tried_again() {
    with_server(async |dialer| {
        let (builder, asked) = tokens(&["ann:60", "", "", "ann:60"]);
        let client = builder.connect_by(dialer).await.expect("connected");
        let mut events = client.events();
        for _ in 0..2 {
            let failed = soon(&mut events).await;
            assert!(
                matches!(failed, Event::NotRenewed(RenewError::Credentials(_))),
                "{failed:?}"
            );
        }
        assert!(matches!(soon(&mut events).await, Event::Renewed { .. }));
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    });
}

#[test]
fn a_renewal_that_goes_on_failing_is_given_up_and_the_next_session_is_renewed_again() {
    with_server(async |dialer| {
        let (builder, _) = tokens(&["ann:600", "", "", "", "", "", "ann:60", "ann"]);
        let client = builder.connect_by(dialer).await.expect("connected");
        let mut events = client.events();
        for _ in 0..5 {
            assert!(matches!(soon(&mut events).await, Event::NotRenewed(_)));
        }
        assert!(matches!(soon(&mut events).await, Event::Lost(_)));
        assert!(matches!(
            soon(&mut events).await,
            Event::Reconnecting { .. }
        ));
        assert!(matches!(soon(&mut events).await, Event::Connected { .. }));
        let renewed = soon(&mut events).await;
        assert!(
            matches!(renewed, Event::Renewed { expires_in: None }),
            "{renewed:?}"
        );
    });
}

#[test]
fn tokens_that_live_too_short_do_not_make_the_client_hurry() {
    with_server(async |dialer| {
        let (builder, asked) = tokens(&["ann:1"]);
        let client = builder.connect_by(dialer).await.expect("connected");
        sleep(Duration::from_secs(60)).await;
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= 120, "asked {asked} times within a minute");
        drop(client);
    });
}

#[test]
fn refused_frames_fail_alone_where_the_client_goes_on() {
    with_server(async |dialer| {
        let client = builder().token("ann").continue_after_errors();
        let client = client.connect_by(dialer).await.expect("connected");
        let mut events = client.events();
        let mut open = client.subscribe("/topic/open/a").await.expect("allowed");
        let refused = client.subscribe("/topic/secret").await;
        let Err(error @ SubscribeError::Refused(_)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.reason(), Some(Reason::Forbidden));
        let refused = client.send("/topic/secret", "x").confirmed().await;
        let Err(error @ ReceiptError::Refused(_)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.reason(), Some(Reason::Forbidden));
        client.send("/topic/secret", "y").await.expect("taken");
        match soon(&mut events).await {
            Event::Refused(error) => assert_eq!(error.reason(), Some(Reason::Forbidden)),
            other => panic!("{other:?}"),
        }
        client.send("/topic/open/a", "z").await.expect("taken");
        let message = open.next().await.expect("the session goes on");
        assert_eq!(message.text(), Ok("z"));
    });
}
