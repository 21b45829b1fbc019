//! Who is at the other end of a connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    user: Arc<str>,
}

impl Identity {
    /// The user of this name: user destinations
    /// and the HTTP API know the user by it. An empty name is nobody.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        Self { user: user.into() }
    }

    /// The name.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// Where it comes from; absent where nobody knows.
    pub(crate) address: Option<SocketAddr>,
    /// Who it is, where the application around this server has found that out.
    pub(crate) identity: Option<Identity>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self {
            address: Some(address),
            identity: None,
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
