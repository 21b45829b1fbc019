//! Who is at the other end of a connection.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tidings_core::application::Session;
use tidings_core::security::Principal;

use crate::config::Secret;

/// Who a request comes from, as the application that embeds the server has found out: its middleware puts this into the
/// extensions of the request. The session that begins with the request is this user's, whatever a `login` says.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use tidings_server::Identity;
///
/// async fn authenticate(mut request: Request, next: Next) -> Response {
///     request.extensions_mut().insert(Identity::new("ada"));
///     next.run(request).await
/// }
/// ```
///
/// Attributes that it brings are those of the session from its beginning, for handlers as `Attribute<T>`.
#[derive(Clone)]
pub struct Identity(Arc<Known>);

/// What is known of who asks.
#[derive(Clone)]
struct Known {
    principal: Arc<Principal>,
    attributes: Vec<Attribute>,
}

/// Sets an attribute of a session.
type Attribute = Arc<dyn Fn(&Session) + Send + Sync>;

impl Identity {
    /// The user of this name: user destinations and the HTTP API know the user by it. An empty name is nobody.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        Self::of(Principal::user(user))
    }

    /// Somebody of whom more is known than the name: roles and claims, for which the access rules ask, and until when that
    /// holds.
    pub fn of(principal: Principal) -> Self {
        let principal = Arc::new(principal);
        let attributes = Vec::new();
        Self(Arc::new(Known {
            principal,
            attributes,
        }))
    }

    /// Lets the session begin with this attribute.
    #[must_use]
    pub fn with_attribute<T>(mut self, value: T) -> Self
    where
        T: Clone + Default + Send + Sync + 'static,
    {
        let set = move |session: &Session| {
            session.attribute(|attribute: &mut T| *attribute = value.clone());
        };
        Arc::make_mut(&mut self.0).attributes.push(Arc::new(set));
        self
    }

    /// The name; empty where there is none.
    pub fn user(&self) -> &str {
        self.0.principal.name.as_deref().unwrap_or_default()
    }

    /// All that is known.
    pub(crate) fn principal(&self) -> &Arc<Principal> {
        &self.0.principal
    }

    /// Gives a session that begins its attributes.
    pub(crate) fn furnish(&self, session: &Session) {
        for set in &self.0.attributes {
            set(session);
        }
    }
}

/// Two are the same if their names are.
impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.user() == other.user()
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("user", &self.user())
            .finish_non_exhaustive()
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// Where it comes from; absent where nobody knows.
    pub(crate) address: Option<SocketAddr>,
    /// Who it is, where the application around this server has found that out.
    pub(crate) identity: Option<Identity>,
    /// What the HTTP request proved.
    pub(crate) proof: Option<Arc<Proof>>,
    /// Whom its certificate names, where TLS has verified one.
    pub(crate) certificate: Option<Arc<str>>,
}

/// What the request that became the connection showed to prove who asks, and whom that proved.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) principal: Arc<Principal>,
    /// What CONNECT has to repeat: only pages of this site can read the cookie that has it.
    pub(crate) csrf_token: Option<Secret>,
    /// Tells what was shown from anything else.
    pub(crate) digest: [u8; 32],
}

impl Proof {
    /// Two who have no name are not one, unless they show the same.
    fn is_of_same_user(&self, other: &Self) -> bool {
        let (own, others) = (&self.principal.name, &other.principal.name);
        self.digest == other.digest || own.is_some() && own == others
    }
}

impl Peer {
    /// Whether a request of `other` may go on with what one of this began. What proves it `was_compared` where what it goes on
    /// with was there as it came; else both show the same, or prove the same user.
    pub(crate) fn is_same_client(&self, other: &Self, was_compared: bool) -> bool {
        let is_same_proof = match (&self.proof, &other.proof) {
            _ if was_compared => true,
            (None, None) => true,
            (Some(own), Some(other)) => own.is_of_same_user(other),
            (None, Some(_)) | (Some(_), None) => false,
        };
        self.identity == other.identity && self.certificate == other.certificate && is_same_proof
    }
}

impl Peer {
    /// The address without the port.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip())
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self {
            address: Some(address),
            ..Self::default()
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            // A proxy has told of the address alone.
            Some(address) if address.port() == 0 => address.ip().fmt(formatter),
            Some(address) => address.fmt(formatter),
            None => formatter.write_str("unknown"),
        }
    }
}

/// What counts as one address: who has one of version 6 has 2^64 of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            Ipv6Addr::from(segments).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: Option<&str>, digest: u8) -> Peer {
        let principal = name.map_or_else(Principal::anonymous, Principal::user);
        let proof = Proof {
            principal: Arc::new(principal),
            csrf_token: None,
            digest: [digest; 32],
        };
        Peer {
            proof: Some(Arc::new(proof)),
            ..Peer::default()
        }
    }

    #[test]
    fn who_has_an_empty_name_is_nobody() {
        assert_eq!(Principal::user(""), Principal::anonymous());
        assert!(!Identity::new("").principal().is_authenticated);
    }

    #[test]
    fn who_comes_as_a_session_begins_is_compared_with_who_began_it() {
        let (ada, nobody) = (of(Some("ada"), 1), Peer::default());
        let cases = [
            (&ada, &of(Some("ada"), 2), true),
            (&ada, &of(Some("eve"), 2), false),
            (&ada, &nobody, false),
            (&nobody, &ada, false),
            (&nobody, &nobody, true),
            (&of(None, 1), &of(None, 1), true),
            (&of(None, 1), &of(None, 2), false),
        ];
        for (begun, comes, expected) in cases {
            assert_eq!(begun.is_same_client(comes, false), expected, "{comes:?}");
        }
        assert!(ada.is_same_client(&nobody, true));
    }
}
