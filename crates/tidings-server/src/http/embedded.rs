//! The endpoints within the application that embeds the server: its HTTP library has the connections.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, Version, header};
use axum::routing::any;
use hyper::service::Service as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::service::TowerToHyperService;

use super::answer::sentence;
use super::carrier::{Carrier, Way, address_of};
use super::forward::forward;
use super::upgrade::Upgrade;
use super::{Http, handshake};
use crate::api::API_PATH;
use crate::peer::{Identity, Peer};

/// When a client that was turned away may come back.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Stands for the key of a handshake that needs none: sixteen bytes in base64.
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// Where requests of the application around the server come in, once that runs.
#[derive(Default)]
pub(crate) struct Door {
    http: OnceLock<Arc<Http>>,
}

impl Door {
    /// Lets requests in.
    pub(crate) fn open(&self, http: &Arc<Http>) {
        // A server runs once.
        let _ = self.http.set(Arc::clone(http));
    }

    /// What serves, or why nothing does.
    fn http(&self) -> Result<&Arc<Http>, &'static str> {
        match self.http.get() {
            Some(http) if !http.node.is_draining() => Ok(http),
            Some(_) => Err("messaging has stopped: connect again later"),
            None => Err("messaging has not started yet: connect again soon"),
        }
    }
}

/// The routes of endpoints, each of them with its path and whether it has SockJS beneath that, and of the HTTP API.
pub(crate) fn routes<'a>(
    door: &Arc<Door>,
    endpoints: impl Iterator<Item = (&'a str, bool)>,
    has_api: bool,
) -> Router {
    let mut router = Router::new();
    for (path, has_sockjs) in endpoints {
        let beneath: &[_] = if has_sockjs {
            &["", "/", "/{*rest}"]
        } else {
            &[""]
        };
        for beneath in beneath {
            router = router.route(&format!("{path}{beneath}"), any(enter));
        }
    }
    if has_api {
        for beneath in ["", "/", "/{*rest}"] {
            router = router.route(&format!("{API_PATH}{beneath}"), any(call));
        }
    }
    router.with_state(Arc::clone(door))
}

/// Answers a request to an endpoint.
async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let http = match door.http() {
        Ok(http) => Arc::clone(http),
        Err(why) => return not_now(why),
    };
    let Some(ticket) = http.node.admit() else {
        http.node.telemetry.disconnected(http.node.refusal_reason());
        return not_now("the server takes no more connections now");
    };
    let (mut parts, body) = request.into_parts();
    let (peer, prefix) = (peer(&parts), prefix(&parts));
    name_host(&mut parts);
    match parts.extensions.remove::<OnUpgrade>() {
        Some(socket) if is_handshake(&parts) => {
            let way = Way::Upgrade(Arc::new(Mutex::new(Some(Upgrade {
                socket,
                is_stream: unify(&mut parts),
                ticket,
                http: Arc::clone(&http),
            }))));
            ask(&http, parts, body, Carrier { peer, prefix, way }).await
        }
        _ => forward(http, parts, body, peer, prefix, ticket).await,
    }
}

/// Answers a request to the HTTP API.
async fn call(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let http = match door.http() {
        Ok(http) => http,
        Err(why) => return not_now(why),
    };
    let (mut parts, body) = request.into_parts();
    match parts.extensions.remove::<ConnectInfo<SocketAddr>>() {
        Some(address) => ask(http, parts, body, address).await,
        None => ask(http, parts, body, ()).await,
    }
}

/// Asks the routes of the server itself, which are to know what the request came by. What the routes around it have found
/// out in their own paths stays outside.
async fn ask(
    http: &Http,
    parts: Parts,
    body: Body,
    came_by: impl Clone + Send + Sync + 'static,
) -> Response<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = parts.uri;
    *request.version_mut() = parts.version;
    *request.headers_mut() = parts.headers;
    request.extensions_mut().insert(came_by);
    match TowerToHyperService::new(http.router.clone())
        .call(request)
        .await
    {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Who asks, as far as the application around the server tells.
fn peer(parts: &Parts) -> Peer {
    Peer {
        address: address_of(&parts.extensions),
        identity: parts.extensions.get::<Identity>().cloned(),
        certificate: None,
    }
}

/// What stands before the path of the request where it was nested.
fn prefix(parts: &Parts) -> Arc<str> {
    let original = parts.extensions.get::<OriginalUri>();
    original
        .and_then(|OriginalUri(uri)| uri.path().strip_suffix(parts.uri.path()))
        .unwrap_or_default()
        .into()
}

/// HTTP/2 has the host in the address only (RFC 9113, section 8.3.1).
fn name_host(parts: &mut Parts) {
    let host = parts.uri.authority();
    let host = host.and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host.filter(|_| !parts.headers.contains_key(header::HOST)) {
        parts.headers.insert(header::HOST, host);
    }
}

/// A CONNECT that has a path comes by HTTP/2 and names a protocol (RFC 8441, section 4).
fn is_stream(parts: &Parts) -> bool {
    parts.method == Method::CONNECT && parts.version == Version::HTTP_2
}

fn is_handshake(parts: &Parts) -> bool {
    match is_stream(parts) {
        true => parts.headers.contains_key(header::SEC_WEBSOCKET_VERSION),
        false => handshake::is_attempt(&parts.headers),
    }
}

/// Makes the handshake of a stream of HTTP/2 read as one of HTTP/1.1; whether it was one.
fn unify(parts: &mut Parts) -> bool {
    let is_stream = is_stream(parts);
    if is_stream {
        parts.method = Method::GET;
        parts.version = Version::HTTP_11;
        for (name, value) in [
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_KEY, NO_KEY),
        ] {
            parts.headers.insert(name, HeaderValue::from_static(value));
        }
    }
    is_stream
}

/// The client may try again.
fn not_now(text: &str) -> Response<Body> {
    let mut response = sentence(StatusCode::SERVICE_UNAVAILABLE, text);
    let retry_after = HeaderValue::from(RETRY_AFTER_SECONDS);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, retry_after);
    response
}
