//! Keys compared with each other, and what is allowed but deserves a word.

mod api;
mod security;
mod tls;
mod webhook;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tidings_core::destination::{FIXED_PREFIXES, SESSION_PREFIX};

use super::checked::{AllowedOrigins, AuthenticatorKind, Config};
use super::error::{ConfigError, Place};
use super::units::format_size;
use crate::pace::BURST;

/// Room for the command and headers of a frame in a WebSocket message or a SockJS payload. Less than every header at its longest: clients
/// send a few short ones, and the bytes are kept for each message that is being received.
const WEBSOCKET_HEAD_BYTES: usize = 64 << 10;

/// Where each value stands that is not a default; nothing for a value that was refused.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Option<Place>>);

impl Places {
    pub(super) fn new(places: BTreeMap<String, Option<Place>>) -> Self {
        Self(places)
    }

    fn of(&self, key: &str) -> Place {
        self.0.get(key).cloned().flatten().unwrap_or(Place::Default)
    }

    /// Whether none of the keys was refused: what a stand-in default contradicts is no news.
    fn all_sound(&self, keys: &[&str]) -> bool {
        keys.iter()
            .all(|key| self.0.get(*key).is_none_or(Option::is_some))
    }
}

/// What the checks write to.
struct Report<'a> {
    places: &'a Places,
    errors: &'a mut Vec<ConfigError>,
}

impl Report<'_> {
    /// `key` contradicts `others` unless `holds`.
    fn require(
        &mut self,
        holds: bool,
        key: &'static str,
        others: &[&str],
        cause: impl FnOnce() -> String,
    ) {
        if !holds && self.places.all_sound(&[key]) && self.places.all_sound(others) {
            self.errors.push(ConfigError::Contradiction {
                key,
                place: self.places.of(key),
                cause: cause(),
            });
        }
    }
}

/// Appends everything in `config` that contradicts.
pub(super) fn check(config: &Config, places: &Places, errors: &mut Vec<ConfigError>) {
    let mut report = Report { places, errors };
    check_sizes(config, &mut report);
    check_sockjs(config, &mut report);
    check_destinations(config, &mut report);
    check_listeners(config, &mut report);
    check_proxies(config, &mut report);
    api::check(config, &mut report);
    security::check(config, &mut report);
    webhook::check(config, &mut report);
    tls::check(config, &mut report);
}

/// Appends the listeners of development mode that others can reach: it takes every login.
pub(super) fn check_reach_of_development(
    config: &Config,
    places: &Places,
    errors: &mut Vec<ConfigError>,
) {
    let mut report = Report { places, errors };
    for (key, address) in config.listeners() {
        report.require(is_loopback(address), key, &[], || {
            format!(
                "is {address}, which others can reach; development mode takes any login as that user's name, so it \
                 listens on this machine only. Listen on 127.0.0.1, or write a configuration file with \
                 `[security] authenticator = \"trust-login\"` and start `tidings serve --config FILE`"
            )
        });
    }
}

/// Appends the listeners that others can reach, unless the operator wrote who says who a client is.
pub(super) fn check_reach_of_server(
    config: &Config,
    places: &Places,
    errors: &mut Vec<ConfigError>,
) {
    let mut report = Report { places, errors };
    let trusted = !config.security.authenticator.is_empty();
    for (key, address) in config.listeners() {
        let means = match key {
            "admin.listen" => "whoever connects reads its statistics",
            "api.listen" => continue,
            _ => "whoever connects is whichever user they name in `login`",
        };
        report.require(trusted || is_loopback(address), key, &["security.authenticator"], || {
            format!(
                "is {address}, which others can reach, and there is no authentication: {means}. Listen on 127.0.0.1, write \
                 `[security] authenticator = \"jwt\"` or `\"users\"`, or accept that by `\"trust-login\"`"
            )
        });
    }
}

