//! Which limit a goodbye is about, so that metrics tell which one bites.

use tidings_core::disconnect::Reason;

/// The key of the limit by which a connection ends, if it does by one. Where two keys share a reason, the one that most
/// clients meet first. Who sends too fast is counted where that is found, since most are only slowed down.
pub(crate) fn limit_of(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::ConnectTimeout => "stomp.connect_timeout",
        Reason::BodyTooLarge => "stomp.max_body_bytes",
        Reason::HeaderTooLong => "stomp.max_header_line_bytes",
        Reason::TooManyHeaders => "stomp.max_headers",
        Reason::WebSocketTooLarge => "websocket.max_message_bytes",
        Reason::SlowConsumer => "outbox.max_bytes",
        Reason::SendTimeout => "outbox.send_timeout",
        Reason::TooManyConnections => "server.max_connections",
        Reason::TooManyFromAddress => "server.max_connections_per_address",
        Reason::TooManyHandshakes => "server.max_handshakes_per_second",
        Reason::TooManySessions | Reason::SessionReplaced => "session.max_per_user",
        Reason::TooManySubscriptions => "session.max_subscriptions",
        Reason::TooManyTransactions => "session.max_transactions",
        Reason::TransactionTooLarge => "session.max_transaction_bytes",
        Reason::QueueFull => "queue.max_bytes",
        Reason::TooManyQueues => "queue.max_queues",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Telemetry;

    #[test]
    fn a_goodbye_by_a_limit_counts_for_its_key_and_any_other_for_none() {
        let telemetry = Telemetry::new();
        telemetry.disconnected(Reason::SessionReplaced);
        telemetry.disconnected(Reason::TooManySessions);
        telemetry.disconnected(Reason::Normal);
        telemetry.disconnected(Reason::RateExceeded);
        let text = telemetry.render();
        let lines = text.lines();
        let counted: Vec<_> = lines
            .filter(|line| line.starts_with("tidings_limit_reached_total"))
            .collect();
        assert_eq!(
            counted,
            ["tidings_limit_reached_total{limit=\"session.max_per_user\"} 2"]
        );
    }
}
