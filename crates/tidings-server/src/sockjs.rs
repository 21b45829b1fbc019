//! Which worker has which session of SockJS over HTTP, and whose it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tidings_sockjs::{Answer, Receiver};

use crate::admission::NoEntry;
use crate::config::is_same_secret;
use crate::node::{lock, random_name};
use crate::peer::{Identity, Peer, Proof};

/// The name of the cookie that holds the secret of a session.
const COOKIE: &str = "tidings-session";

/// A secret is as long as [`random_name`] makes it; what a client shows otherwise is none.
const SECRET_BYTES: usize = 32;

/// What a client calls its session. It names nothing else: the session's own id is made here.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionName {
    /// Place of the endpoint among those of the server.
    pub(crate) endpoint: usize,
    /// As it stands in the url.
    pub(crate) session: Box<str>,
}

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Whoever knows its url.
    Anyone,
    /// The same, until a client shows this secret, which came with the first response.
    Offered(Arc<str>),
    /// Whoever shows this secret.
    Bound(Arc<str>),
}

/// All sessions, on all workers.
#[derive(Default)]
pub(crate) struct Sessions {
    places: Mutex<HashMap<Arc<SessionName>, Place>>,
}

struct Place {
    worker: u16,
    owner: Owner,
    /// Whose requests alone it takes, as the application around this server tells them apart.
    identity: Option<Identity>,
    /// The same, as certificates tell them apart.
    certificate: Option<Arc<str>>,
    /// What the first request showed and whom it proved; later ones have to show the same.
    proof: Option<Arc<Proof>>,
}

/// What a request shows to be the client of a session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Claim<'a> {
    /// That came by cookie with the first response.
    pub(crate) secret: Option<&'a str>,
    pub(crate) identity: Option<&'a Identity>,
    /// Whom its certificate names.
    pub(crate) certificate: Option<&'a str>,
    /// Of its credential.
    pub(crate) digest: Option<&'a [u8; 32]>,
}

/// What a request finds under a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// A session, on this worker.
    On(u16),
    /// The same, of this user, whom the request has to prove: it shows another credential than the first one did.
    Unproven { worker: u16, user: Option<Arc<str>> },
    /// A session of someone else.
    Foreign,
}

impl Sessions {
    /// Looks for a session in the name of a client that claims it.
    pub(crate) fn find(&self, name: &SessionName, claim: Claim<'_>) -> Found {
        let Claim {
            secret,
            identity,
            certificate,
            digest,
        } = claim;
        let mut places = lock(&self.places);
        let Some(place) = places.get_mut(name) else {
            return Found::Nothing;
        };
        if place.identity.as_ref() != identity || place.certificate.as_deref() != certificate {
            return Found::Foreign;
        }
        let is_it = |own: &str, shown: &str| is_same_secret(own.as_bytes(), shown.as_bytes());
        match (&place.owner, secret) {
            (Owner::Anyone, _) | (Owner::Offered(_), None) => {}
            (Owner::Offered(offered), Some(shown)) if is_it(offered, shown) => {
                place.owner = Owner::Bound(Arc::clone(offered));
            }
            (Owner::Bound(bound), Some(shown)) if is_it(bound, shown) => {}
            _ => return Found::Foreign,
        }
        match &place.proof {
            Some(proof) if digest != Some(&proof.digest) => Found::Unproven {
                worker: place.worker,
                user: proof.principal.name.clone(),
            },
            _ => Found::On(place.worker),
        }
    }

    /// Says that a session is on `worker`, unless another one has it: that one is the error.
    pub(crate) fn claim(
        &self,
        name: &Arc<SessionName>,
        worker: u16,
        owner: &Owner,
        peer: &Peer,
    ) -> Result<(), u16> {
        let mut places = lock(&self.places);
        let place = places.entry(Arc::clone(name)).or_insert_with(|| Place {
            worker,
            owner: owner.clone(),
            identity: peer.identity.clone(),
            certificate: peer.certificate.clone(),
            proof: peer.proof.clone(),
        });
        if place.worker == worker {
            Ok(())
        } else {
            Err(place.worker)
        }
    }

    /// The session of `worker` is over.
    pub(crate) fn release(&self, name: &SessionName, worker: u16) {
        let mut places = lock(&self.places);
        if places.get(name).is_some_and(|place| place.worker == worker) {
            places.remove(name);
        }
    }
}

/// The answer to a client that would begin a session where there is no room for one.
pub(crate) fn no_room(receiver: &Receiver, no_entry: NoEntry) -> Answer {
    let mut answer = receiver.refused(no_entry.status().as_u16(), no_entry.sentence());
    let retry_after = ("retry-after", no_entry.retry_after().to_string().into());
    answer.headers.push(retry_after);
    answer
}

/// A fresh secret and the cookie that brings it to the client, sent back only with requests to urls of this session. None
/// where the url would write attributes of its own into the cookie (RFC 6265, section 4.1.1).
pub(crate) fn offer(path: &str, server: &str, session: &str) -> Option<(Owner, String)> {
    if [path, server, session]
        .iter()
        .any(|part| part.contains(';'))
    {
        return None;
    }
    let secret = random_name();
    let cookie =
        format!("{COOKIE}={secret}; Path={path}/{server}/{session}; HttpOnly; SameSite=Lax");
    Some((Owner::Offered(secret.into()), cookie))
}

/// The secret that a `cookie` header shows.
pub(crate) fn shown_secret(cookies: &str) -> Option<&str> {
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
        .filter(|secret| secret.len() == SECRET_BYTES)
}

#[cfg(test)]
mod tests {
    use tidings_core::security::Principal;

    use super::*;

