//! CONNECT.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::{Event, Session as Known};
use tidings_stomp::Command;
use tidings_stomp::connection::{ConnectRequest, Connected};

use super::application::{self, Intercepted};
use crate::clock;
use crate::node::random_name;
use crate::peer::Identity;
use crate::worker::{Connection, Worker};

/// The `server` header of CONNECTED.
const SERVER: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));

/// Asks whoever stands in the way whether a client may come in. A session is whose the application around this
/// server says; there is no other authentication yet: a `login` is taken as the user's name.
pub(super) fn ask(worker: &Rc<Worker>, connection: &Rc<Connection>, request: ConnectRequest) {
    let known = Arc::new(Known::new(
        random_name().into(),
        named(user(connection, &request)),
    ));
    if let Some(identity) = &connection.peer.identity {
        identity.furnish(&known);
    }
    match connection.application.borrow_mut().stomp() {
        Some(session) => session.known = Some(Arc::clone(&known)),
        None => return,
    }
    worker.node.notice(|| Event::Connect {
        session: Arc::clone(&known),
    });
    let Some(interceptor) = application::interceptor(&worker.node, Command::Connect) else {
        return accept(worker, connection, &request);
    };
    let frame = request.frame.clone();
    let act =
        move |worker: &Rc<Worker>, connection: &Rc<Connection>, frame: Intercepted| match frame {
            Ok(frame) => accept(worker, connection, &ConnectRequest { frame, ..request }),
            Err(failure) => {
                application::fail_for_good(worker, connection, &request.frame, failure);
            }
        };
    application::intercept(worker, connection, interceptor, frame, known, act);
}

/// Whose a session is, by the application around this server, else by its own word.
fn user<'a>(connection: &'a Connection, request: &'a ConnectRequest) -> Option<&'a str> {
    let identity = connection.peer.identity.as_ref().map(Identity::user);
    identity.or(request.login())
}

/// An empty name is none.
fn named(user: Option<&str>) -> Option<Arc<str>> {
    user.filter(|name| !name.is_empty()).map(Into::into)
}

/// Lets a client in.
fn accept(worker: &Rc<Worker>, connection: &Rc<Connection>, request: &ConnectRequest) {
    let mut application = connection.application.borrow_mut();
    if let Some(session) = application.stomp() {
        let now = clock::now();
        let name = user(connection, request);
        let id = match session.arrive(worker, connection, named(name)) {
            Ok(Some(id)) => id,
            Ok(None) => return,
            Err(refusal) => {
                drop(application);
                return application::refuse(worker, connection, &request.frame, &refusal);
            }
        };
        let connected = Connected {
            session: &id,
            server: Some(SERVER),
            user_name: name,
            headers: &[],
        };
        worker.send(connection, |out| session.stomp.accept(now, &connected, out));
        session.announce(&worker.node);
        tracing::debug!(peer = %connection.peer, session = &*id, version = %request.version, "connected");
    }
    drop(application);
    worker.schedule_next(connection);
}
