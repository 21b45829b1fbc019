//! Every identity, every frame, every link: what is allowed, and by which code the rest is refused.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tidings_core::disconnect::Reason;
use tidings_server::config::AuthenticatorKind;
use tidings_testkit::{Command, Dial, Door, Frame, Link, Peer, TestServer, run};

use crate::world::{
    COOKIE, PASSCODE, TICKET, bearer, expired, forged, of_tokens, router, secure, token,
};

/// The ways to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Nobody,
    Passcode,
    Connect,
    TokenAsPasscode,
    Cookie,
    Bearer,
    Basic,
    Ticket,
    /// The link proves it: a certificate, or the application around the server.
    Link,
}

impl Proof {
    /// Those that the HTTP request shows.
    const OF_REQUEST: [Self; 4] = [Self::Cookie, Self::Bearer, Self::Basic, Self::Ticket];

    pub(crate) fn is_of_request(self) -> bool {
        Self::OF_REQUEST.contains(&self)
    }

    /// Ann, proven so by `token` where one is asked for.
    pub(crate) fn show(self, dial: Dial, token: &str, passcode: &str) -> Dial {
        match self {
            Self::Nobody | Self::Link => dial,
            Self::Passcode => dial.login("ann").header("passcode", passcode),
            Self::Connect => bearer(dial, token),
            Self::TokenAsPasscode => dial.login("anything").header("passcode", token),
            Self::Cookie => dial
                .http_header("cookie", &format!("a=b; {COOKIE}={token}"))
                .http_header("origin", "http://localhost"),
            Self::Bearer => dial.http_header("authorization", &format!("Bearer {token}")),
            Self::Basic => {
                let pair = BASE64_STANDARD.encode(format!("ann:{passcode}"));
                dial.http_header("authorization", &format!("Basic {pair}"))
            }
            Self::Ticket => dial.query(&format!("{TICKET}={token}")),
        }
    }
}

/// What is known of a session, as far as the rules mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    /// Her name, which a certificate proves.
    Name,
    /// Her name and the role `staff`, which stand in the file of users.
    Role,
    /// Her name, the role and the team `red`, which stand in her token.
    Claims,
}

/// Ways whose server knows this of ann then.
const WAYS: [(Proof, Known); 7] = [
    (Proof::Nobody, Known::Nothing),
    (Proof::Passcode, Known::Role),
    (Proof::Basic, Known::Role),
    (Proof::Connect, Known::Claims),
    (Proof::Cookie, Known::Claims),
    (Proof::Bearer, Known::Claims),
    (Proof::Ticket, Known::Claims),
];

const DONE: &str = "";
const NO: &str = "forbidden";

/// What is asked for: the command, the destination, then what becomes of it in the order of [`Known`]. `OTHER` stands for
/// the session of somebody else.
const ASKED: &[(Command, &str, [&str; 4])] = &[
    (Command::Send, "/topic/team/red/chat", [NO, NO, NO, DONE]),
    (Command::Send, "/topic/team/green/chat", [NO; 4]),
    (Command::Send, "/topic/elsewhere", [NO; 4]),
    (
        Command::Subscribe,
        "/topic/team/red/chat",
        [NO, NO, NO, DONE],
    ),
    (Command::Subscribe, "/topic/team/red/**", [NO, NO, NO, DONE]),
    (Command::Subscribe, "/topic/team/*/chat", [NO; 4]),
    (Command::Subscribe, "/topic/prices/eur", [DONE; 4]),
    (Command::Subscribe, "/topic/prices/*", [DONE; 4]),
    (Command::Subscribe, "/topic/**", [NO; 4]),
    (
        Command::Subscribe,
        "/topic/secret/plans",
        [NO, NO, DONE, DONE],
    ),
    (Command::Send, "/queue/jobs", [NO, DONE, DONE, DONE]),
    (Command::Subscribe, "/queue/jobs", [NO, NO, DONE, DONE]),
    (
        Command::Send,
        "/user/ann/queue/notes",
        [NO, DONE, DONE, DONE],
    ),
    (
        Command::Send,
        "/user/%61nn/queue/notes",
        [NO, DONE, DONE, DONE],
    ),
    (Command::Send, "/user/bob/queue/notes", [NO; 4]),
    (
        Command::Send,
        "/user/bob/queue/greetings",
        [NO, DONE, DONE, DONE],
    ),
    (Command::Send, "/user/OTHER/queue/notes", [NO; 4]),
    (Command::Send, "/user/queue/notes", [NO; 4]),
    (Command::Subscribe, "/user/queue/notes", [DONE; 4]),
    (Command::Subscribe, "/user/bob/queue/notes", [NO; 4]),
    (Command::Subscribe, "/user/OTHER/queue/notes", [NO; 4]),
    (Command::Send, "/app/echo", [NO, DONE, DONE, DONE]),
    (Command::Subscribe, "/app/news", [DONE; 4]),
    (Command::Subscribe, "/app/other", [NO; 4]),
    (Command::Send, "/temp-queue/mine", [NO, DONE, DONE, DONE]),
    (
        Command::Subscribe,
        "/temp-queue/mine",
        [NO, DONE, DONE, DONE],
    ),
    (
        Command::Send,
        "/reply-queue/guessed",
        [NO, DONE, DONE, DONE],
    ),
    (Command::Subscribe, "/reply-queue/guessed", [NO; 4]),
    (
        Command::Subscribe,
        "/session/token",
        ["unknown-destination"; 4],
    ),
    (
        Command::Subscribe,
        "/session/**",
        ["unknown-destination"; 4],
    ),
    (Command::Send, "/session/other", ["unknown-destination"; 4]),
    (Command::Send, "/session/token", ["token-mismatch"; 4]),
];

