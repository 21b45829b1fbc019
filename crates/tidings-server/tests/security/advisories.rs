//! A test for each lesson that servers of this kind have had to learn. docs/testing.md lists them all, with those that
//! stand elsewhere.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidings_server::config::{AuthenticatorKind, JwtIssuer, KeySource, Secret};
use tidings_testkit::{Command, Frame, Link, TestServer, run};

use crate::table::Proof;
use crate::world::{SECRET, bearer, of_tokens, secure, system_ms, token};

const SECOND: Duration = Duration::from_secs(1);

fn subscribe(id: &str, destination: &str) -> Frame {
    Frame::new(Command::Subscribe)
        .with_header("id", id)
        .with_header("destination", destination)
}

async fn open() -> TestServer {
    TestServer::builder().start().await
}

#[test]
fn cve_2018_1270_a_selector_is_a_header_like_any_other() {
    run(async {
        let server = open().await;
        let mut peer = server.connect("ann").await;
        for (place, selector) in [
            "T(java.lang.Runtime).getRuntime()",
            "1 = 2",
            "((((((",
            "(a+)+$",
        ]
        .into_iter()
        .enumerate()
        {
            let frame = subscribe(&place.to_string(), "/topic/a").with_header("selector", selector);
            peer.confirm(frame).await;
        }
        peer.send("/topic/a", "heard").await;
        for _ in 0..4 {
            let message = peer.message().await;
            assert_eq!(
                (message.text(), message.header("selector")),
                ("heard", None)
            );
        }
    });
}

#[test]
fn cve_2022_22971_what_one_session_may_hold_is_limited() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.session.max_subscriptions = 5)
            .start()
            .await;
        let mut peer = server.connect("ann").await;
        for id in 0..5 {
            peer.subscribe(&format!("/topic/{id}")).await;
        }
        peer.send_frame(subscribe("more", "/topic/5")).await;
        assert_eq!(peer.error().await.code(), "too-many-subscriptions");

        let mut peer = server.connect("ann").await;
        for number in 0..5 {
            let frame = Frame::new(Command::Send)
                .with_header("destination", "/topic/a")
                .with_header("reply-to", &format!("/temp-queue/{number}"));
            peer.confirm(frame).await;
        }
        let sixth = Frame::new(Command::Send)
            .with_header("destination", "/topic/a")
            .with_header("reply-to", "/temp-queue/5");
        peer.send_frame(sixth).await;
        assert_eq!(peer.error().await.code(), "too-many-subscriptions");

        let mut peer = server.connect("ann").await;
        let headers = (0..10_000).map(|number| format!("h{number}:x\n"));
        let frame = format!(
            "SEND\ndestination:/topic/a\n{}\n\0",
            headers.collect::<String>()
        );
        peer.send_bytes(frame.as_bytes()).await;
        assert_eq!(peer.error().await.code(), "too-many-headers");
    });
}

#[test]
fn cve_2025_41254_rights_are_asked_for_with_each_frame() {
    for link in Link::ALL {
        run(async {
            let mut server = of_tokens().start().await;
            let mut peer = bearer(server.dial().over(link), &token("ann", &[], &["red"]))
                .connect()
                .await;
            let send = Frame::new(Command::Send).with_header("destination", "/topic/team/red/a");
            peer.confirm(send.clone()).await;
            let denied = server.reload(|config| {
                config.security.rules.insert(0, "deny send".to_owned());
            });
            denied.expect("good rules");
            peer.send_frame(send).await;
            assert_eq!(peer.error().await.code(), "forbidden", "{link:?}");
        });
    }
}

