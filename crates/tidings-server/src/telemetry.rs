//! What the server counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tidings_core::disconnect::Reason;

use crate::limits::limit_of;

/// Handles to all counters; cloning shares them.
#[derive(Clone)]
pub(crate) struct Telemetry {
    registry: Arc<Registry>,
    /// Open connections by link.
    pub(crate) connections: Family<LinkLabel, Gauge<i64, AtomicI64>>,
    /// Connections opened since the start by link.
    pub(crate) connections_opened: Family<LinkLabel, Counter>,
    /// Why connections ended.
    pub(crate) disconnects: Family<ReasonLabel, Counter>,
    /// Subscriptions that stand.
    pub(crate) subscriptions: Gauge<i64, AtomicI64>,
    /// SEND frames taken.
    pub(crate) messages_received: Counter<u64, AtomicU64>,
    /// MESSAGE frames handed to outboxes.
    pub(crate) messages_delivered: Counter<u64, AtomicU64>,
    /// Messages lost by a policy or a limit, by cause.
    pub(crate) messages_dropped: Family<DropLabel, Counter>,
    /// Handshakes of TLS that came to nothing, by reason.
    pub(crate) tls_failures: Family<ReasonLabel, Counter>,
    /// Requests that the application could not do, by reason.
    pub(crate) application_failures: Family<ReasonLabel, Counter>,
    /// Requests of the HTTP API, by operation and status.
    pub(crate) api_requests: Family<ApiLabel, Counter>,
    /// Messages that the HTTP API sent.
    pub(crate) api_messages: Counter<u64, AtomicU64>,
    /// How long requests to back ends took, by how they ended.
    pub(crate) webhook_seconds: Family<OutcomeLabel, Histogram, fn() -> Histogram>,
    /// Back ends that are left alone at the moment.
    pub(crate) webhook_breakers_open: Gauge<i64, AtomicI64>,
    pub(crate) revocations: Gauge<i64, AtomicI64>,
    /// Messages moved to the dead-letter queue.
    pub(crate) dead_letters: Counter<u64, AtomicU64>,
    /// Bytes read from clients.
    pub(crate) bytes_read: Counter<u64, AtomicU64>,
    /// Bytes written to clients.
    pub(crate) bytes_written: Counter<u64, AtomicU64>,
    /// Bytes that wait in outboxes, behind full sockets or for a client of SockJS to listen again. What a response of
    /// SockJS has taken already is not among them.
    pub(crate) outbox_bytes: Gauge<i64, AtomicI64>,
    /// How often the configuration was to change while the server ran, by what became of it.
    pub(crate) reloads: Family<OutcomeLabel, Counter>,
    /// How often a session was not read because another worker's mailbox was full.
    pub(crate) reads_paused: Counter<u64, AtomicU64>,
    /// How often clients came to a limit, by the key of the configuration.
    pub(crate) limits_reached: Family<LimitLabel, Counter>,
    /// What the audit log was told, by event.
    pub(crate) audit_events: Family<EventLabel, Counter>,
    /// Events of the audit log that were not written, for there were too many.
    pub(crate) audit_suppressed: Counter<u64, AtomicU64>,
}

/// Label of a link: `websocket` or `tcp`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LinkLabel {
    pub(crate) link: &'static str,
}

/// Label of a disconnect reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabel {
    pub(crate) reason: &'static str,
}

/// Labels of a request of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ApiLabel {
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
}

/// Label of how a request to a back end ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabel {
    pub(crate) outcome: &'static str,
}

/// Label of a limit: its key in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LimitLabel {
    pub(crate) limit: &'static str,
}

/// Label of an event of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct EventLabel {
    pub(crate) event: &'static str,
}

