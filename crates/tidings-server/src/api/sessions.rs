//! Ends sessions.

use serde::Serialize;

use super::problem::{Kind, Problem};
use super::{Answered, Api, Call, encode};
use crate::node::lock;

#[derive(Serialize)]
struct Disconnected {
    /// Sessions that were told to go.
    disconnected: usize,
}

/// Ends all sessions of a user.
pub(super) fn end_all(api: &Api, call: &Call<'_>) -> Answered {
    let sessions = lock(&api.node.users).sessions(call.subject).to_vec();
    let told = sessions
        .iter()
        .filter(|session| api.node.disconnect(session));
    Ok(encode(&Disconnected {
        disconnected: told.count(),
    }))
}

/// Ends one session.
pub(super) fn end(api: &Api, call: &Call<'_>) -> Answered {
    if !api.node.disconnect(call.subject) {
        return Err(unknown());
    }
    Ok(encode(&Disconnected { disconnected: 1 }))
}

/// There is no such session.
pub(super) fn unknown() -> Problem {
    Problem::new(
        Kind::UnknownSession,
        "it has ended, or was never on this node; /api/v1/users/NAME names those of a user",
    )
}