#[test]
fn cve_2026_41838_ids_of_sessions_cannot_be_guessed_and_are_no_right() {
    run(async {
        let server = of_tokens().start().await;
        let mut seen = HashSet::new();
        let mut letters = HashSet::new();
        for _ in 0..256 {
            let peer = server.dial().connect().await;
            let id = peer.session().to_owned();
            // 128 bits take 22 characters at the least.
            assert!(id.len() >= 22, "{id}");
            letters.extend(id.char_indices());
            assert!(seen.insert(id), "twice the same");
        }
        let places = seen.iter().next().expect("one").len();
        for place in 0..places {
            let various = letters.iter().filter(|(at, _)| *at == place).count();
            assert!(various >= 4, "character {place} hardly changes");
        }
        let mut victim = bearer(server.dial(), &token("bob", &[], &[]))
            .connect()
            .await;
        victim.subscribe("/user/queue/notes").await;
        let whoever = token(victim.session(), &[], &[]);
        let mut thief = bearer(server.dial(), &token("ann", &[], &[]))
            .connect()
            .await;
        thief
            .send(&format!("/user/{}/queue/notes", victim.session()), "")
            .await;
        assert_eq!(thief.error().await.code(), "forbidden");
        // A name that is another's id is a name.
        let mut namesake = bearer(server.dial(), &whoever).connect().await;
        namesake.subscribe("/user/queue/notes").await;
        victim.send("/user/bob/queue/notes", "for bob").await;
        assert_eq!(victim.message().await.text(), "for bob");
        namesake.silence(SECOND).await;
    });
}

#[test]
fn cve_2023_32081_nothing_is_done_before_connect() {
    for link in Link::ALL {
        run(async {
            let server = of_tokens().start().await;
            let mut reader = bearer(server.dial(), &token("bob", &[], &["red"]))
                .connect()
                .await;
            reader.subscribe("/topic/team/red/a").await;
            let frames = [
                "SEND\ndestination:/topic/team/red/a\n\nx\0".to_owned(),
                "SUBSCRIBE\nid:1\ndestination:/topic/prices/eur\n\n\0".to_owned(),
                "BEGIN\ntransaction:t\n\n\0".to_owned(),
                "COMMIT\ntransaction:t\n\n\0".to_owned(),
                "DISCONNECT\nreceipt:1\n\n\0".to_owned(),
                format!(
                    "SEND\ndestination:/session/token\nAuthorization:Bearer {}\n\n\0",
                    token("ann", &[], &["red"])
                ),
            ];
            for frame in frames {
                let mut peer = server.dial().over(link).open().await;
                peer.send_bytes(frame.as_bytes()).await;
                assert_eq!(
                    peer.error().await.code(),
                    "not-connected",
                    "{link:?} {frame}"
                );
            }
            // Nor while who it is is being found out.
            let mut peer = server.dial().over(link).open().await;
            let both = "CONNECT\naccept-version:1.2\nhost:h\nAuthorization:Bearer wrong\n\n\0\
                        SEND\ndestination:/topic/team/red/a\n\nx\0";
            peer.send_bytes(both.as_bytes()).await;
            assert_eq!(peer.error().await.code(), "bad-credentials");
            reader.silence(SECOND).await;
        });
    }
}

#[test]
fn cve_2020_14368_no_other_site_comes_in_by_the_cookie_of_its_visitor() {
    run(async {
        let server = of_tokens().start().await;
        let token = token("ann", &[], &[]);
        for link in Link::ALL.into_iter().filter(|link| *link != Link::Tcp) {
            let with = |headers: &[(&str, &str)]| {
                let cookie = format!("session={token}");
                let dial = server.dial().over(link).http_header("cookie", &cookie);
                headers
                    .iter()
                    .fold(dial, |dial, (name, value)| dial.http_header(name, value))
            };
            for headers in [
                &[][..],
                &[("origin", "https://evil.example")],
                &[("origin", "null")],
                &[("origin", "http://localhost.evil.example")],
                &[("sec-fetch-site", "cross-site")],
                &[("sec-fetch-site", "same-site")],
                &[
                    ("origin", "http://localhost"),
                    ("origin", "https://evil.example"),
                ],
            ] {
                assert_eq!(
                    with(headers).turned_away().await,
                    403,
                    "{link:?} {headers:?}"
                );
            }
            for headers in [
                ("origin", "http://localhost"),
                ("sec-fetch-site", "same-origin"),
            ] {
                let peer = with(&[headers]).connect().await;
                assert_eq!(peer.connected().get("user-name"), Some("ann"));
            }
        }
    });
}

#[test]
fn cve_2020_14368_connect_repeats_what_only_pages_of_this_site_can_read() {
    run(async {
        let server = of_tokens()
            .config(|config| config.security.csrf_cookie = Some("csrf".to_owned()))
            .start()
            .await;
        let cookies = format!("session={}; csrf=0123456789", token("ann", &[], &[]));
        for link in Link::ALL.into_iter().filter(|link| *link != Link::Tcp) {
            let dial = || {
                let dial = server
                    .dial()
                    .over(link)
                    .http_header("origin", "http://localhost");
                dial.http_header("cookie", &cookies)
            };
            assert_eq!(dial().refused().await.code(), "bad-credentials");
            let wrong = dial().header("X-CSRF-TOKEN", "012345678");
            assert_eq!(wrong.refused().await.code(), "bad-credentials");
            drop(dial().header("X-CSRF-TOKEN", "0123456789").connect().await);
        }
    });
}

