//! The handshake of WebSocket.

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use tidings_core::disconnect::Reason;
use tidings_websocket::{Accepted, HandshakeError, RequestHead, negotiate};
use tracing::debug;

use super::answer::{no_entry, sentence};
use super::carrier::Way;
use super::{Carrier, Entrance, origin, proof};
use crate::clock;
use crate::endpoint::Service;
use crate::link::{FULL_WINDOW_BITS, Framing, LinkKind};
use crate::node::lock;
use crate::peer::{Peer, Proof};
use crate::worker::{Adoption, Bare};

/// The sub-protocols of STOMP over WebSocket.
const PROTOCOLS: &[&str] = &["v10.stomp", "v11.stomp", "v12.stomp"];

/// Whether a request tries to be a handshake. One that offers another protocol, as some clients of HTTP/2 do, may be
/// answered without heeding that (RFC 9110, section 7.8).
pub(super) fn is_attempt(headers: &HeaderMap) -> bool {
    let mut offered = headers
        .get_all(header::UPGRADE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    offered.any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
        || headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

/// Answers a handshake; a good one is handed to a worker, socket and all.
pub(super) async fn upgrade(
    entrance: &Entrance,
    carrier: Carrier,
    request: &Parts,
    framing: Framing,
) -> Response<Body> {
    let accepted = match accept(entrance, &carrier, request, framing) {
        Ok(accepted) => accepted,
        Err(refused) => {
            entrance
                .node
                .telemetry
                .disconnected(Reason::HandshakeFailed);
            debug!(peer = %carrier.peer, status = %refused.status(), "handshake refused");
            return *refused;
        }
    };
    // Before what is shown is looked at: who may not come costs no check.
    let place = match carrier.begin(&entrance.node) {
        Ok(place) => place,
        Err(refused) => {
            entrance.node.telemetry.disconnected(refused.reason);
            debug!(peer = %carrier.peer, reason = %refused.reason, "a client was turned away");
            return no_entry(refused);
        }
    };
    match prove(entrance, &carrier, request).await {
        Ok(proof) => {
            let node = entrance.node.clone();
            let service = entrance.endpoint.service.clone();
            let link = LinkKind::WebSocket {
                deflate: accepted.deflate,
                framing,
            };
            let peer = Peer {
                proof,
                ..carrier.peer.clone()
            };
            let adopt = move |mut bare: Bare, opening| {
                bare.ticket.settle(place);
                node.adopt(Adoption {
                    stream: bare.stream,
                    peer,
                    opening,
                    link,
                    service,
                    ready_at: clock::now(),
                    early: bare.early,
                    ticket: bare.ticket,
                });
            };
            match carrier.way {
                Way::Own(tie) => {
                    tie.take_over(move |bare| adopt(bare, switching_protocols(&accepted)))
                        .await
                }
                Way::Upgrade(upgrade) => match lock(&upgrade).take() {
                    Some(upgrade) => {
                        let adopt = |bare| adopt(bare, Vec::new());
                        upgrade.answer(&accepted, carrier.peer, adopt)
                    }
                    None => sentence(StatusCode::BAD_REQUEST, "the handshake was answered before"),
                },
            }
        }
        Err(refused) => *refused,
    }
}

fn accept(
    entrance: &Entrance,
    carrier: &Carrier,
    request: &Parts,
    framing: Framing,
) -> Result<Accepted, Box<Response<Body>>> {
    let headers = &request.headers;
    let joined = |name: HeaderName| {
        let values = headers.get_all(name);
        let values: Vec<_> = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        values.join(", ")
    };
    let head = RequestHead {
        method: request.method.as_str(),
        http_1_1: request.version >= Version::HTTP_11,
        upgrade: &joined(header::UPGRADE),
        connection: &joined(header::CONNECTION),
        key: &joined(header::SEC_WEBSOCKET_KEY),
        version: &joined(header::SEC_WEBSOCKET_VERSION),
        protocols: &joined(header::SEC_WEBSOCKET_PROTOCOL),
        extensions: &joined(header::SEC_WEBSOCKET_EXTENSIONS),
    };
    let protocols = match entrance.endpoint.service {
        Service::Stomp => PROTOCOLS,
        Service::Messages(_) => &[],
    };
    let is_sockjs = matches!(framing, Framing::SockJs { .. });
    let compression = entrance.node.config.websocket.compression && !is_sockjs;
    let accepted = negotiate(&head, protocols, compression).map_err(refuse)?;
    // A broadcast is compressed once for all, with the full window: a client that wants less gets it uncompressed.
    let deflate = accepted
        .deflate
        .filter(|deflate| deflate.server_max_window_bits == FULL_WINDOW_BITS);
    let accepted = Accepted {
        deflate,
        ..accepted
    };
    if origin::is_allowed(&entrance.endpoint.allowed_origins, headers, &carrier.site) {
        Ok(accepted)
    } else {
        Err(Box::new(forbidden()))
    }
}

/// Whom the request proves, if it shows anything. What a browser sends by itself counts only where a page that may connect
/// has asked for it.
async fn prove(
    entrance: &Entrance,
    carrier: &Carrier,
    request: &Parts,
) -> Result<Option<Arc<Proof>>, Box<Response<Body>>> {
    let Some(shown) = proof::shown(entrance, carrier, request) else {
        return Ok(None);
    };
    if shown.is_ambient()
        && !origin::is_proven(
            &entrance.endpoint.allowed_origins,
            &request.headers,
            &carrier.site,
        )
    {
        return Err(Box::new(forbidden()));
    }
    shown.prove(&entrance.node, carrier).await.map(Some)
}

/// The page that a request comes from may not connect.
pub(super) fn forbidden() -> Response<Body> {
    sentence(
        StatusCode::FORBIDDEN,
        "this origin may not connect; add it to websocket.allowed_origins",
    )
}

/// The response that ends HTTP; from here on it is WebSocket.
fn switching_protocols(accepted: &Accepted) -> Vec<u8> {
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for (name, value) in agreed(accepted, false) {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// What the response to a handshake says (RFC 6455, section 4.2.2), or that to a stream of HTTP/2 (RFC 8441, section 5.1).
pub(super) fn agreed(accepted: &Accepted, is_stream: bool) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if !is_stream {
        headers.push(("connection", "Upgrade".to_owned()));
        headers.push(("upgrade", "websocket".to_owned()));
        headers.push(("sec-websocket-accept", accepted.accept.to_string()));
    }
    if let Some(protocol) = accepted.protocol {
        headers.push(("sec-websocket-protocol", protocol.to_owned()));
    }
    if let Some(deflate) = accepted.deflate {
        headers.push((
            "sec-websocket-extensions",
            deflate.response_header().to_string(),
        ));
    }
    headers
}

fn refuse(error: HandshakeError) -> Box<Response<Body>> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = sentence(status, &error.to_string());
    for (name, value) in error.headers() {
        response
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    Box::new(response)
}
