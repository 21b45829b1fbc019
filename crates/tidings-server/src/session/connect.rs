//! CONNECT: who comes, and whether they may.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::{Event, Session as Known};
use tidings_core::security::{Action, Principal};
use tidings_stomp::connection::{ConnectRequest, Connected};
use tidings_stomp::{Command, Frame};

use super::access::{Asker, allow};
use super::application::{self, Intercepted};
use super::authenticate::{self, Shown};
use crate::clock;
use crate::node::random_name;
use crate::worker::{Connection, Worker};

/// The `server` header of CONNECTED.
const SERVER: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));

/// How a client wants errors to be: with `continue` the session goes on after those that a frame of its own has caused.
/// STOMP ends the connection with every ERROR (STOMP 1.2, "ERROR").
pub(super) const ERROR_MODE: &str = "error-mode";

/// Such a session.
pub(super) const CONTINUE: &str = "continue";

/// How many milliseconds the session has until its token expires.
pub(super) const EXPIRES_IN: &str = "session-expires-in";

/// Finds out who comes, then whether they may.
pub(super) fn ask(worker: &Rc<Worker>, connection: &Rc<Connection>, request: ConnectRequest) {
    match authenticate::shown(connection, &request.frame) {
        Ok(Shown::Proven(principal)) => greet(worker, connection, request, principal),
        Ok(Shown::Credentials(credentials)) => {
            let act = move |worker: &Rc<Worker>, connection: &Rc<Connection>, proven| match proven {
                Ok(principal) => greet(worker, connection, request, Arc::new(principal)),
                Err(error) => authenticate::fail(worker, connection, &request.frame, &error),
            };
            authenticate::ask(worker, connection, credentials, act);
        }
        Err(refusal) => {
            authenticate::record(worker, connection, &request.frame, refusal.reason);
            application::refuse(worker, connection, &request.frame, &refusal);
        }
    }
}

/// Asks whoever else stands in the way whether a client that is known may come in.
fn greet(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: ConnectRequest,
    principal: Arc<Principal>,
) {
    let known = Arc::new(Known::of(random_name().into(), Arc::clone(&principal)));
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
        return accept(worker, connection, &request, principal);
    };
    let frame = named(connection, &principal, &request.frame);
    let shown = frame.clone();
    let act =
        move |worker: &Rc<Worker>, connection: &Rc<Connection>, passed: Intercepted| match passed {
            Ok(frame) => {
                let principal = renamed(connection, principal, &shown, &frame);
                let request = ConnectRequest { frame, ..request };
                accept(worker, connection, &request, principal);
            }
            Err(failure) => {
                application::fail_for_good(worker, connection, &request.frame, failure);
            }
        };
    application::intercept(worker, connection, interceptor, frame, known, act);
}

/// CONNECT as an application sees it: the name that is proven stands in place of what the client calls itself. Or who calls
/// itself what the application makes of it would not be renamed.
fn named(connection: &Connection, principal: &Principal, frame: &Frame) -> Frame {
    let mut frame = frame.clone();
    let Some(name) = principal.name.as_deref() else {
        return frame;
    };
    let login = frame.header("login");
    if connection.peer.identity.is_none() && login.is_some_and(|login| login != name) {
        let others = frame.headers.iter().filter(|(name, _)| *name != "login");
        frame.headers = others.chain([("login", name)]).collect();
    }
    frame
}

/// An application that has changed the `login` vouches for the new one, unless the one around the server has said who it is.
/// What the token says of its own user is not said of the new one; how long it holds still counts.
fn renamed(
    connection: &Connection,
    principal: Arc<Principal>,
    before: &Frame,
    after: &Frame,
) -> Arc<Principal> {
    let (before, after) = (before.header("login"), after.header("login"));
    let is_same = before == after || after == principal.name.as_deref();
    if is_same || connection.peer.identity.is_some() {
        return principal;
    }
    let mut renamed = after.map_or_else(Principal::anonymous, Principal::user);
    renamed.token_id = principal.token_id.clone();
    renamed.expires_at_ms = principal.expires_at_ms;
    Arc::new(renamed)
}

/// Lets a client in, if the rules do.
fn accept(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: &ConnectRequest,
    principal: Arc<Principal>,
) {
    let asker = Asker {
        principal: &principal,
        session: None,
        peer: &connection.peer,
    };
    if let Err(refusal) = allow(worker, asker, Action::Connect, "") {
        return application::refuse(worker, connection, &request.frame, &refusal);
    }
    let mut application = connection.application.borrow_mut();
    if let Some(session) = application.stomp() {
        let now = clock::now();
        let name = principal.name.clone();
        let id = match session.arrive(worker, connection, principal) {
            Ok(Some(id)) => id,
            Ok(None) => return,
            Err(refusal) => {
                drop(application);
                return application::refuse(worker, connection, &request.frame, &refusal);
            }
        };
        let continues = request.frame.header(ERROR_MODE) == Some(CONTINUE);
        if continues {
            session.extras(&worker.node).continues = true;
        }
        let expires_in = session.expires_in(now).map(|left| left.to_string());
        let expires_in = expires_in.as_deref().map(|left| (EXPIRES_IN, left));
        let continues = continues.then_some((ERROR_MODE, CONTINUE));
        let headers: Vec<_> = expires_in.into_iter().chain(continues).collect();
        let connected = Connected {
            session: &id,
            server: Some(SERVER),
            user_name: name.as_deref(),
            headers: &headers,
        };
        worker.send(connection, |out| session.stomp.accept(now, &connected, out));
        session.announce(&worker.node);
        tracing::debug!(peer = %connection.peer, session = &*id, version = %request.version, "connected");
    }
    drop(application);
    worker.schedule_next(connection);
}
