//! CONNECT.

use std::rc::Rc;
use std::time::Instant;

use tidings_stomp::connection::{ConnectRequest, Connected};

use super::Session;
use crate::node::random_name;
use crate::peer::Identity;
use crate::worker::{Connection, Worker};

/// The `server` header of CONNECTED.
const SERVER: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));

/// Lets a client in, as whom the application around this server says it is. There is no other authentication yet: a
/// `login` is taken as the user's name.
pub(super) fn accept(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &mut Session,
    now: Instant,
    request: &ConnectRequest,
) {
    let id = random_name();
    let identity = connection.peer.identity.as_ref().map(Identity::user);
    let name = identity.or(request.login());
    let user = name.filter(|name| !name.is_empty());
    session.identify(worker, connection, &id, user);
    let connected = Connected {
        session: &id,
        server: Some(SERVER),
        user_name: name,
        headers: &[],
    };
    worker.send(connection, |out| session.stomp.accept(now, &connected, out));
    session.announce(&worker.node);
    tracing::debug!(peer = %connection.peer, session = id, version = %request.version, "connected");
}
