//! What holds for headers of proxies, whatever they say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::forwarded::{Headers, read};

/// The address that the proxy has seen, and says so.
const SEEN: &str = "203.0.113.9";

/// Checks all of it. A client sends `bytes` as its own header, to a proxy that adds what it sees.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(sent) = std::str::from_utf8(bytes) else {
        return;
    };
    let is_trusted = |address: IpAddr| address == IpAddr::from(Ipv4Addr::new(10, 0, 0, 1));
    let seen = Some(SocketAddr::new(SEEN.parse().expect("an address"), 0));

    let alone = [sent];
    for headers in [
        Headers {
            forwarded: &alone,
            ..Headers::default()
        },
        Headers {
            x_for: &alone,
            x_proto: &alone,
            x_host: &alone,
            ..Headers::default()
        },
    ] {
        let told = read(headers, is_trusted).expect("there is one kind only");
        assert!(
            told.host
                .is_none_or(|host| !host.contains([' ', ',', '/', '@', '\r', '\n']))
        );
    }

    let own_line = [sent, SEEN];
    let same_line = format!("{sent}, {SEEN}");
    for x_for in [&own_line[..], &[&same_line]] {
        let told = read(
            Headers {
                x_for,
                ..Headers::default()
            },
            is_trusted,
        );
        assert_eq!(
            told.map(|told| told.client),
            Ok(seen),
            "nothing left of it counts"
        );
    }

    let element = format!("for={SEEN};proto=https");
    let forwarded = [sent, &element];
    let told = read(
        Headers {
            forwarded: &forwarded,
            ..Headers::default()
        },
        is_trusted,
    );
    assert_eq!(told.map(|told| told.client), Ok(seen));
    // In one line with what leaves a quote open, it is nobody's or the right one's.
    let same_line = format!("{sent}, {element}");
    let forwarded = [&*same_line];
    let told = read(
        Headers {
            forwarded: &forwarded,
            ..Headers::default()
        },
        is_trusted,
    );
    let client = told.expect("there is one kind only").client;
    assert!(client.is_none() || client == seen, "{client:?}");
}