fn check_sizes(config: &Config, report: &mut Report<'_>) {
    let Config {
        websocket,
        stomp,
        session,
        outbox,
        queue,
        ..
    } = config;
    let head = stomp
        .max_headers
        .saturating_mul(stomp.max_header_line_bytes);
    let (body, headers) = (
        "stomp.max_body_bytes",
        ["stomp.max_headers", "stomp.max_header_line_bytes"],
    );

    let message = stomp.max_body_bytes.saturating_add(head);
    report.require(outbox.max_bytes >= message, "outbox.max_bytes", &[body, headers[0], headers[1]], || {
        format!(
            "is {}, too little for one largest message; allow at least {}, which is `stomp.max_body_bytes` + \
             `stomp.max_headers` x `stomp.max_header_line_bytes`, or lower one of these",
            size(outbox.max_bytes),
            size(message)
        )
    });

    let frame = stomp
        .max_body_bytes
        .saturating_add(head.min(WEBSOCKET_HEAD_BYTES));
    report.require(
        websocket.max_message_bytes >= frame,
        "websocket.max_message_bytes",
        &[body, headers[0], headers[1]],
        || {
            format!(
                "is {}, too little for a STOMP frame with the largest body; allow at least {}, which is \
                 `stomp.max_body_bytes` + {} of headers, or lower `stomp.max_body_bytes`",
                size(websocket.max_message_bytes),
                size(frame),
                size(head.min(WEBSOCKET_HEAD_BYTES))
            )
        },
    );
    let rate = session.max_bytes_per_second;
    let patience = BURST.saturating_add(session.rate_patience).as_millis() as usize;
    let at_once = rate.saturating_mul(patience) / 1_000;
    report.require(
        rate == 0 || at_once >= frame,
        "session.max_bytes_per_second",
        &["session.rate_patience", body, headers[0], headers[1]],
        || {
            format!(
                "is {} a second, too little for a STOMP frame with the largest body, which is {}: a client may be ahead of it \
                 by {}, which is what comes in {} s + `session.rate_patience`; raise it, or lower `stomp.max_body_bytes`",
                size(rate),
                size(frame),
                size(at_once),
                BURST.as_secs(),
            )
        },
    );
    let mut at_most = |key, value, other, limit| {
        report.require(value <= limit, key, &[other], || {
            let (value, limit) = (size(value), size(limit));
            format!("is {value}, more than `{other}`, which is {limit}; lower the one or raise the other")
        });
    };
    let message_bytes = websocket.max_message_bytes;
    at_most(
        "websocket.max_frame_bytes",
        websocket.max_frame_bytes,
        "websocket.max_message_bytes",
        message_bytes,
    );
    at_most(
        "queue.max_bytes",
        queue.max_bytes,
        "queue.max_total_bytes",
        queue.max_total_bytes,
    );
    at_most(
        body,
        stomp.max_body_bytes,
        "queue.max_bytes",
        queue.max_bytes,
    );
    if session.max_transactions > 0 {
        at_most(
            body,
            stomp.max_body_bytes,
            "session.max_transaction_bytes",
            session.max_transaction_bytes,
        );
    }
}

fn check_sockjs(config: &Config, report: &mut Report<'_>) {
    let (sockjs, stomp) = (&config.sockjs, &config.stomp);
    if !sockjs.enabled {
        return;
    }
    let others = [
        "sockjs.enabled",
        "stomp.max_body_bytes",
        "stomp.max_headers",
        "stomp.max_header_line_bytes",
    ];
    let head = stomp
        .max_headers
        .saturating_mul(stomp.max_header_line_bytes);

    let message = stomp.max_body_bytes.saturating_add(head);
    report.require(
        sockjs.message_cache_bytes >= message,
        "sockjs.message_cache_bytes",
        &others,
        || {
            format!(
                "is {}, too little for one largest message; allow at least {}, which is `stomp.max_body_bytes` + \
                 `stomp.max_headers` x `stomp.max_header_line_bytes`, or lower one of these",
                size(sockjs.message_cache_bytes),
                size(message)
            )
        },
    );

    let frame = stomp
        .max_body_bytes
        .saturating_add(head.min(WEBSOCKET_HEAD_BYTES));
    report.require(
        sockjs.max_payload_bytes >= frame,
        "sockjs.max_payload_bytes",
        &others,
        || {
            format!(
                "is {}, too little for a STOMP frame with the largest body; allow at least {}, which is \
                 `stomp.max_body_bytes` + {} of headers, and more for escapes, or lower `stomp.max_body_bytes`",
                size(sockjs.max_payload_bytes),
                size(frame),
                size(head.min(WEBSOCKET_HEAD_BYTES))
            )
        },
    );
}

