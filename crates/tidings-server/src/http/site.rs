//! Who asks and what for, once the proxies in between have been heard.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};

use super::forwarded::{Contradiction, Headers, Scheme, Told, read};
use crate::config::{Network, is_trusted};

/// Where a client believes to be, as far as a trusted proxy tells; the `Host` header of the request says the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    /// How the client asks; unknown where a proxy may have ended TLS without telling.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: Option<Arc<str>>,
}

/// What trusted proxies have told about a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Hearing {
    /// The client.
    pub(super) client: Option<SocketAddr>,
    pub(super) site: Site,
}

/// Heeds the headers of a request if `peer`, who has sent it, is a trusted proxy.
///
/// # Errors
/// The headers contradict each other.
pub(super) fn hear(
    trusted: &[Network],
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Result<Hearing, Contradiction> {
    let is_trusted = |address| is_trusted(trusted, address);
    if !peer.is_some_and(|peer| is_trusted(peer.ip())) {
        return Ok(Hearing::default());
    }
    let [forwarded, x_for, x_proto, x_host] = [
        header::FORWARDED,
        HeaderName::from_static("x-forwarded-for"),
        HeaderName::from_static("x-forwarded-proto"),
        HeaderName::from_static("x-forwarded-host"),
    ]
    .map(|name| lines(headers, &name));
    let headers = Headers {
        forwarded: &forwarded,
        x_for: &x_for,
        x_proto: &x_proto,
        x_host: &x_host,
    };
    let Told {
        client,
        scheme,
        host,
    } = read(headers, is_trusted)?;
    Ok(Hearing {
        client,
        site: Site {
            scheme,
            host: host.map(Arc::from),
        },
    })
}

/// Lines that are no text count as such that say nothing.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter();
    lines
        .map(|line| line.to_str().unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 4] = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
    ];

    proptest! {
        #[test]
        fn nothing_that_an_untrusted_peer_says_counts(
            all in proptest::collection::vec((0..4_usize, "(for=|192\\.0\\.2\\.1|10\\.0\\.0\\.1|https|[,;= ]){0,6}"), 0..6),
            peer in any::<[u8; 4]>(),
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in &all {
                headers.append(NAMES[*name], value.parse().expect("text"));
            }
            let trusted: [Network; 1] = ["10.0.0.0/8".parse().expect("a network")];
            prop_assume!(peer[0] != 10);
            for peer in [Some(SocketAddr::from((peer, 1))), None] {
                let heard = hear(&trusted, peer, &headers).expect("nothing is read");
                prop_assert!(heard.client.is_none() && heard.site.scheme.is_none() && heard.site.host.is_none());
            }
        }
    }
}