/// SockJS's streams for old browsers, whose callback was a way in for scripts (CVE-2020-8823), are off.
#[test]
fn cve_2020_8823_pages_that_call_back_are_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    run(async {
        let server = open().await;
        for path in [
            "htmlfile?c=%3Cscript%3E",
            "jsonp?c=alert(1)//",
            "../iframe.html",
        ] {
            let mut connection = server.connector().connect_http().await.expect("it runs");
            let request = format!(
                "GET /ws/000/x/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            );
            connection
                .write_all(request.as_bytes())
                .await
                .expect("it reads");
            let mut answer = String::new();
            connection
                .read_to_string(&mut answer)
                .await
                .expect("it answers");
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
            assert!(
                !answer.contains("script>") && !answer.contains("alert"),
                "{answer}"
            );
        }
    });
}

#[test]
fn cve_2026_27889_a_frame_of_a_length_that_no_frame_has_ends_its_own_connection() {
    run(async {
        let server = open().await;
        let mut stays = server.connect("ann").await;
        for link in [Link::WebSocket, Link::SockJsWebSocket] {
            for length in [u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 32] {
                let mut peer = server.dial().over(link).open().await;
                let mut frame = vec![0x81, 0xff];
                frame.extend(length.to_be_bytes());
                frame.extend([0; 4]);
                peer.send_raw(&frame).await;
                let ended = peer.frames(SECOND).await;
                assert!(
                    ended.iter().all(|frame| frame.command == Command::Error),
                    "{ended:?}"
                );
                peer.closed().await;
            }
        }
        stays.subscribe("/topic/a").await;
    });
}

/// One bad packet ended whole processes (CVE-2024-38355).
#[test]
fn cve_2024_38355_nonsense_harms_nobody_else() {
    run(async {
        let server = open().await;
        let mut stays = server.connect("ann").await;
        stays.subscribe("/topic/a").await;
        let nonsense: [&[u8]; 8] = [
            b"\0\0\0\0",
            b"CONNECT\n\n\0CONNECT\n\n\0",
            b"CONNECT\naccept-version:1.2\nhost:h\nheart-beat:-1,18446744073709551616\n\n\0",
            b"SEND\ndestination:/topic/a\ncontent-length:18446744073709551615\n\n\0",
            b"SEND\ndestination:/topic/a\ncontent-length:-1\n\n\0",
            b"SEND\ndestination:\\\n\n\0",
            b"\xff\xfe\xfd\n\n\0",
            b"CONNECT\naccept-version:1.2\nhost:h\n\n\0ACK\nid:\\c\\c\\c\n\n\0",
        ];
        for link in [Link::Tcp, Link::WebSocket, Link::SockJsWebSocket] {
            for bytes in nonsense {
                let mut peer = server.dial().over(link).open().await;
                peer.send_bytes(bytes).await;
                peer.frames(SECOND).await;
                stays.send("/topic/a", "still here").await;
                assert_eq!(stays.message().await.text(), "still here");
            }
        }
    });
}

#[test]
fn cve_2020_28481_every_origin_and_a_cookie_contradict_each_other() {
    let text = "[security]\nauthenticator = \"jwt\"\ncookie = \"session\"\n[jwt]\nsecret = \"0123456789012345678901234567890123456789\"\n\
                [websocket]\nallowed_origins = \"*\"\n";
    let folder = crate::certificates::Folder::new();
    let path = folder.write("tidings.toml", text);
    let refused =
        tidings_server::config::Config::load(Some(&path), std::iter::empty(), &Default::default());
    let error = refused.expect_err("it is refused").to_string();
    assert!(error.contains("websocket.allowed_origins"), "{error}");
}

