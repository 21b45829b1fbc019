//! The private listener: health, metrics, statistics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Serialize;

use crate::http::protect;
use crate::node::{Node, lock};

/// What `/stats` says.
#[derive(Serialize)]
struct Stats {
    /// Version of the server.
    version: &'static str,
    /// Open connections, HTTP ones included.
    connections: usize,
    /// Addresses that have connections which `server.max_connections_per_address` counts.
    addresses: usize,
    /// Worker threads.
    workers: usize,
    /// Users with at least one session.
    users: usize,
    /// Subscriptions that stand.
    subscriptions: i64,
    queues: Vec<QueueStats>,
}

#[derive(Serialize)]
struct QueueStats {
    name: String,
    waiting: usize,
    unsettled: usize,
    consumers: usize,
    bytes: u64,
}

pub(crate) fn router(node: &Arc<Node>) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/stats", get(stats))
        .with_state(Arc::clone(node))
        .layer(map_response(protect))
}

async fn ready(State(node): State<Arc<Node>>) -> impl IntoResponse {
    if node.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn metrics(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let revocations = node.security.revocations().count(node.now_ms());
    let revocations = i64::try_from(revocations).unwrap_or(i64::MAX);
    node.telemetry.revocations.set(revocations);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], node.telemetry.render())
}

async fn stats(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let queues = node.queues.snapshot().into_iter().map(|queue| QueueStats {
        name: queue.name.into(),
        waiting: queue.waiting,
        unsettled: queue.unsettled,
        consumers: queue.consumers,
        bytes: queue.bytes,
    });
    axum::Json(Stats {
        version: env!("CARGO_PKG_VERSION"),
        connections: node.admitted(),
        addresses: node.admission.addresses(),
        workers: node.mailboxes.len(),
        users: lock(&node.users).count(),
        subscriptions: node.telemetry.subscriptions.get(),
        queues: queues.collect(),
    })
}