    fn name(session: &str) -> Arc<SessionName> {
        Arc::new(SessionName {
            endpoint: 0,
            session: session.into(),
        })
    }

    fn secret_of(secret: Option<&str>) -> Claim<'_> {
        Claim {
            secret,
            ..Claim::default()
        }
    }

    fn offered() -> (Owner, String) {
        let (owner, cookie) = offer("/ws", "000", "abc").expect("the url is good");
        let secret = shown_secret(cookie.split(';').next().expect("it has parts"));
        let secret = secret.expect("it is the cookie").to_owned();
        (owner, secret)
    }

    #[test]
    fn a_session_is_anyones_until_its_secret_is_shown() {
        let (owner, secret) = offered();
        let sessions = Sessions::default();
        assert_eq!(sessions.find(&name("abc"), secret_of(None)), Found::Nothing);
        assert_eq!(
            sessions.claim(&name("abc"), 3, &owner, &Peer::default()),
            Ok(())
        );
        assert_eq!(sessions.find(&name("abc"), secret_of(None)), Found::On(3));
        assert_eq!(
            sessions.find(&name("abc"), secret_of(Some("other"))),
            Found::Foreign
        );
        assert_eq!(
            sessions.find(&name("abc"), secret_of(Some(&secret))),
            Found::On(3)
        );
        assert_eq!(sessions.find(&name("abc"), secret_of(None)), Found::Foreign);
        assert_eq!(
            sessions.find(&name("abc"), secret_of(Some("other"))),
            Found::Foreign
        );
        assert_eq!(
            sessions.find(&name("abd"), secret_of(Some(&secret))),
            Found::Nothing
        );
    }

    #[test]
    fn a_name_is_one_workers_until_that_releases_it() {
        let sessions = Sessions::default();
        assert_eq!(
            sessions.claim(&name("abc"), 1, &Owner::Anyone, &Peer::default()),
            Ok(())
        );
        assert_eq!(
            sessions.claim(&name("abc"), 1, &Owner::Anyone, &Peer::default()),
            Ok(())
        );
        assert_eq!(
            sessions.claim(&name("abc"), 2, &Owner::Anyone, &Peer::default()),
            Err(1)
        );
        sessions.release(&name("abc"), 2);
        assert_eq!(
            sessions.claim(&name("abc"), 2, &Owner::Anyone, &Peer::default()),
            Err(1)
        );
        sessions.release(&name("abc"), 1);
        assert_eq!(
            sessions.claim(&name("abc"), 2, &Owner::Anyone, &Peer::default()),
            Ok(())
        );
    }

    #[test]
    fn a_session_is_of_the_user_who_began_it() {
        let sessions = Sessions::default();
        let (ada, eve) = (Identity::new("ada"), Identity::new("eve"));
        let peer = Peer {
            identity: Some(ada.clone()),
            ..Peer::default()
        };
        let claimed = sessions.claim(&name("abc"), 1, &Owner::Anyone, &peer);
        assert_eq!(claimed, Ok(()));
        let find = |identity| {
            let claim = Claim {
                identity,
                ..Claim::default()
            };
            sessions.find(&name("abc"), claim)
        };
        assert_eq!(find(Some(&ada)), Found::On(1));
        assert_eq!(find(Some(&eve)), Found::Foreign);
        assert_eq!(find(None), Found::Foreign);
    }

    #[test]
    fn a_session_is_of_the_certificate_that_began_it() {
        let sessions = Sessions::default();
        let peer = Peer {
            certificate: Some("ada".into()),
            ..Peer::default()
        };
        let claimed = sessions.claim(&name("abc"), 1, &Owner::Anyone, &peer);
        assert_eq!(claimed, Ok(()));
        let find = |certificate| {
            let claim = Claim {
                certificate,
                ..Claim::default()
            };
            sessions.find(&name("abc"), claim)
        };
        assert_eq!(find(Some("ada")), Found::On(1));
        assert_eq!(find(Some("eve")), Found::Foreign);
        assert_eq!(find(None), Found::Foreign);
    }

    #[test]
    fn who_shows_another_credential_has_to_prove_the_same_user() {
        let sessions = Sessions::default();
        let proof = Proof {
            principal: Arc::new(Principal::user("ada")),
            csrf_token: None,
            digest: [1; 32],
        };
        let peer = Peer {
            proof: Some(Arc::new(proof)),
            ..Peer::default()
        };
        let claimed = sessions.claim(&name("abc"), 1, &Owner::Anyone, &peer);
        assert_eq!(claimed, Ok(()));
        let find = |digest| {
            let claim = Claim {
                digest,
                ..Claim::default()
            };
            sessions.find(&name("abc"), claim)
        };
        let unproven = Found::Unproven {
            worker: 1,
            user: Some("ada".into()),
        };
        assert_eq!(find(Some(&[1; 32])), Found::On(1));
        assert_eq!(find(Some(&[2; 32])), unproven);
        assert_eq!(find(None), unproven);
    }

    #[test]
    fn the_cookie_is_for_one_session_only() {
        let (_, cookie) = offer("/ws", "000", "abc").expect("the url is good");
        let secret = &cookie["tidings-session=".len()..][..32];
        assert_eq!(
            cookie,
            format!("tidings-session={secret}; Path=/ws/000/abc; HttpOnly; SameSite=Lax")
        );
        assert!(offer("/ws", "000;Domain=localhost", "abc").is_none());
        assert!(offer("/ws", "000", "abc;Max-Age=99999").is_none());
        let shown = format!("a=b; tidings-session={secret}; c");
        assert_eq!(shown_secret(&shown), Some(secret));
        assert_eq!(shown_secret(&format!("tidings-session2={secret}")), None);
        assert_eq!(shown_secret("tidings-session=short"), None);
    }
}