/// A signed token whose header says so.
fn signed(header: &str, issuer: &str) -> String {
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let expires = system_ms() / 1000 + 60;
    let claims = format!(r#"{{"sub":"ann","iss":"{issuer}","exp":{expires}}}"#);
    let message = format!("{}.{}", encode(header), encode(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(message.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{signature}")
}

#[test]
fn cve_2026_32301_no_url_that_a_token_names_is_asked() {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}/keys", trap.local_addr().expect("it is bound"));
    run(async {
        for issuer in ["https://issuer.example", &*url] {
            let server = TestServer::builder()
                .config(|config| {
                    secure(config, &[AuthenticatorKind::Jwt]);
                    config.jwt.secret = Some(Secret(SECRET.to_owned()));
                    config.jwt.issuers = vec![JwtIssuer {
                        issuer: "https://issuer.example".to_owned(),
                        keys: KeySource::Secret,
                    }];
                })
                .start()
                .await;
            for name in ["jku", "x5u", "iss", "jwk", "kid"] {
                let alg = ["HS256", "RS256", "ES256"];
                for alg in alg {
                    let header = format!(r#"{{"alg":"{alg}","typ":"JWT","{name}":"{url}"}}"#);
                    let token = signed(&header, issuer);
                    let mut peer = bearer(server.dial(), &token).open().await;
                    let connect = format!(
                        "CONNECT\naccept-version:1.2\nhost:h\nAuthorization:Bearer {token}\n\n\0"
                    );
                    peer.send_bytes(connect.replace("http:", "http\\c").as_bytes())
                        .await;
                    let answer = peer.frame().await;
                    let is_in = answer.command == Command::Connected;
                    assert!(
                        !is_in || alg == "HS256" && issuer.starts_with("https:"),
                        "{header}"
                    );
                }
            }
        }
    });
    let visited = trap.accept().expect_err("nobody has come");
    assert_eq!(visited.kind(), ErrorKind::WouldBlock);
}

/// Caches that joined what they are found by (CVE-2026-39972), or left the issuer out (CVE-2026-49998), let tokens of one
/// issuer pass as those of another.
#[test]
fn cve_2026_49998_what_one_issuer_signs_proves_nothing_of_another() {
    run(async {
        let server = TestServer::builder()
            .config(|config| {
                secure(config, &[AuthenticatorKind::Jwt]);
                config.jwt.issuers = vec![JwtIssuer {
                    issuer: "https://one.example".to_owned(),
                    keys: KeySource::Secret,
                }];
            })
            .start()
            .await;
        let header = r#"{"alg":"HS256","typ":"JWT","kid":"1"}"#;
        for (issuer, is_in) in [
            ("https://one.example", true),
            ("https://two.example", false),
        ] {
            let header = header.replace(r#","kid":"1""#, "");
            let dial = bearer(server.dial(), &signed(&header, issuer));
            match is_in {
                true => drop(dial.connect().await),
                false => assert_eq!(dial.refused().await.code(), "bad-credentials"),
            }
        }
    });
}

/// Who shows two things is who the stronger one says; a mere name outweighs nothing that is proven.
#[test]
fn a_login_is_no_proof_beside_one() {
    run(async {
        let server = of_tokens().start().await;
        for proof in [Proof::Cookie, Proof::Bearer, Proof::Ticket] {
            let dial = proof.show(
                server.dial().over(Link::WebSocket),
                &token("ann", &[], &[]),
                "",
            );
            let peer = dial.login("bob").connect().await;
            assert_eq!(peer.connected().get("user-name"), Some("ann"), "{proof:?}");
        }
        let peer = bearer(server.dial().login("bob"), &token("ann", &[], &[]))
            .connect()
            .await;
        assert_eq!(peer.connected().get("user-name"), Some("ann"));
    });
}

/// Rules by which users may send to themselves let nobody send to a session by taking its id for a name.
#[test]
fn who_is_called_like_a_session_is_not_that_session() {
    run(async {
        let server = of_tokens().start().await;
        let mut bob = bearer(server.dial(), &token("bob", &[], &[]))
            .connect()
            .await;
        bob.subscribe("/user/queue/notes").await;
        let eve = token(bob.session(), &[], &[]);
        let mut eve = bearer(server.dial(), &eve).connect().await;
        eve.subscribe("/user/queue/notes").await;
        let to_bob = format!("/user/{}/queue/notes", bob.session());
        let to_herself = format!("/user/{}/queue/notes", eve.session());
        assert_ne!(to_bob, to_herself);
        eve.send(&to_bob, "from eve").await;
        assert_eq!(eve.error().await.code(), "refused");
        bob.silence(SECOND).await;
    });
}
