//! Who may come in: so many connections, so many of one address, so many that begin in a second.
//!
//! Connections from this machine and within the process are held to the first limit alone: whoever runs there is trusted
//! with more than connections, and a test opens thousands. Those of trusted proxies are many clients'; theirs are counted
//! by the addresses that the proxies tell.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use hashbrown::HashMap;
use tidings_core::disconnect::Reason;
use tracing::warn;

use crate::bucket::{Bucket, Buckets, Rate, whole_seconds};
use crate::config::{Network, Server, is_trusted};
use crate::node::lock;
use crate::peer::network;

/// When a client that found no room may come back: soon enough to be served, late enough not to be a burden.
const REST: Duration = Duration::from_secs(5);

/// The time in which so many may begin.
const SECOND: Duration = Duration::from_secs(1);

/// Why nobody comes in, and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoEntry {
    pub(crate) reason: Reason,
    /// It is the address that has too much, rather than the server.
    is_of_address: bool,
    wait: Duration,
}

impl NoEntry {
    /// The server is full.
    pub(crate) fn full() -> Self {
        Self {
            reason: Reason::TooManyConnections,
            is_of_address: false,
            wait: REST,
        }
    }

    /// It is stopping.
    pub(crate) fn draining() -> Self {
        Self {
            reason: Reason::Shutdown,
            is_of_address: false,
            wait: REST,
        }
    }

    /// RFC 9110, section 15.6.4, or RFC 6585, section 4.
    pub(crate) fn status(self) -> StatusCode {
        match self.is_of_address {
            true => StatusCode::TOO_MANY_REQUESTS,
            false => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The value of `retry-after`.
    pub(crate) fn retry_after(self) -> u64 {
        whole_seconds(self.wait)
    }

    /// What a person reads.
    pub(crate) fn sentence(self) -> &'static str {
        match (self.reason, self.is_of_address) {
            (Reason::TooManyHandshakes, true) => {
                "more clients of this address connect than the server takes in a second: try again soon"
            }
            (reason, _) => reason.sentence(),
        }
    }
}

/// The limits, and what is known of each address.
pub(crate) struct Admission {
    trusted: Vec<Network>,
    /// Zero is no limit.
    max_per_address: usize,
    /// As many as there are connections at most, so it needs no limit of its own.
    connections: Arc<Mutex<HashMap<IpAddr, usize>>>,
    handshakes: Mutex<Handshakes>,
}

struct Handshakes {
    all: Option<(Rate, Bucket)>,
    each: Option<Buckets>,
}

/// A connection among those of its address; ends when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Admission {
    pub(crate) fn new(config: &Server) -> Self {
        let rate = |count: u32| Rate::new(count.into(), SECOND, SECOND);
        let all = rate(config.max_handshakes_per_second);
        let each = rate(config.max_handshakes_per_second_per_address);
        Self {
            trusted: config.trusted_proxies.clone(),
            max_per_address: config.max_connections_per_address,
            connections: Arc::default(),
            handshakes: Mutex::new(Handshakes {
                all: all.map(|rate| (rate, Bucket::default())),
                each: each.map(Buckets::new),
            }),
        }
    }

    /// A place for one more connection of an address; none where nobody counts these.
    ///
    /// # Errors
    /// The address has as many as it may.
    pub(crate) fn place(&self, address: Option<IpAddr>) -> Result<Option<Place>, NoEntry> {
        let counted =
            address.filter(|address| self.max_per_address > 0 && !self.is_exempt(*address));
        let Some(address) = counted.map(network) else {
            return Ok(None);
        };
        let mut connections = lock(&self.connections);
        let count = connections.entry(address).or_insert(0);
        if *count >= self.max_per_address {
            return Err(NoEntry {
                reason: Reason::TooManyFromAddress,
                is_of_address: true,
                wait: REST,
            });
        }
        *count += 1;
        if *count == self.max_per_address {
            warn!(
                %address,
                count = *count,
                "no more connections are taken from this address; if it is a proxy, name it in server.trusted_proxies, \
                 or else look at server.max_connections_per_address"
            );
        }
        Ok(Some(Place {
            connections: Arc::clone(&self.connections),
            address,
        }))
    }

