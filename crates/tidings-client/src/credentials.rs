//! What a client presents of itself when it connects.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;
use tokio::task::JoinSet;

use crate::address::Scheme;

/// Who connects: a login, headers of CONNECT, headers of the opening handshake of WebSocket.
///
/// Give them to the [`Builder`](crate::Builder) where they stay the same, and by
/// [`Builder::credentials`](crate::Builder::credentials) where they expire.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) login: Option<(String, String)>,
    pub(crate) connect_headers: Vec<Header>,
    pub(crate) handshake_headers: Vec<Header>,
}

/// Name and value.
type Header = (String, String);

/// Why an attempt to connect lacked credentials.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// What was given to [`Builder::credentials`](crate::Builder::credentials) failed, or panicked.
    #[error("the program gave no credentials: {0}")]
    NotGiven(Arc<dyn Error + Send + Sync>),
    /// A header that the client itself sets.
    #[error("the header {0:?} is not for programs to set; use the setting of the builder for it")]
    Reserved(String),
    /// A name or a value that can't be written there, a line break for instance.
    #[error(
        "the header {0:?} can't be written as it is; encode what is special in its name and value"
    )]
    Malformed(String),
    /// A header for a handshake of WebSocket that never takes place.
    #[error(
        "the header {0:?} is for a WebSocket, and there is none over TCP; make it one of CONNECT"
    )]
    NoHandshake(String),
    /// They were to renew a session, and have no token.
    #[error("the program gave credentials without a token; set one by `Credentials::token`")]
    NoToken,
}

impl Credentials {
    /// Nobody, and no headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the headers `login` and `passcode` of CONNECT.
    #[must_use]
    pub fn login(mut self, login: &str, passcode: &str) -> Self {
        self.login = Some((login.to_owned(), passcode.to_owned()));
        self
    }

    /// Sets a token that proves its bearer: the header `Authorization` of CONNECT, which works over each link.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.connect_header(AUTHORIZATION, &bearer(token))
    }

    /// Sets a header of CONNECT.
    #[must_use]
    pub fn connect_header(mut self, name: &str, value: &str) -> Self {
        set(&mut self.connect_headers, name, value, str::eq);
        self
    }

    /// Sets a header of the opening handshake of WebSocket, such as `Authorization`, `Cookie` or `Origin`.
    #[must_use]
    pub fn handshake_header(mut self, name: &str, value: &str) -> Self {
        let same = str::eq_ignore_ascii_case;
        set(&mut self.handshake_headers, name, value, same);
        self
    }

    /// Adds `other`, which wins where both have a say.
    fn overlaid(self, other: Self) -> Self {
        let mut all = Self {
            login: other.login.or(self.login),
            ..self
        };
        for (name, value) in &other.connect_headers {
            all = all.connect_header(name, value);
        }
        for (name, value) in &other.handshake_headers {
            all = all.handshake_header(name, value);
        }
        all
    }

    /// What `Authorization` says, in CONNECT or else in the handshake.
    fn authorization(&self) -> Option<&str> {
        let headers = self.connect_headers.iter().chain(&self.handshake_headers);
        let mut said = headers.filter(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION));
        said.next().map(|(_, value)| &**value)
    }

    /// Whether all of it can be written, and none of it makes a frame or a request mean something else.
    fn checked(self, scheme: Scheme) -> Result<Self, CredentialsError> {
        let login = self.login.iter();
        let login = login.flat_map(|(login, passcode)| [("login", login), ("passcode", passcode)]);
        for (name, value) in login {
            check(name, value, is_connect_name, &[])?;
        }
        for (name, value) in &self.connect_headers {
            check(name, value, is_connect_name, &CONNECT_RESERVED)?;
        }
        for (name, value) in &self.handshake_headers {
            if scheme == Scheme::Tcp {
                return Err(CredentialsError::NoHandshake(name.clone()));
            }
            check(name, value, is_http_name, &HANDSHAKE_RESERVED)?;
        }
        Ok(self)
    }
}

/// Shows the names of headers, and nothing that is secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |headers: &[Header]| -> Vec<String> {
            headers.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Credentials")
            .field("login", &self.login.as_ref().map(|(login, _)| login))
            .field("connect_headers", &names(&self.connect_headers))
            .field("handshake_headers", &names(&self.handshake_headers))
            .finish()
    }
}

/// Gives credentials: the same ones always, and those that are asked for before each attempt to connect.
#[derive(Clone, Default)]
pub(crate) struct Presented {
    pub(crate) fixed: Credentials,
    pub(crate) fresh: Option<Ask>,
}

pub(crate) type Ask = Arc<dyn Fn() -> Asked + Send + Sync>;

pub(crate) type Asked =
    Pin<Box<dyn Future<Output = Result<Credentials, Box<dyn Error + Send + Sync>>> + Send>>;

impl Presented {
    pub(crate) async fn now(&self, scheme: Scheme) -> Result<Credentials, CredentialsError> {
        let fresh = match &self.fresh {
            Some(ask) => given(Arc::clone(ask)).await?,
            None => Credentials::new(),
        };
        self.fixed.clone().overlaid(fresh).checked(scheme)
    }

