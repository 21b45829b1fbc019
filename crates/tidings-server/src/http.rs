//! The WebSocket handshake over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use axum::routing::any;
use axum::{Extension, Router};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tidings_core::disconnect::Reason;
use tidings_websocket::{
    Accepted, HandshakeError, RequestHead, is_same_origin, negotiate, normalize_origin,
};
use tokio::net::TcpStream;
use tracing::{debug, warn};

use crate::config::AllowedOrigins;
use crate::link::{FULL_WINDOW_BITS, LinkKind};
use crate::node::{Node, Ticket, lock};
use crate::worker::Adoption;

/// The sub-protocols of STOMP over WebSocket.
const PROTOCOLS: &[&str] = &["v10.stomp", "v11.stomp", "v12.stomp"];

/// The TCP connection that a request came by.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Moves to the WebSocket when the connection becomes one.
    pub(crate) ticket: Arc<Mutex<Option<Ticket>>>,
}

/// `pages` with the WebSocket endpoint in it.
pub(crate) fn router(node: &Arc<Node>, pages: Router) -> Router {
    let endpoint = Router::new()
        .route(&node.config.websocket.path, any(upgrade))
        .with_state(Arc::clone(node));
    endpoint.fallback_service(pages)
}

async fn upgrade(
    State(node): State<Arc<Node>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Response<Body> {
    match accept(&node, &request) {
        Ok(accepted) => {
            let on_upgrade = hyper::upgrade::on(&mut request);
            let response = switching_protocols(&accepted);
            tokio::spawn(adopt(node, peer, on_upgrade, accepted));
            response
        }
        Err(refused) => {
            node.telemetry.disconnected(Reason::HandshakeFailed);
            debug!(peer = %peer.address, status = %refused.status(), "handshake refused");
            *refused
        }
    }
}

fn accept(node: &Node, request: &Request) -> Result<Accepted, Box<Response<Body>>> {
    let headers = request.headers();
    let joined = |name: HeaderName| {
        let values = headers.get_all(name);
        let values: Vec<_> = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        values.join(", ")
    };
    let head = RequestHead {
        method: request.method().as_str(),
        http_1_1: request.version() >= Version::HTTP_11,
        upgrade: &joined(header::UPGRADE),
        connection: &joined(header::CONNECTION),
        key: &joined(header::SEC_WEBSOCKET_KEY),
        version: &joined(header::SEC_WEBSOCKET_VERSION),
        protocols: &joined(header::SEC_WEBSOCKET_PROTOCOL),
        extensions: &joined(header::SEC_WEBSOCKET_EXTENSIONS),
    };
    let accepted =
        negotiate(&head, PROTOCOLS, node.config.websocket.compression).map_err(refuse)?;
    // A broadcast is compressed once for all, with the full window: a client that wants less gets it uncompressed.
    let deflate = accepted
        .deflate
        .filter(|deflate| deflate.server_max_window_bits == FULL_WINDOW_BITS);
    let accepted = Accepted {
        deflate,
        ..accepted
    };
    if is_allowed(&node.config.websocket.allowed_origins, headers) {
        Ok(accepted)
    } else {
        Err(answer(
            StatusCode::FORBIDDEN,
            &[],
            "this origin may not connect; add it to websocket.allowed_origins",
        ))
    }
}

/// No `Origin`: not a browser. Otherwise a page of this host, whichever of http and https it came by (a proxy may have
/// ended TLS), or one that the configuration lists.
fn is_allowed(allowed: &AllowedOrigins, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let same = || is_same_origin(origin, "http", host) || is_same_origin(origin, "https", host);
    match allowed {
        AllowedOrigins::Any => true,
        AllowedOrigins::SameOrigin => same(),
        AllowedOrigins::List(list) => {
            same() || normalize_origin(origin).is_some_and(|origin| list.contains(&origin))
        }
    }
}

fn switching_protocols(accepted: &Accepted) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let mut insert = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert(header::SEC_WEBSOCKET_ACCEPT, &accepted.accept);
    if let Some(protocol) = accepted.protocol {
        insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    if let Some(deflate) = accepted.deflate {
        insert(header::SEC_WEBSOCKET_EXTENSIONS, &deflate.response_header());
    }
    response
}

fn refuse(error: HandshakeError) -> Box<Response<Body>> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    answer(status, error.headers(), &error.to_string())
}

fn answer(
    status: StatusCode,
    extra: &[(&'static str, &'static str)],
    text: &str,
) -> Box<Response<Body>> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    for (name, value) in extra {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    Box::new(response)
}

/// Takes the bare socket over from HTTP. Registered anew with the runtime of its worker, nothing of HTTP stays behind
/// it: kept, the old registration would hold the finished task of the HTTP connection, 1 KB of it, by its waker.
async fn adopt(node: Arc<Node>, peer: Peer, on_upgrade: OnUpgrade, accepted: Accepted) {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            debug!(peer = %peer.address, %error, "the handshake was not finished");
            return;
        }
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        warn!("an upgraded connection was not plain TCP");
        return;
    };
    let (Ok(stream), Some(ticket)) = (parts.io.into_inner().into_std(), lock(&peer.ticket).take())
    else {
        return;
    };
    node.adopt(Adoption {
        stream,
        peer: peer.address,
        link: LinkKind::WebSocket {
            deflate: accepted.deflate,
        },
        ready_at: Instant::now(),
        early: parts.read_buf,
        ticket,
    });
}
