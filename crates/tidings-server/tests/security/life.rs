//! From the proof of who a session is to its end, in virtual time.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidings_auth::issue::{DEVELOPMENT_SECRET, Issue, issue};
use tidings_core::application::{Failure, Session};
use tidings_core::security::{AuthenticationError, Credentials, Principal};
use tidings_server::config::AuthenticatorKind;
use tidings_testkit::{Command, Frame, Link, Peer, TestServer, now, run};

use crate::world::{
    PASSCODE, RULES, SECRET, bearer, of_tokens, router, secure, system_ms, token, token_for,
};

const SECOND: Duration = Duration::from_secs(1);

/// How late a timer may fire.
const LATE: Duration = Duration::from_millis(200);

fn renewal(token: &str) -> Frame {
    Frame::new(Command::Send)
        .with_header("destination", "/session/token")
        .with_header("Authorization", &format!("Bearer {token}"))
}

/// Renews; gives how long the session is proven then.
async fn renew(peer: &mut Peer, token: &str) -> Duration {
    peer.send_frame(renewal(token).with_header("receipt", "renewed"))
        .await;
    let receipt = peer.frame().await;
    assert_eq!(receipt.header("receipt-id"), Some("renewed"), "{receipt:?}");
    left(receipt.header("session-expires-in"))
}

fn left(says: Option<&str>) -> Duration {
    let left = says.expect("it says how long");
    Duration::from_millis(left.parse().expect("milliseconds"))
}

fn expires_in(peer: &Peer) -> Duration {
    left(peer.connected().get("session-expires-in"))
}

/// The session ends when its proof does.
async fn expires(peer: &mut Peer, link: Link, since: Instant, after: Duration) {
    let goodbye = peer.error().await;
    let passed = now() - since;
    assert!(
        (after..=after + LATE).contains(&passed),
        "{link:?}: {passed:?}, not {after:?}"
    );
    assert_eq!(goodbye.code(), "token-expired", "{link:?}");
    let code = (link != Link::Tcp).then_some(4010);
    assert_eq!(goodbye.close_code, code, "{link:?}");
}

#[test]
fn an_idle_session_ends_as_its_token_expires() {
    for link in Link::ALL {
        run(async {
            let server = of_tokens().start().await;
            let mut peer = bearer(server.dial().over(link), &token("ann", &[], &[]))
                .connect()
                .await;
            let after = expires_in(&peer);
            assert!((50 * SECOND..100 * SECOND).contains(&after), "{after:?}");
            expires(&mut peer, link, now(), after).await;
        });
    }
}

#[test]
fn a_busy_session_ends_as_its_token_expires() {
    run(async {
        let server = of_tokens().start().await;
        let mut peer = bearer(server.dial(), &token("ann", &[], &["red"]))
            .connect()
            .await;
        peer.subscribe("/topic/team/red/chat").await;
        let (began, after) = (now(), expires_in(&peer));
        while now() - began + SECOND < after {
            peer.send("/topic/team/red/chat", "still here").await;
            assert_eq!(peer.message().await.text(), "still here");
            tidings_testkit::pass(SECOND / 2).await;
        }
        expires(&mut peer, Link::Tcp, began, after).await;
    });
}

#[test]
fn a_renewed_session_outlives_its_first_token() {
    for link in Link::ALL {
        run(async {
            let server = of_tokens().start().await;
            let first = token_for("ann", &[], &[], 20 * SECOND);
            let second = token_for("ann", &[], &[], 80 * SECOND);
            let mut peer = bearer(server.dial().over(link), &first).connect().await;
            let (began, before) = (now(), expires_in(&peer));
            let after = renew(&mut peer, &second).await;
            assert!(after >= before + 55 * SECOND, "{before:?} {after:?}");
            expires(&mut peer, link, began, after).await;
        });
    }
}

