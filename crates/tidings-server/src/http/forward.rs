//! Requests that an application around the server has taken: they are asked again on a connection within this process,
//! since a client of SockJS is answered by a worker, which needs a connection that is all its own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tracing::debug;

use super::Http;
use super::answer::sentence;
use super::connection::{self, Arrival};
use crate::node::Ticket;
use crate::peer::Peer;
use crate::stream::{Pipe, Stream};

/// Ends a task when it is dropped.
struct Bound(AbortHandle);

impl Drop for Bound {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks a request again. When the client goes away the answer is dropped, and with it the connection, so that the worker
/// learns of it.
pub(super) async fn forward(
    http: Arc<Http>,
    parts: Parts,
    body: Body,
    peer: Peer,
    prefix: Arc<str>,
    ticket: Ticket,
) -> Response<Body> {
    let (near, far) = Pipe::pair();
    let runtime = http.runtime.clone();
    let arrival = Arrival {
        stream: Stream::Pipe(far),
        peer,
        prefix,
        early: Bytes::new(),
        ticket,
    };
    runtime.spawn(connection::serve(http, arrival));
    match ask(near, request(parts, body), &runtime).await {
        Ok(response) => response,
        Err(error) => {
            debug!(%error, "a forwarded request was not answered");
            match error.is_user() {
                // What the application around the server has given us of the body ends with an error.
                true => sentence(StatusCode::BAD_REQUEST, "the body did not arrive"),
                false => sentence(
                    StatusCode::BAD_GATEWAY,
                    "the request was not answered: try again",
                ),
            }
        }
    }
}

async fn ask(
    near: Pipe,
    request: Request<Body>,
    runtime: &tokio::runtime::Handle,
) -> hyper::Result<Response<Body>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await?;
    let driven = Bound(runtime.spawn(connection).abort_handle());
    let (mut parts, body) = sender.send_request(request).await?.into_parts();
    remove_hop_by_hop(&mut parts.headers);
    let body = body.map_frame(move |frame| {
        // The connection lives as long as somebody reads the body.
        let _ = &driven;
        frame
    });
    Ok(Response::from_parts(parts, Body::new(body)))
}

/// The same request for a connection of HTTP/1.1 that has no other.
fn request(parts: Parts, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    let path = parts.uri.path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.version_mut() = Version::HTTP_11;
    let mut headers = parts.headers;
    remove_hop_by_hop(&mut headers);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    *request.headers_mut() = headers;
    request
}

/// Removes the headers that are about one connection only (RFC 9110, section 7.6.1).
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<_> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in named {
        headers.remove(&*name);
    }
    for name in [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ] {
        headers.remove(name);
    }
}