    /// Counts a client that begins: a WebSocket, a session of SockJS, a connection of STOMP over TCP.
    ///
    /// # Errors
    /// Too many have begun within a second.
    pub(crate) fn begin(&self, address: Option<IpAddr>, now: Instant) -> Result<(), NoEntry> {
        let Some(address) = address.filter(|address| !is_loopback(*address)) else {
            return Ok(());
        };
        let no_entry = |is_of_address| {
            move |wait| NoEntry {
                reason: Reason::TooManyHandshakes,
                is_of_address,
                wait,
            }
        };
        let mut handshakes = lock(&self.handshakes);
        let Handshakes { all, each } = &mut *handshakes;
        let each = each
            .as_mut()
            .filter(|_| !is_trusted(&self.trusted, address));
        // Who is refused takes nothing, not even from the others.
        if let Some(each) = &each {
            each.room(address, now).map_err(no_entry(true))?;
        }
        if let Some((rate, bucket)) = all {
            bucket.room(*rate, 1, now).map_err(no_entry(false))?;
            bucket.take(*rate, 1, now);
        }
        if let Some(each) = each {
            each.take(address, now);
        }
        Ok(())
    }

    /// Addresses that have connections which are counted.
    pub(crate) fn addresses(&self) -> usize {
        lock(&self.connections).len()
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        is_loopback(address) || is_trusted(&self.trusted, address)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = lock(&self.connections);
        if let Some(count) = connections.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(change: impl FnOnce(&mut Server)) -> Admission {
        let mut config = Server {
            max_connections_per_address: 2,
            max_handshakes_per_second: 0,
            max_handshakes_per_second_per_address: 0,
            ..Server::default()
        };
        change(&mut config);
        Admission::new(&config)
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_has_so_many_places_until_it_gives_them_back() {
        let admission = admission(|_| {});
        let place = |text| admission.place(address(text));
        let first = place("192.0.2.1").expect("one of two");
        let _second = place("::ffff:192.0.2.1").expect("two of two");
        let refused = place("192.0.2.1").expect_err("there are two");
        assert_eq!(
            (refused.reason, refused.status().as_u16()),
            (Reason::TooManyFromAddress, 429)
        );
        let _other = place("192.0.2.2").expect("another address");
        assert_eq!(admission.addresses(), 2);
        drop(first);
        let _again = place("192.0.2.1").expect("one has gone");
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let admission = admission(|_| {});
        let places =
            ["2001:db8::1", "2001:db8::2:0:0:1"].map(|text| admission.place(address(text)));
        assert!(places.iter().all(Result::is_ok));
        assert!(admission.place(address("2001:db8:0:0:ffff::")).is_err());
        assert!(admission.place(address("2001:db8:0:1::")).is_ok());
        drop(places);
        assert_eq!(admission.addresses(), 0, "nobody is remembered");
    }

    #[test]
    fn this_machine_and_trusted_proxies_are_not_counted() {
        let admission = admission(|config| {
            config.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
            config.max_handshakes_per_second_per_address = 1;
        });
        let now = Instant::now();
        for uncounted in [
            address("127.0.0.9"),
            address("::1"),
            address("10.1.2.3"),
            None,
        ] {
            for _ in 0..3 {
                assert!(
                    matches!(admission.place(uncounted), Ok(None)),
                    "{uncounted:?}"
                );
                assert_eq!(admission.begin(uncounted, now), Ok(()), "{uncounted:?}");
            }
        }
    }

    #[test]
    fn zero_is_no_limit() {
        let admission = admission(|config| config.max_connections_per_address = 0);
        let now = Instant::now();
        for _ in 0..100 {
            assert!(matches!(admission.place(address("192.0.2.1")), Ok(None)));
            assert_eq!(admission.begin(address("192.0.2.1"), now), Ok(()));
        }
    }

    #[test]
    fn so_many_begin_in_a_second() {
        let admission = admission(|config| {
            config.max_handshakes_per_second = 3;
            config.max_handshakes_per_second_per_address = 2;
        });
        let mut now = Instant::now();
        let status = |text, now| {
            admission
                .begin(address(text), now)
                .map_err(|no| (no.status().as_u16(), no.retry_after()))
        };
        assert_eq!(status("192.0.2.1", now), Ok(()));
        assert_eq!(status("192.0.2.1", now), Ok(()));
        assert_eq!(status("192.0.2.1", now), Err((429, 1)), "it is the address");
        assert_eq!(
            status("192.0.2.2", now),
            Ok(()),
            "the third of three: the refused one took nothing"
        );
        assert_eq!(status("192.0.2.3", now), Err((503, 1)), "it is the server");
        assert_eq!(
            status("127.0.0.1", now),
            Ok(()),
            "this machine is not held back"
        );
        now += Duration::from_millis(334);
        assert_eq!(status("192.0.2.3", now), Ok(()));
        assert_eq!(status("192.0.2.3", now), Err((503, 1)));
    }
}