#[test]
fn a_token_of_somebody_else_renews_nothing() {
    for link in Link::ALL {
        run(async {
            let server = of_tokens().start().await;
            let bearing = |token: &str| bearer(server.dial().over(link), token);
            let mut peer = bearing(&token("ann", &[], &[])).connect().await;
            peer.send_frame(renewal(&token("bob", &[], &[]))).await;
            assert_eq!(peer.error().await.code(), "token-mismatch");

            let dial = bearing(&token("ann", &[], &[])).header("error-mode", "continue");
            let mut peer = dial.connect().await;
            let (began, after) = (now(), expires_in(&peer));
            for (wrong, code) in [
                (token("bob", &[], &[]), "token-mismatch"),
                (crate::world::forged(), "bad-credentials"),
                (crate::world::expired(), "token-expired"),
            ] {
                peer.send_frame(renewal(&wrong).with_header("receipt", "r"))
                    .await;
                let error = peer.frame().await;
                assert_eq!(error.header("code"), Some(code), "{link:?}");
                assert_eq!(error.header("receipt-id"), Some("r"));
            }
            expires(&mut peer, link, began, after).await;
        });
    }
}

#[test]
fn who_is_nobody_becomes_nobody_by_renewal() {
    run(async {
        let server = of_tokens().start().await;
        let mut peer = server.dial().connect().await;
        peer.send_frame(renewal(&token("ann", &[], &[]))).await;
        assert_eq!(peer.error().await.code(), "token-mismatch");
    });
}

#[test]
fn whom_the_application_knows_no_token_makes_anybody_else() {
    let of = |secret: &str, user: &str| {
        let staff = Issue {
            user: user.to_owned(),
            roles: vec!["staff".to_owned()],
            lifetime: 60 * SECOND,
            ..Issue::default()
        };
        issue(secret.as_bytes(), &staff, system_ms()).expect("the secret is long enough")
    };
    let in_development = || TestServer::builder().rules(RULES.iter().copied());
    for (server, secret) in [
        (of_tokens(), SECRET),
        // There anybody can sign.
        (in_development(), DEVELOPMENT_SECRET),
    ] {
        run(async {
            let server = server.start().await;
            let dial = server.dial_as(Principal::user("ann"));
            let mut peer = dial.header("error-mode", "continue").connect().await;
            for token in [of(secret, "ann"), of(secret, "bob")] {
                peer.send_frame(renewal(&token)).await;
                assert_eq!(peer.frame().await.header("code"), Some("token-mismatch"));
            }
            let subscribe = Frame::new(Command::Subscribe)
                .with_header("id", "1")
                .with_header("destination", "/topic/secret/plans");
            peer.send_frame(subscribe).await;
            assert_eq!(peer.frame().await.header("code"), Some("forbidden"));
        });
    }
}

#[test]
fn a_renewal_without_a_token_is_told_so() {
    run(async {
        let server = of_tokens().start().await;
        let mut peer = bearer(server.dial(), &token("ann", &[], &[]))
            .connect()
            .await;
        peer.send("/session/token", "").await;
        assert_eq!(peer.error().await.code(), "missing-header");
    });
}

#[test]
fn subscriptions_end_that_a_renewed_token_does_not_allow() {
    for link in Link::ALL {
        run(async {
            let server = of_tokens().start().await;
            let mut peer = bearer(
                server.dial().over(link),
                &token("ann", &[], &["red", "blue"]),
            )
            .connect()
            .await;
            peer.subscribe("/user/queue/errors").await;
            let red = peer.subscribe("/topic/team/red/chat").await;
            let blue = peer.subscribe("/topic/team/blue/**").await;
            peer.send_frame(renewal(&token("ann", &[], &["red"])).with_header("receipt", "r"))
                .await;
            let told = peer.message().await;
            assert_eq!(told.header("code"), Some("forbidden"), "{link:?}");
            assert_eq!(told.header("ended-subscription"), Some(&*blue));
            assert_eq!(
                told.header("ended-destination"),
                Some("/topic/team/blue/**")
            );
            assert_eq!(peer.frame().await.header("receipt-id"), Some("r"));
            let template = server.broker();
            for team in ["blue", "red"] {
                let sent = template.send(&format!("/topic/team/{team}/chat"), Default::default());
                sent.expect("a topic");
            }
            assert_eq!(peer.message().await.subscription(), red);
            // Its client does not have to know.
            peer.unsubscribe(&blue).await;
            peer.silence(SECOND).await;
        });
    }
}

