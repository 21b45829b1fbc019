//! An issuer: it signs tokens, and publishes its keys by http.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tidings_server::config::{JwtIssuer, KeySource};

/// A key of ES256.
pub(crate) struct Key {
    kid: String,
    pair: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness");
        let kid = kid.to_owned();
        Self { kid, pair }
    }

    /// As it is published (RFC 7517, section 4; RFC 7518, section 6.2).
    fn public(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": self.kid, "x": encode(x), "y": encode(y)})
    }

    /// A token of this issuer for an hour.
    pub(crate) fn token(&self, issuer: &str, user: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a clock").as_secs();
        let head = json!({"alg": "ES256", "kid": self.kid});
        let claims = json!({"iss": issuer, "sub": user, "iat": now, "exp": now + 3600});
        let message = format!(
            "{}.{}",
            encode(head.to_string()),
            encode(claims.to_string())
        );
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        format!("{message}.{}", encode(signature.expect("a signature")))
    }
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// What is at the url of the keys.
enum Published {
    Answer {
        status: u16,
        body: String,
    },
    /// Nothing yet: the request waits.
    Nothing,
}

struct State {
    published: Published,
    asked: usize,
}

/// Publishes keys until the process ends.
pub(crate) struct Issuer {
    pub(crate) name: String,
    url: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Issuer {
    pub(crate) fn start(name: &str, keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let published = Published::Nothing;
        let state = State {
            published,
            asked: 0,
        };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&its);
                thread::spawn(move || answer(stream, &shared));
            }
        });
        let issuer = Self {
            name: name.to_owned(),
            url: format!("http://{address}/keys"),
            shared,
        };
        issuer.publish(keys);
        issuer
    }

    pub(crate) fn publish(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.says(200, json!({ "keys": keys }).to_string());
    }

    pub(crate) fn says(&self, status: u16, body: impl Into<String>) {
        let body = body.into();
        self.becomes(Published::Answer { status, body });
    }

    /// Whoever asks waits until the next change.
    pub(crate) fn hesitates(&self) {
        self.becomes(Published::Nothing);
    }

    fn becomes(&self, published: Published) {
        lock(&self.shared.0).published = published;
        self.shared.1.notify_all();
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        lock(&self.shared.0).asked
    }

    /// Waits until it was asked so often.
    pub(crate) fn await_asked(&self, count: usize) {
        let state = lock(&self.shared.0);
        let asked = self
            .shared
            .1
            .wait_timeout_while(state, crate::server::PATIENCE, |state| state.asked < count);
        let (state, timeout) = asked.expect("no test has panicked with it");
        assert!(!timeout.timed_out(), "asked {} times", state.asked);
    }

    /// As the configuration names it.
    pub(crate) fn source(&self) -> JwtIssuer {
        let (issuer, url) = (self.name.clone(), self.url.clone());
        let keys = KeySource::Url(url);
        JwtIssuer { issuer, keys }
    }
}

fn answer(mut stream: TcpStream, (state, changed): &(Mutex<State>, Condvar)) {
    let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let mut state = lock(state);
    state.asked += 1;
    changed.notify_all();
    let (status, body) = loop {
        match &state.published {
            Published::Answer { status, body } => break (*status, body.clone()),
            Published::Nothing => {
                state = changed.wait(state).expect("no test has panicked with it")
            }
        }
    };
    drop(state);
    let length = body.len();
    // Fails where the server has given up.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test has panicked with it")
}
