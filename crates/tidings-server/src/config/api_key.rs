//! A key of the HTTP API: whose it is, what may be done with it, and the secret.

use std::fmt;

use super::values::is_same_secret;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Most scopes of a key.
const MAX_SCOPES: usize = 64;

/// A key by which an application proves itself to the HTTP API. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    name: Option<Box<str>>,
    scopes: Vec<ApiScope>,
    secret: Box<str>,
}

/// What may be done with a key of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiScope {
    /// `read`: to see who is connected, who has subscribed, and what is revoked.
    Read,
    /// `administer`: to disconnect, to unsubscribe, to revoke.
    Administer,
    /// `publish`: to send to every destination; `publish:PATTERN` to those alone that the pattern matches, as in access
    /// rules.
    Publish(Option<Box<str>>),
}

impl ApiKey {
    /// Least bytes of a secret: too many to guess, where they were drawn at random.
    pub const MIN_BYTES: usize = 16;

    /// Most bytes of a secret.
    pub const MAX_BYTES: usize = 256;

    /// Reads a bare secret, which has every scope, or `NAME SCOPE[,SCOPE...] SECRET`. None if the name is not 1 to 64
    /// letters, digits and `-_.`, a scope is not known, or the secret does not have from
    /// [`MIN_BYTES`](Self::MIN_BYTES) to [`MAX_BYTES`](Self::MAX_BYTES) of the characters that a bearer token may have
    /// (RFC 6750, section 2.1). Whether a pattern is well formed is not asked.
    pub fn new(text: &str) -> Option<Self> {
        let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let (name, scopes, secret) = match *words {
            [secret] => (None, ApiScope::all(), secret),
            [name, scopes, secret] => {
                let name = Some(name).filter(|name| is_name(name))?;
                let scopes: Option<Vec<_>> = scopes.split(',').map(ApiScope::read).collect();
                (Some(name.into()), scopes?, secret)
            }
            _ => return None,
        };
        (is_secret(secret) && scopes.len() <= MAX_SCOPES).then(|| Self {
            name,
            scopes,
            secret: secret.into(),
        })
    }

    /// What the application is called; none where only the secret is written.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What may be done with it.
    pub fn scopes(&self) -> &[ApiScope] {
        &self.scopes
    }

    /// Whether `shown` is the secret. Takes as long for a wrong guess as for one that is nearly right; only its length
    /// shows.
    pub fn is(&self, shown: &[u8]) -> bool {
        is_same_secret(self.secret.as_bytes(), shown)
    }

    /// Whether the secret is that of another key.
    pub(crate) fn is_secret_of(&self, other: &Self) -> bool {
        other.is(self.secret.as_bytes())
    }

    /// The secret, for what can't give it away.
    pub(crate) fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }
}

impl ApiScope {
    fn all() -> Vec<Self> {
        vec![Self::Read, Self::Administer, Self::Publish(None)]
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "administer" => Some(Self::Administer),
            "publish" => Some(Self::Publish(None)),
            _ => {
                let pattern = text.strip_prefix("publish:")?;
                let plain = !pattern.is_empty() && !pattern.contains(char::is_whitespace);
                plain.then(|| Self::Publish(Some(pattern.into())))
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

fn is_secret(text: &str) -> bool {
    let fits = (ApiKey::MIN_BYTES..=ApiKey::MAX_BYTES).contains(&text.len());
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    fits && text.bytes().all(token)
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn a_bare_secret_has_every_scope_and_an_entry_has_those_that_it_names() {
        let bare = ApiKey::new(SECRET).expect("a secret");
        assert_eq!((bare.name(), bare.scopes()), (None, &*ApiScope::all()));
        let text = format!("shop read,publish:/topic/shop/**,publish:/user/*/queue/x {SECRET}");
        let key = ApiKey::new(&text).expect("an entry");
        let publish = |pattern: &str| ApiScope::Publish(Some(pattern.into()));
        let scopes = [
            ApiScope::Read,
            publish("/topic/shop/**"),
            publish("/user/*/queue/x"),
        ];
        assert_eq!((key.name(), key.scopes()), (Some("shop"), &scopes[..]));
        assert!(key.is(SECRET.as_bytes()) && !key.is(b"0123456789abcdeg"));
        assert!(!format!("{key:?}").contains(SECRET), "{key:?}");
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for wrong in [
            "",
            "shop read",
            "shop 0123456789abcdef",
            "shop  0123456789abcdef",
            "shop write 0123456789abcdef",
            "shop read, 0123456789abcdef",
            "shop publish: 0123456789abcdef",
            "shop publish:/a\t/b 0123456789abcdef",
            "sh,op read 0123456789abcdef",
            "shop read 0123456789abcde",
            "shop read 0123456789abcdef more",
        ] {
            assert_eq!(ApiKey::new(wrong), None, "{wrong}");
        }
    }
}