#[test]
fn a_session_proven_by_a_passcode_is_renewed_by_a_token() {
    run(async {
        let kinds = [AuthenticatorKind::Users, AuthenticatorKind::Jwt];
        let builder = TestServer::builder().application(router());
        let server = builder
            .config(|config| secure(config, &kinds))
            .start()
            .await;
        let dial = server.dial().login("ann").header("passcode", PASSCODE);
        let mut peer = dial.connect().await;
        assert_eq!(peer.connected().get("session-expires-in"), None);
        let began = now();
        let after = renew(&mut peer, &token("ann", &[], &[])).await;
        expires(&mut peer, Link::Tcp, began, after).await;
    });
}

#[test]
fn a_token_that_expires_in_ages_is_no_trouble() {
    run(async {
        let server = of_tokens().start().await;
        for years in [1_000, 500_000_000, u64::MAX / 31_536_000] {
            let lifetime = Duration::from_secs(years * 31_536_000);
            let token = token_for("ann", &[], &[], lifetime);
            let mut peer = bearer(server.dial(), &token).connect().await;
            peer.silence(3600 * SECOND).await;
        }
    });
}

#[test]
fn an_authenticator_that_never_answers_is_waited_for_so_long() {
    for link in Link::ALL {
        run(async {
            let silent = |_: Credentials| pending::<Result<Principal, AuthenticationError>>();
            let server = TestServer::builder()
                .authenticator(silent)
                .config(|config| config.security.authentication_timeout = 7 * SECOND)
                .start()
                .await;
            let began = now();
            let goodbye = server.dial().over(link).refused().await;
            assert_eq!(goodbye.code(), "authentication-unavailable");
            assert!(
                (7 * SECOND..8 * SECOND).contains(&(now() - began)),
                "{link:?}"
            );
            if link != Link::Tcp {
                let dial = server
                    .dial()
                    .over(link)
                    .http_header("authorization", "Bearer x");
                let began = now();
                assert_eq!(dial.turned_away().await, 503);
                assert!(
                    (7 * SECOND..8 * SECOND).contains(&(now() - began)),
                    "{link:?}"
                );
            }
        });
    }
}

#[test]
fn an_authenticator_that_panics_harms_nobody_else() {
    run(async {
        let is_broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&is_broken);
        let moody = move |_: Credentials| {
            let is_broken = breaks.load(Ordering::Relaxed);
            async move {
                assert!(!is_broken, "as the test wants");
                Ok(Principal::user("ann"))
            }
        };
        let server = TestServer::builder()
            .authenticator(moody)
            .config(|config| config.security.rules = vec!["allow any".to_owned()])
            .start()
            .await;
        let mut stays = server.dial().connect().await;
        stays.subscribe("/topic/a").await;
        is_broken.store(true, Ordering::Relaxed);
        for link in Link::ALL {
            let goodbye = server.dial().over(link).refused().await;
            assert_eq!(goodbye.code(), "authentication-unavailable", "{link:?}");
        }
        stays.send("/topic/a", "still here").await;
        assert_eq!(stays.message().await.text(), "still here");
        is_broken.store(false, Ordering::Relaxed);
        drop(server.dial().connect().await);
    });
}

#[test]
fn an_authenticator_that_panics_before_it_answers_harms_nobody_else() {
    run(async {
        let server = TestServer::builder()
            .authenticator(
                |_: Credentials| -> std::future::Ready<Result<Principal, AuthenticationError>> {
                    panic!("as the test wants")
                },
            )
            .start()
            .await;
        for link in Link::ALL {
            let goodbye = server.dial().over(link).refused().await;
            assert_eq!(goodbye.code(), "authentication-unavailable", "{link:?}");
            if link != Link::Tcp {
                let dial = server
                    .dial()
                    .over(link)
                    .http_header("authorization", "Bearer x");
                assert_eq!(dial.turned_away().await, 503, "{link:?}");
            }
        }
    });
}

