//! Who is at the other end of a connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tidings_core::application::Session;

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
    user: Arc<str>,
    attributes: Vec<Attribute>,
}

/// Sets an attribute of a session.
type Attribute = Arc<dyn Fn(&Session) + Send + Sync>;

impl Identity {
    /// The user of this name: user destinations and the HTTP API know the user by it. An empty name is nobody.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        let user = user.into();
        let attributes = Vec::new();
        Self(Arc::new(Known { user, attributes }))
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

    /// The name.
    pub fn user(&self) -> &str {
        &self.0.user
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
    /// Whom its certificate names, where TLS has verified one.
    pub(crate) certificate: Option<Arc<str>>,
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
            Some(address) => address.fmt(formatter),
            None => formatter.write_str("unknown"),
        }
    }
}