    /// What `Authorization` is to say from now on.
    pub(crate) async fn authorization(&self, scheme: Scheme) -> Result<String, CredentialsError> {
        let credentials = self.now(scheme).await?;
        let said = credentials.authorization().map(str::to_owned);
        said.ok_or(CredentialsError::NoToken)
    }
}

/// What `Authorization` says of a token that the program gives (RFC 6750, section 2.1).
pub(crate) fn authorization(token: &str) -> Result<String, CredentialsError> {
    let value = bearer(token);
    check(AUTHORIZATION, &value, is_connect_name, &[]).map(|()| value)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Its name as Tidings documents it; of the handshake it counts in any case.
pub(crate) const AUTHORIZATION: &str = "Authorization";

/// Asks the program in a task of its own, which is aborted with this future: a panic there is an attempt that failed, and
/// not the end of the client.
async fn given(ask: Ask) -> Result<Credentials, CredentialsError> {
    let mut task = JoinSet::new();
    task.spawn(async move { ask().await });
    let asked = task.join_next().await.expect("one task was spawned");
    let given = asked.unwrap_or_else(|panicked| Err(panicked.into()));
    given.map_err(|error| CredentialsError::NotGiven(error.into()))
}

fn set(headers: &mut Vec<Header>, name: &str, value: &str, same: fn(&str, &str) -> bool) {
    headers.retain(|(other, _)| !same(other, name));
    headers.push((name.to_owned(), value.to_owned()));
}

fn check(
    name: &str,
    value: &str,
    is_name: fn(&str) -> bool,
    reserved: &[&str],
) -> Result<(), CredentialsError> {
    if reserved.contains(&&*name.to_ascii_lowercase()) {
        return Err(CredentialsError::Reserved(name.to_owned()));
    }
    let plain = |c: char| c == '\t' || !c.is_control();
    if !is_name(name) || !value.chars().all(plain) {
        return Err(CredentialsError::Malformed(name.to_owned()));
    }
    Ok(())
}

/// CONNECT knows no escapes (STOMP 1.2, "Value Encoding").
fn is_connect_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c != ':' && !c.is_control())
}

/// A token (RFC 9110, section 5.6.2).
fn is_http_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

const CONNECT_RESERVED: [&str; 7] = [
    "accept-version",
    "content-length",
    "heart-beat",
    "host",
    "login",
    "passcode",
    "receipt",
];

const HANDSHAKE_RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_credentials_win() {
        let fixed = Credentials::new()
            .login("ann", "old")
            .connect_header("tenant", "1")
            .handshake_header("Authorization", "old")
            .handshake_header("Origin", "https://a.example");
        let fresh = Credentials::new()
            .login("ann", "new")
            .connect_header("Tenant", "2")
            .handshake_header("authorization", "new");
        let both = Credentials::new()
            .login("ann", "new")
            .connect_header("tenant", "1")
            .connect_header("Tenant", "2")
            .handshake_header("Origin", "https://a.example")
            .handshake_header("authorization", "new");
        assert_eq!(fixed.overlaid(fresh), both);
    }

    #[test]
    fn what_would_change_the_frame_or_the_request_is_refused() {
        type Wrong = fn(String) -> CredentialsError;
        let new = Credentials::new;
        let malformed: Wrong = CredentialsError::Malformed;
        let reserved: Wrong = CredentialsError::Reserved;
        for (credentials, name, error) in [
            (new().login("a\nb:c", ""), "login", malformed),
            (new().login("ann", "a\0"), "passcode", malformed),
            (new().connect_header("", "x"), "", malformed),
            (new().connect_header("a:b", "x"), "a:b", malformed),
            (new().connect_header("a", "x\r\n"), "a", malformed),
            (new().connect_header("Host", "x"), "Host", reserved),
            (new().connect_header("login", "x"), "login", reserved),
            (new().handshake_header("a b", "x"), "a b", malformed),
            (new().handshake_header("a", "x\r\nb: c"), "a", malformed),
            (new().handshake_header("UPGRADE", "x"), "UPGRADE", reserved),
        ] {
            let refused = credentials.checked(Scheme::WebSocket);
            let refused = refused.expect_err(name).to_string();
            assert_eq!(refused, error(name.to_owned()).to_string());
        }
        let cookie = new().handshake_header("Cookie", "a=b");
        assert!(cookie.clone().checked(Scheme::WebSocket).is_ok());
        assert!(matches!(
            cookie.checked(Scheme::Tcp),
            Err(CredentialsError::NoHandshake(_))
        ));
        let colon = new().login("ann", "a:b").connect_header("a", "b: ü");
        assert!(colon.checked(Scheme::Tcp).is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials::new()
            .login("ann", "secret")
            .connect_header("token", "secret")
            .handshake_header("Cookie", "secret");
        assert_eq!(
            format!("{credentials:?}"),
            r#"Credentials { login: Some("ann"), connect_headers: ["token"], handshake_headers: ["Cookie"] }"#
        );
    }
}