#[test]
fn of_those_that_wait_to_be_checked_there_are_only_so_many() {
    run(async {
        let server = TestServer::builder()
            .config(|config| {
                secure(config, &[AuthenticatorKind::Users]);
                config.security.max_pending_authentications = 2;
            })
            .start()
            .await;
        let mut peers = Vec::new();
        for _ in 0..5 {
            peers.push(server.dial().open().await);
        }
        let connect =
            format!("CONNECT\naccept-version:1.2\nhost:h\nlogin:ann\npasscode:{PASSCODE}\n\n\0");
        for peer in &mut peers {
            peer.send_bytes(connect.as_bytes()).await;
        }
        let mut answers = Vec::new();
        for peer in &mut peers {
            let answer = peer.frame().await;
            answers.push(answer.header("code").unwrap_or_default().to_owned());
        }
        answers.sort();
        let busy = "authentication-unavailable";
        assert_eq!(answers, ["", "", busy, busy, busy]);
        // There is room again.
        let dial = server.dial().login("ann").header("passcode", PASSCODE);
        drop(dial.connect().await);
    });
}

#[test]
fn what_has_expired_before_connect_lets_nobody_send() {
    run(async {
        let server = of_tokens().config(|config| config.jwt.leeway = Duration::ZERO);
        let server = server.start().await;
        let first = token_for("ann", &[], &["red"], 5 * SECOND);
        let mut peer = bearer(server.dial(), &token("bob", &[], &["red"]))
            .connect()
            .await;
        peer.subscribe("/topic/team/red/chat").await;
        let dial = server.dial().over(Link::WebSocket);
        let authorization = format!("Bearer {first}");
        let mut late = dial
            .http_header("authorization", &authorization)
            .open()
            .await;
        tidings_testkit::pass(8 * SECOND).await;
        let both = "CONNECT\naccept-version:1.2\nhost:h\n\n\0\
                    SEND\ndestination:/topic/team/red/chat\n\nlate\0";
        late.send_bytes(both.as_bytes()).await;
        assert_eq!(late.frame().await.header("code"), Some("token-expired"));
        peer.silence(SECOND).await;
    });
}

#[test]
fn a_token_that_expired_while_it_was_checked_renews_nothing() {
    run(async {
        let slow = |credentials: Credentials| async move {
            let is_renewal = format!("{credentials:?}").contains("Renewal");
            let ends = crate::world::system_ms() + 5_000;
            if is_renewal {
                tidings_testkit::pass(8 * SECOND).await;
                return Ok(Principal::user("ann").expiring_at_ms(ends));
            }
            Ok(Principal::user("ann"))
        };
        let server = TestServer::builder().authenticator(slow);
        let server = server.rules(["allow any"]).start().await;
        let dial = server.dial().token("x").header("error-mode", "continue");
        let mut peer = dial.connect().await;
        peer.send_frame(renewal("y")).await;
        assert_eq!(peer.frame().await.header("code"), Some("token-expired"));
        // What proved it first still does.
        peer.silence(20 * SECOND).await;
    });
}

/// What the application makes of a user counts, whatever the client has called itself before.
#[test]
fn who_is_renamed_cannot_keep_its_name_by_claiming_the_new_one() {
    run(async {
        let demoted = async |frame: Frame, _: Arc<Session>| {
            let others = frame.headers.iter().filter(|(name, _)| *name != "login");
            let headers = others.chain([("login", "guest")]).collect();
            Ok::<_, Failure>(Frame { headers, ..frame })
        };
        let server = of_tokens().application(router().interceptor([Command::Connect], demoted));
        let server = server.start().await;
        let dial = bearer(server.dial(), &token("ann", &["staff"], &[]));
        for dial in [dial.clone(), dial.clone().login("guest"), dial.login("ann")] {
            let mut peer = dial.connect().await;
            assert_eq!(peer.connected().get("user-name"), Some("guest"));
            peer.send_frame(
                Frame::new(Command::Subscribe)
                    .with_header("id", "1")
                    .with_header("destination", "/topic/secret/a"),
            )
            .await;
            assert_eq!(peer.error().await.code(), "forbidden");
        }
    });
}
