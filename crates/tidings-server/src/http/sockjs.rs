//! Requests to an endpoint: SockJS, or WebSocket at the path itself.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version, header,
};
use tidings_sockjs::{Options, Receiver, RequestHead, Route, Sender, route};
use tokio::sync::oneshot;

use super::answer::{response, sentence};
use super::carrier::Way;
use super::handshake::{self, forbidden};
use super::proof::{self, Shown};
use super::protection::CROSS_ORIGIN_RESOURCE_POLICY;
use super::{Carrier, Entrance, embedding, origin};
use crate::clock;
use crate::endpoint::{CLIENT_LIBRARY, Endpoint, Service, own_client_library};
use crate::link::Framing;
use crate::node::Node;
use crate::peer::Peer;
use crate::sockjs::{Claim, Found, Owner, SessionName, no_room, offer, shown_secret};
use crate::worker::{Letter, Listen, Say};

/// A request to listen has nothing to say; clients that send a body all the same send a short one.
const MAX_IGNORED_BODY_BYTES: usize = 64 * 1024;

/// Answers a request to an endpoint or beneath it.
pub(super) async fn enter(
    State(entrance): State<Arc<Entrance>>,
    Extension(carrier): Extension<Carrier>,
    request: Request,
) -> Response<Body> {
    let endpoint = &entrance.endpoint;
    let (parts, body) = request.into_parts();
    let plain = match endpoint.service {
        Service::Stomp => Framing::Stream,
        Service::Messages(_) => Framing::Messages,
    };
    let beneath = parts.uri.path().get(endpoint.path.len()..).unwrap_or("/");
    let is_plain = beneath.is_empty() && handshake::is_attempt(&parts.headers);
    let Some(options) = endpoint.sockjs.as_ref().filter(|_| !is_plain) else {
        return handshake::upgrade(&entrance, carrier, &parts, plain).await;
    };
    if !origin::is_allowed(&endpoint.allowed_origins, &parts.headers, &carrier.site) {
        return forbidden();
    }
    let cookies = cookies(&parts.headers);
    let head = head(
        &parts,
        beneath,
        cookies.as_deref(),
        entrance.node.is_draining(),
    );
    let options = &at_its_place(options, endpoint, &carrier.prefix);
    match route(options, &head, || getrandom::u32().unwrap_or_default()) {
        Route::Answer(_) if beneath.strip_prefix('/') == Some(CLIENT_LIBRARY) => {
            client_library(&entrance, &parts)
        }
        Route::Answer(answer) => {
            let mut response = response(answer);
            let has_page = response.headers().contains_key(header::ETAG);
            if has_page && options.legacy_transports {
                let policy = embedding::iframe_policy(
                    &endpoint.allowed_origins,
                    &options.client_library_url,
                );
                embedding::set(header::CONTENT_SECURITY_POLICY, &policy, &mut response);
            }
            response
        }
        Route::WebSocket => {
            let heartbeat_time = options.heartbeat_time;
            let framing = Framing::SockJs { heartbeat_time };
            handshake::upgrade(&entrance, carrier, &parts, framing).await
        }
        Route::RawWebSocket => handshake::upgrade(&entrance, carrier, &parts, plain).await,
        Route::Receive {
            server,
            session,
            receiver,
        } => {
            let url = (server, session);
            let secret = head.cookie.and_then(shown_secret);
            let shown = proof::shown(&entrance, &carrier, &parts);
            if !may_show(&entrance, &carrier, shown.as_ref(), &parts.headers) {
                return forbidden();
            }
            listen(&entrance, carrier, body, url, receiver, (secret, shown)).await
        }
        Route::Send { session, sender } => {
            let name = entrance.name(session);
            let secret = head.cookie.and_then(shown_secret);
            let content_type = text(&parts.headers, header::CONTENT_TYPE).unwrap_or_default();
            let shown = proof::shown(&entrance, &carrier, &parts);
            if !may_show(&entrance, &carrier, shown.as_ref(), &parts.headers) {
                return forbidden();
            }
            let asked = Asked {
                name,
                secret,
                shown,
                carrier: &carrier,
            };
            let mut response = say(&entrance.node, body, asked, &sender, content_type).await;
            if options.legacy_transports {
                embedding::allow_frames(&mut response);
            }
            response
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// All `cookie` headers as one.
fn cookies(headers: &HeaderMap) -> Option<String> {
    let all: Vec<_> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn head<'a>(
    parts: &'a Parts,
    beneath: &'a str,
    cookie: Option<&'a str>,
    is_draining: bool,
) -> RequestHead<'a> {
    let http_1_1 = parts.version >= Version::HTTP_11;
    let says = |option: &str| {
        text(&parts.headers, header::CONNECTION).is_some_and(|options| {
            options
                .split(',')
                .any(|one| one.trim().eq_ignore_ascii_case(option))
        })
    };
    let keep_alive = if http_1_1 {
        !says("close")
    } else {
        says("keep-alive")
    };
    RequestHead {
        method: parts.method.as_str(),
        path: beneath,
        query: parts.uri.query().unwrap_or_default(),
        http_1_1,
        keep_alive: keep_alive && !is_draining,
        origin: text(&parts.headers, header::ORIGIN),
        access_control_request_headers: text(
            &parts.headers,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
        ),
        cookie,
        if_none_match: text(&parts.headers, header::IF_NONE_MATCH),
    }
}

impl Entrance {
    fn name(&self, session: &str) -> Arc<SessionName> {
        Arc::new(SessionName {
            endpoint: self.place,
            session: session.into(),
        })
    }
}

/// Hands the socket to the worker of the session, which answers.
async fn listen(
    entrance: &Entrance,
    carrier: Carrier,
    body: Body,
    (server, session): (&str, &str),
    mut receiver: Receiver,
    (secret, shown): (Option<&str>, Option<Shown>),
) -> Response<Body> {
    let node = Arc::clone(&entrance.node);
    if !body.is_end_stream() && to_bytes(body, MAX_IGNORED_BODY_BYTES).await.is_err() {
        return response(receiver.refused(413, "a request to listen needs no body\n"));
    }
    let name = entrance.name(session);
    let mut owner = secret.map_or(Owner::Anyone, |secret| Owner::Bound(secret.into()));
    let asked = Asked {
        name: Arc::clone(&name),
        secret,
        shown,
        carrier: &carrier,
    };
    let mut proof = None;
    let (worker, ticket) = match find(&node, &asked).await {
        Found::On(worker) => (usize::from(worker), None),
        Found::Foreign | Found::Unproven { .. } => {
            return response(receiver.refused(404, "there is no such session\n"));
        }
        Found::Nothing => {
            let address = carrier.peer.ip();
            let begun = node.admission.begin(address, clock::now());
            let ticket = match begun.and_then(|()| node.admit(address)) {
                Ok(ticket) => ticket,
                Err(no_entry) => {
                    node.telemetry.disconnected(no_entry.reason);
                    return response(no_room(&receiver, no_entry));
                }
            };
            if let Some(shown) = asked.shown {
                proof = match shown.prove(&node, &carrier).await {
                    Ok(proof) => Some(proof),
                    Err(refused) => return *refused,
                };
            }
            if entrance.endpoint.bind_sessions && secret.is_none() {
                let path = format!("{}{}", carrier.prefix, entrance.endpoint.path);
                let offer = offer(&path, server, session);
                if let Some((offered, cookie)) = offer {
                    receiver.set_cookie(cookie);
                    owner = offered;
                }
            }
            (node.next_worker(), Some(ticket))
        }
    };
    if !entrance.endpoint.bind_sessions {
        owner = Owner::Anyone;
    }
    let Way::Own(tie) = carrier.way else {
        return response(receiver.refused(400, "a request to listen is no handshake\n"));
    };
    let endpoint = Arc::clone(&entrance.endpoint);
    let peer = Peer {
        proof,
        ..carrier.peer
    };
    tie.take_over(move |bare| {
        let listen = Listen {
            name,
            endpoint,
            owner,
            peer,
            ticket,
            receiver,
            bare,
        };
        node.mailboxes[worker].post(Letter::Listen(Box::new(listen)), 0);
    })
    .await
}

/// Whose session a request asks for.
struct Asked<'a> {
    name: Arc<SessionName>,
    secret: Option<&'a str>,
    shown: Option<Shown>,
    carrier: &'a Carrier,
}

/// A cookie counts only where a page that may connect has asked.
fn may_show(
    entrance: &Entrance,
    carrier: &Carrier,
    shown: Option<&Shown>,
    headers: &HeaderMap,
) -> bool {
    let is_ambient = shown.is_some_and(Shown::is_ambient);
    !is_ambient || origin::is_proven(&entrance.endpoint.allowed_origins, headers, &carrier.site)
}

/// Looks for the session of a request. What proved it may have been renewed since: then it has to prove the same user.
async fn find(node: &Node, asked: &Asked<'_>) -> Found {
    let Asked {
        name,
        secret,
        shown,
        carrier,
    } = asked;
    let identity = carrier.peer.identity.as_ref();
    let digest = shown.as_ref().map(Shown::digest);
    let claim = Claim {
        secret: *secret,
        identity,
        certificate: carrier.peer.certificate.as_deref(),
        digest: digest.as_ref(),
    };
    match (node.sockjs.find(name, claim), shown) {
        (Found::Unproven { worker, user }, Some(shown)) => {
            match shown.clone().prove(node, carrier).await {
                // Two who have no name are not one.
                Ok(proof) if user.is_some() && proof.principal.name == user => Found::On(worker),
                _ => Found::Foreign,
            }
        }
        (Found::Unproven { .. }, None) => Found::Foreign,
        (found, _) => found,
    }
}

/// Brings messages to the worker of the session; answers once that has them.
async fn say(
    node: &Node,
    body: Body,
    asked: Asked<'_>,
    sender: &Sender,
    content_type: &str,
) -> Response<Body> {
    let Found::On(worker) = find(node, &asked).await else {
        return response(sender.unknown_session());
    };
    let name = asked.name;
    let limit = node.config.sockjs.max_payload_bytes;
    let Ok(body) = to_bytes(body, limit).await else {
        return response(sender.too_large(limit));
    };
    let messages = match sender.decode(content_type, &body) {
        Ok(messages) => messages,
        Err(error) => return response(sender.refused(error)),
    };
    node.wait_for_space().await;
    let (heard, answer) = oneshot::channel();
    let weight = messages.iter().map(String::len).sum();
    let say = Say {
        name,
        messages,
        heard,
    };
    node.mailboxes[usize::from(worker)].post(Letter::Say(say), weight);
    match answer.await {
        Ok(true) => response(sender.accepted()),
        _ => response(sender.unknown_session()),
    }
}

/// The server's own copy of sockjs-client is where the application around the server has nested it.
fn at_its_place<'a>(options: &'a Options, endpoint: &Endpoint, prefix: &str) -> Cow<'a, Options> {
    let own = own_client_library(&endpoint.path);
    if prefix.is_empty() || options.client_library_url != own {
        return Cow::Borrowed(options);
    }
    Cow::Owned(Options {
        client_library_url: format!("{prefix}{own}"),
        ..options.clone()
    })
}

/// The script that the iframe page loads.
fn client_library(entrance: &Entrance, parts: &Parts) -> Response<Body> {
    let Some(library) = &entrance.client_library else {
        return sentence(
            StatusCode::NOT_FOUND,
            "this server was built without sockjs-client; set sockjs.client_library_url",
        );
    };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return sentence(StatusCode::METHOD_NOT_ALLOWED, "this is a file; GET it");
    }
    let mut response = Response::new(Body::from(library.clone()));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        // Pages of other origins load it as a script.
        (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