fn frame(command: Command, destination: &str, other: &str) -> Frame {
    let destination = destination.replace("OTHER", other);
    let frame = Frame::new(command).with_header("destination", &destination);
    match command {
        Command::Subscribe => frame.with_header("id", &destination),
        _ if destination == "/session/token" => frame.with_header(
            "Authorization",
            &format!("Bearer {}", token("bob", &[], &[])),
        ),
        _ => frame,
    }
}

/// Sends a frame; gives the code of the refusal, or nothing.
async fn ask(peer: &mut Peer, frame: Frame) -> String {
    let receipt = "asked";
    peer.send_frame(frame.with_header("receipt", receipt)).await;
    loop {
        let answer = peer.frame().await;
        let tells = |name| answer.header(name).unwrap_or_default().to_owned();
        match answer.command {
            Command::Message => {}
            Command::Receipt => {
                assert_eq!(tells("receipt-id"), receipt);
                return String::new();
            }
            Command::Error => {
                assert_eq!(tells("receipt-id"), receipt, "{}", tells("message"));
                return tells("code");
            }
            other => panic!("there came {other}"),
        }
    }
}

/// A session whose client wants to go on after errors is asked for everything, one after the other.
pub(crate) async fn goes_on(dial: Dial, known: Known, other: &str) {
    let mut peer = dial.header("error-mode", "continue").connect().await;
    assert_eq!(peer.connected().get("error-mode"), Some("continue"));
    for (command, destination, expected) in ASKED {
        let told = ask(&mut peer, frame(*command, destination, other)).await;
        assert_eq!(
            told, expected[known as usize],
            "{known:?}: {command} {destination}"
        );
    }
    // In transactions as well, and nothing of that stays behind.
    for (command, destination, expected) in ASKED {
        let is_plain = *destination != "/session/token" && !destination.starts_with("/app/");
        if *command == Command::Send && is_plain {
            let begin = Frame::new(Command::Begin).with_header("transaction", "t");
            assert_eq!(ask(&mut peer, begin).await, DONE);
            let send = frame(*command, destination, other).with_header("transaction", "t");
            let told = ask(&mut peer, send).await;
            assert_eq!(
                told, expected[known as usize],
                "{known:?}: {destination} in one"
            );
            let commit = Frame::new(Command::Commit).with_header("transaction", "t");
            assert_eq!(ask(&mut peer, commit).await, DONE);
        }
    }
}

/// A session as STOMP has it ends with each refusal, by its code.
pub(crate) async fn ends(dial: Dial, known: Known, other: &str) {
    for (command, destination, expected) in ASKED {
        let expected = expected[known as usize];
        let mut peer = dial.clone().connect().await;
        let asked = frame(*command, destination, other).with_header("receipt", "asked");
        if expected == DONE {
            peer.confirm(frame(*command, destination, other)).await;
            continue;
        }
        peer.send_frame(asked).await;
        let goodbye = peer.error().await;
        assert_eq!(
            goodbye.code(),
            expected,
            "{known:?}: {command} {destination}"
        );
        assert_eq!(goodbye.error.header("receipt-id"), Some("asked"));
        let code = Reason::from_name(expected).expect("a code").close_code();
        assert!(
            goodbye.close_code.is_none_or(|told| told == code),
            "{goodbye:?}"
        );
    }
}

/// The table through some links of one server.
pub(crate) async fn check(door: &Door, path: &str, links: &[Link], ways: &[(Proof, Known)]) {
    check_over(door, path, links, ways, Link::Tcp, "").await;
}