fn check_destinations(config: &Config, report: &mut Report<'_>) {
    let (broker, dead_letter) = (&config.broker, &config.queue.dead_letter);
    let of = |key, prefixes: &'_ [String]| {
        prefixes
            .iter()
            .map(move |prefix| (key, prefix.clone()))
            .collect::<Vec<_>>()
    };
    let mut prefixes = of("broker.topic_prefixes", &broker.topic_prefixes);
    prefixes.extend(of("broker.queue_prefixes", &broker.queue_prefixes));
    prefixes.push(("broker.user_prefix", broker.user_prefix.clone()));
    prefixes.push((
        "broker.application_prefix",
        broker.application_prefix.clone(),
    ));

    for (index, (key, prefix)) in prefixes.iter().enumerate() {
        let ends_well = prefix.ends_with('/') || prefix.ends_with(broker.separator);
        report.require(ends_well, key, &["broker.separator"], || {
            format!("holds `{prefix}`, which ends neither with `/` nor with `broker.separator`; end it with one of them")
        });
        for fixed in FIXED_PREFIXES {
            report.require(are_apart(prefix, fixed), key, &[], || {
                format!("holds `{prefix}`, which overlaps with `{fixed}` of reply queues; choose another")
            });
        }
        report.require(are_apart(prefix, SESSION_PREFIX), key, &[], || {
            format!("holds `{prefix}`, which overlaps with `{SESSION_PREFIX}`, where sessions renew their tokens; choose another")
        });
        for (other_key, other) in &prefixes[..index] {
            report.require(are_apart(prefix, other), key, &[other_key], || {
                format!("holds `{prefix}`, which overlaps with `{other}` of `{other_key}`; let no prefix begin another")
            });
        }
    }

    let is_queue = broker
        .queue_prefixes
        .iter()
        .any(|prefix| dead_letter.starts_with(prefix.as_str()));
    report.require(
        is_queue,
        "queue.dead_letter",
        &["broker.queue_prefixes"],
        || {
            let prefixes = broker.queue_prefixes.join("`, `");
            format!("is `{dead_letter}`, which is no queue; begin it with `{prefixes}`")
        },
    );
    let fits = dead_letter.len() <= broker.max_destination_bytes;
    report.require(
        fits,
        "queue.dead_letter",
        &["broker.max_destination_bytes"],
        || {
            format!(
                "is {} bytes long, more than `broker.max_destination_bytes`; shorten it",
                dead_letter.len()
            )
        },
    );
}

fn are_apart(prefix: &str, other: &str) -> bool {
    !prefix.starts_with(other) && !other.starts_with(prefix)
}

fn check_listeners(config: &Config, report: &mut Report<'_>) {
    let listeners = config.listeners();
    for (index, (key, address)) in listeners.iter().enumerate() {
        for (other, taken) in &listeners[..index] {
            report.require(
                address != taken || address.port() == 0,
                key,
                &[other],
                || {
                    format!(
                        "is {address}, the address of `{other}` too; give each listener its own"
                    )
                },
            );
        }
    }
}

fn check_proxies(config: &Config, report: &mut Report<'_>) {
    let asked = [
        ("http.proxy_protocol", config.http.proxy_protocol),
        ("tcp.proxy_protocol", config.tcp.proxy_protocol),
    ];
    for (key, is_on) in asked {
        let is_known = !is_on || !config.server.trusted_proxies.is_empty();
        report.require(is_known, key, &["server.trusted_proxies"], || {
            "is true, and nobody is trusted to send its header, so that nobody could connect; write the addresses of the \
             proxies to `server.trusted_proxies`"
                .to_owned()
        });
    }
}

impl Config {
    /// The listeners that are on, by key.
    fn listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let tcp = self.tcp.listen.map(|address| ("tcp.listen", address));
        let admin = self.admin.listen.map(|address| ("admin.listen", address));
        let api = self.api.listen.filter(|_| self.api.enabled);
        [("http.listen", self.http.listen)]
            .into_iter()
            .chain(tcp)
            .chain(admin)
            .chain(api.map(|address| ("api.listen", address)))
            .collect()
    }

    /// What is allowed and deserves a word, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (key, address) in self
            .listeners()
            .into_iter()
            .filter(|(_, address)| !is_loopback(*address))
        {
            warnings.push(match key {
                "admin.listen" => format!("`{key}` is {address}: everyone who reaches it reads the statistics"),
                "api.listen" if self.http.tls => continue,
                "api.listen" => format!(
                    "`{key}` is {address}: keys and messages go there unencrypted; set `http.tls`, or let a proxy in front \
                     speak TLS"
                ),
                _ if self.security.authenticator != [AuthenticatorKind::TrustLogin] => continue,
                _ => format!("`{key}` is {address}: everyone who reaches it can be any user, no login is proven"),
            });
        }
        if self.websocket.allowed_origins == AllowedOrigins::Any {
            warnings.push(
                "`websocket.allowed_origins` is `*`: every page in a browser can connect"
                    .to_owned(),
            );
        }
        if self.sockjs.enabled && self.sockjs.legacy_transports {
            warnings.push(
                "`sockjs.legacy_transports` is on: every page in a browser can connect and act as whoever looks at it, \
                 whatever `websocket.allowed_origins` says"
                    .to_owned(),
            );
        }
        warnings.extend(security::warnings(self));
        warnings.extend(webhook::warnings(&self.webhook));
        warnings.extend(tls::warnings(self));
        if self.stomp.heart_beat_receive.is_zero() {
            warnings.push(
                "`stomp.heart_beat_receive` is zero: a client that vanished is not noticed"
                    .to_owned(),
            );
        }
        if self.websocket.max_frame_bytes < self.stomp.max_body_bytes {
            warnings.push(
                "`websocket.max_frame_bytes` is less than `stomp.max_body_bytes`: a client that does not fragment cannot \
                 send the largest body"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Also `::ffff:127.0.0.1`, which is loopback in the clothes of version 6.
fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn size(bytes: usize) -> String {
    format_size(bytes as u64)
}