/// Label of a cause of loss.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DropLabel {
    pub(crate) cause: &'static str,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        let mut all = Self {
            registry: Arc::new(Registry::default()),
            connections: Family::default(),
            connections_opened: Family::default(),
            disconnects: Family::default(),
            subscriptions: Gauge::default(),
            messages_received: Counter::default(),
            messages_delivered: Counter::default(),
            messages_dropped: Family::default(),
            tls_failures: Family::default(),
            application_failures: Family::default(),
            api_requests: Family::default(),
            api_messages: Counter::default(),
            webhook_seconds: Family::new_with_constructor(webhook_histogram),
            webhook_breakers_open: Gauge::default(),
            revocations: Gauge::default(),
            dead_letters: Counter::default(),
            bytes_read: Counter::default(),
            bytes_written: Counter::default(),
            outbox_bytes: Gauge::default(),
            reloads: Family::default(),
            reads_paused: Counter::default(),
            limits_reached: Family::default(),
            audit_events: Family::default(),
            audit_suppressed: Counter::default(),
        };
        let mut registry = Registry::with_prefix("tidings");
        all.register(&mut registry);
        all.registry = Arc::new(registry);
        all
    }

    fn register(&self, registry: &mut Registry) {
        let mut gauge = |name, help, gauge: &Gauge<i64, AtomicI64>| {
            registry.register(name, help, gauge.clone())
        };
        gauge(
            "subscriptions",
            "Subscriptions that stand",
            &self.subscriptions,
        );
        gauge(
            "outbox_bytes",
            "Bytes that wait in outboxes, without those that a response of SockJS has taken",
            &self.outbox_bytes,
        );
        gauge(
            "webhook_breakers_open",
            "Back ends that are left alone at the moment",
            &self.webhook_breakers_open,
        );
        gauge(
            "revocations",
            "Tokens and users that are refused",
            &self.revocations,
        );
        let mut counter =
            |name, help, counter: &Counter| registry.register(name, help, counter.clone());
        counter(
            "messages_received",
            "SEND frames taken",
            &self.messages_received,
        );
        counter(
            "messages_delivered",
            "MESSAGE frames handed to outboxes",
            &self.messages_delivered,
        );
        counter(
            "dead_letters",
            "Messages moved to the dead-letter queue",
            &self.dead_letters,
        );
        counter(
            "api_messages",
            "Messages that the HTTP API sent",
            &self.api_messages,
        );
        counter("bytes_read", "Bytes read from clients", &self.bytes_read);
        counter(
            "bytes_written",
            "Bytes written to clients",
            &self.bytes_written,
        );
        counter(
            "reads_paused",
            "Times a session was not read because a mailbox was full",
            &self.reads_paused,
        );
        counter(
            "audit_suppressed",
            "Events of the audit log that were not written",
            &self.audit_suppressed,
        );
        registry.register(
            "limit_reached",
            "Times that clients came to a limit, by its key",
            self.limits_reached.clone(),
        );
        registry.register(
            "audit_events",
            "Events of the audit log, written or not",
            self.audit_events.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_opened",
            "Connections opened",
            self.connections_opened.clone(),
        );
        registry.register(
            "disconnects",
            "Ended connections by reason",
            self.disconnects.clone(),
        );
        registry.register(
            "tls_failures",
            "TLS handshakes that came to nothing by reason",
            self.tls_failures.clone(),
        );
        registry.register(
            "application_failures",
            "Requests that the application could not do by reason",
            self.application_failures.clone(),
        );
        registry.register(
            "api_requests",
            "Requests of the HTTP API by operation and status",
            self.api_requests.clone(),
        );
        registry.register(
            "webhook_seconds",
            "How long requests to back ends took by outcome",
            self.webhook_seconds.clone(),
        );
        registry.register(
            "reloads",
            "Changes of the configuration while the server ran by outcome",
            self.reloads.clone(),
        );
        registry.register(
            "messages_dropped",
            "Messages lost by cause",
            self.messages_dropped.clone(),
        );
    }

    /// One connection ended.
    pub(crate) fn disconnected(&self, reason: Reason) {
        if let Some(limit) = limit_of(reason) {
            self.limit_reached(limit);
        }
        let reason = reason.name();
        self.disconnects
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// A handshake of TLS came to nothing.
    pub(crate) fn tls_failed(&self, reason: &'static str) {
        self.tls_failures
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// The application could not do a request.
    pub(crate) fn application_failed(&self, reason: Reason) {
        let reason = reason.name();
        self.application_failures
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// The configuration was to change.
    pub(crate) fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// A request to a back end has ended.
    pub(crate) fn webhook_ended(&self, outcome: &'static str, took: Duration) {
        self.webhook_seconds
            .get_or_create(&OutcomeLabel { outcome })
            .observe(took.as_secs_f64());
    }

    /// A client came to a limit.
    pub(crate) fn limit_reached(&self, limit: &'static str) {
        self.limits_reached
            .get_or_create(&LimitLabel { limit })
            .inc();
    }

    /// The audit log was told of an event.
    pub(crate) fn audited(&self, event: &'static str) {
        self.audit_events.get_or_create(&EventLabel { event }).inc();
    }

    /// `count` messages were lost.
    pub(crate) fn dropped(&self, cause: &'static str, count: usize) {
        if count > 0 {
            self.messages_dropped
                .get_or_create(&DropLabel { cause })
                .inc_by(count as u64);
        }
    }

    /// The OpenMetrics text of `/metrics`.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String does not fail");
        text
    }
}

/// From half a millisecond to half a minute, each bucket twice as wide.
fn webhook_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}