/// The same, where bob, to whom ann may not speak, comes over `other`, and her urls have a query.
pub(crate) async fn check_over(
    door: &Door,
    path: &str,
    links: &[Link],
    ways: &[(Proof, Known)],
    other: Link,
    query: &str,
) {
    let dial = Dial::new(door.clone(), path);
    let token_of_ann = token("ann", &["staff"], &["red"]);
    let bob = bearer(dial.clone().over(other), &token("bob", &[], &[]))
        .connect()
        .await;
    for (proof, known) in ways {
        let mut has_ended = false;
        for link in links {
            if *link == Link::Tcp && proof.is_of_request() {
                continue;
            }
            let mut dial = dial.clone().over(*link);
            if !query.is_empty() {
                dial = dial.query(query);
            }
            let dial = proof.show(dial, &token_of_ann, PASSCODE);
            goes_on(dial.clone(), *known, bob.session()).await;
            // Hashes cost on purpose, and one connection for each frame is much.
            let is_cheap = matches!(proof, Proof::Nobody | Proof::Connect | Proof::Link);
            if is_cheap || !has_ended {
                ends(dial, *known, bob.session()).await;
                has_ended = true;
            }
        }
    }
}

async fn of_all() -> TestServer {
    let kinds = [AuthenticatorKind::Jwt, AuthenticatorKind::Users];
    TestServer::builder()
        .application(router())
        .config(|config| secure(config, &kinds))
        .start()
        .await
}

#[test]
fn what_each_identity_may_do_is_the_same_over_every_link() {
    run(async {
        let server = of_all().await;
        check(&server.connector().into(), "/ws", &Link::ALL, &WAYS).await;
    });
}

#[test]
fn a_token_may_stand_where_clients_have_a_passcode() {
    run(async {
        let server = of_tokens().start().await;
        let ways = [(Proof::TokenAsPasscode, Known::Claims)];
        check(&server.connector().into(), "/ws", &Link::ALL, &ways).await;
    });
}

#[test]
fn what_proves_nobody_is_refused_by_its_code_over_every_link() {
    run(async {
        let server = of_all().await;
        let wrong = [
            (Proof::Connect, expired(), PASSCODE, "token-expired"),
            (Proof::Connect, forged(), PASSCODE, "bad-credentials"),
            (
                Proof::Connect,
                "no token".to_owned(),
                PASSCODE,
                "bad-credentials",
            ),
            (
                Proof::Passcode,
                String::new(),
                "a wrong one",
                "bad-credentials",
            ),
        ];
        for link in Link::ALL {
            for (proof, token, passcode, code) in &wrong {
                let dial = server.dial().over(link).header("error-mode", "continue");
                let goodbye = proof.show(dial, token, passcode).refused().await;
                assert_eq!(goodbye.code(), *code, "{link:?} {proof:?}");
            }
            let stranger = server
                .dial()
                .over(link)
                .login("eve")
                .header("passcode", PASSCODE);
            assert_eq!(stranger.refused().await.code(), "bad-credentials");
        }
    });
}

#[test]
fn a_request_that_proves_nobody_is_turned_away() {
    run(async {
        let server = of_all().await;
        for link in Link::ALL.into_iter().filter(|link| *link != Link::Tcp) {
            for proof in Proof::OF_REQUEST {
                for token in [expired(), forged()] {
                    let dial = server.dial().over(link);
                    let status = proof.show(dial, &token, "a wrong one").turned_away().await;
                    assert_eq!(status, 401, "{link:?} {proof:?}");
                }
            }
            let long = token("ann", &[], &[]);
            let ticket = Proof::Ticket.show(server.dial().over(link), &long, "");
            drop(ticket.connect().await);
            let longer =
                crate::world::token_for("ann", &[], &[], std::time::Duration::from_secs(61));
            let ticket = Proof::Ticket.show(server.dial().over(link), &longer, "");
            assert_eq!(
                ticket.turned_away().await,
                401,
                "{link:?}: it lives too long"
            );
        }
    });
}

#[test]
fn nobody_comes_in_without_credentials_unless_that_is_allowed() {
    run(async {
        let server = of_tokens()
            .config(|config| config.security.anonymous = false)
            .start()
            .await;
        for link in Link::ALL {
            let dial = server.dial().over(link);
            assert_eq!(dial.clone().refused().await.code(), "unauthenticated");
            assert_eq!(dial.login("ann").refused().await.code(), "unauthenticated");
        }
    });
}

#[test]
fn who_may_not_connect_is_told_so_whatever_the_error_mode() {
    run(async {
        let server = of_tokens()
            .config(|config| config.security.rules = vec!["allow connect if role staff".to_owned()])
            .start()
            .await;
        for link in Link::ALL {
            let dial = server.dial().over(link).header("error-mode", "continue");
            let dial = bearer(dial, &token("ann", &[], &[]));
            assert_eq!(dial.refused().await.code(), "forbidden");
        }
    });
}
