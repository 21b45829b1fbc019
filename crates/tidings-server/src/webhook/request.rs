//! What a back end is sent: the message, who it is from, and the proof that it is from us.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use sha2::Sha256;
use tidings_stomp::Headers;

use super::percent::{encoded, push_pair};
use crate::node::random_name;

/// Most back ends take 16 KiB of headers altogether, and some 8 KiB in one.
const MAX_STOMP_HEADERS: usize = 6 << 10;

/// Headers of a frame that a back end has no use for, or is told elsewhere.
const KEPT_BACK: [&str; 5] = [
    "content-length",
    "content-type",
    "destination",
    "receipt",
    "transaction",
];

const KIND: HeaderName = HeaderName::from_static("tidings-kind");
const DESTINATION: HeaderName = HeaderName::from_static("tidings-destination");
const SESSION: HeaderName = HeaderName::from_static("tidings-session");
const USER: HeaderName = HeaderName::from_static("tidings-user");
const STOMP_HEADERS: HeaderName = HeaderName::from_static("tidings-stomp-headers");
const REQUEST_ID: HeaderName = HeaderName::from_static("tidings-request-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("tidings-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("tidings-signature");

/// What a back end is to know.
#[derive(Debug, Default)]
pub(super) struct Telling<'a> {
    /// `message`, `subscribe`, `may-connect`, `may-subscribe`, `authenticate`, or the name of an event.
    pub(super) kind: &'static str,
    /// As the client wrote it.
    pub(super) destination: Option<&'a str>,
    pub(super) session: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) variables: &'a [(&'a HeaderName, &'a str)],
    pub(super) stomp_headers: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: Bytes,
}

/// Writes requests and signs them.
pub(super) struct Writer {
    key: Hmac<Sha256>,
    /// What the ids of this process's requests begin with.
    id_prefix: String,
    next_id: AtomicU64,
}

/// The headers of a frame are longer than a back end takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the headers of the frame are too long for the application; send fewer or shorter ones")]
pub(super) struct HeadersTooLong;

impl Writer {
    pub(super) fn new(secret: &str) -> Self {
        Self {
            key: Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length"),
            id_prefix: random_name(),
            next_id: AtomicU64::new(1),
        }
    }

    /// The request, to be sent again as it is where that is necessary. `now` is in seconds since the epoch.
    pub(super) fn write(
        &self,
        url: &Uri,
        telling: Telling<'_>,
        now: u64,
    ) -> hyper::Request<Full<Bytes>> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        // In the order in which they are signed.
        let told = [
            (TIMESTAMP, Some(now.to_string())),
            (REQUEST_ID, Some(format!("{}-{id}", self.id_prefix))),
            (KIND, Some(telling.kind.to_owned())),
            (DESTINATION, telling.destination.map(encoded)),
            (SESSION, telling.session.map(encoded)),
            (USER, telling.user.map(encoded)),
            (STOMP_HEADERS, telling.stomp_headers.map(str::to_owned)),
        ];
        let mut mac = self.key.clone();
        let mut request = hyper::Request::new(Full::new(telling.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        let headers = request.headers_mut();
        for (name, value) in told {
            mac.update(value.as_deref().unwrap_or_default().as_bytes());
            mac.update(b"\n");
            if let Some(value) = value {
                headers.insert(name, header_value(&value));
            }
        }
        mac.update(&telling.body);
        let signature = format!("sha256={}", hexadecimal(&mac.finalize().into_bytes()));
        headers.insert(SIGNATURE, header_value(&signature));
        for (name, value) in telling.variables {
            headers.insert(*name, header_value(&encoded(value)));
        }
        let content_type = telling
            .content_type
            .and_then(|text| HeaderValue::from_str(text).ok());
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        request
    }
}

/// As [`stomp_headers`], without leaving any out: who decides on a CONNECT has to see its passcode.
pub(super) fn all_headers(headers: &Headers) -> Result<Option<String>, HeadersTooLong> {
    written(headers, |_| true)
}

/// The headers of a frame in one: `name=value&name=value`, with `%XX` for what is no letter, digit or `-._~`.
pub(super) fn stomp_headers(headers: &Headers) -> Result<Option<String>, HeadersTooLong> {
    written(headers, |name| !KEPT_BACK.contains(&name))
}

fn written(
    headers: &Headers,
    is_told: impl Fn(&str) -> bool,
) -> Result<Option<String>, HeadersTooLong> {
    let mut out = String::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_told(name)) {
        push_pair(&mut out, name, value);
        if out.len() > MAX_STOMP_HEADERS {
            return Err(HeadersTooLong);
        }
    }
    Ok((!out.is_empty()).then_some(out))
}

fn header_value(encoded: &str) -> HeaderValue {
    HeaderValue::from_str(encoded).expect("only visible ASCII is left of it")
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_over_what_matters_and_the_body() {
        let writer = Writer::new("0123456789abcdef");
        let telling = Telling {
            kind: "message",
            destination: Some("/app/\r\nä"),
            session: Some("s"),
            body: "hello".into(),
            ..Telling::default()
        };
        let request = writer.write(&Uri::from_static("http://a/b"), telling, 7);
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            value.to_str().ok()
        };
        assert_eq!(header("tidings-destination"), Some("/app/%0D%0A%C3%A4"));
        assert_eq!(header("tidings-user"), None);
        let id = header("tidings-request-id").expect("an id");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"0123456789abcdef").expect("a key");
        mac.update(format!("7\n{id}\nmessage\n/app/%0D%0A%C3%A4\ns\n\n\nhello").as_bytes());
        let signature = hexadecimal(&mac.finalize().into_bytes());
        assert_eq!(
            header("tidings-signature"),
            Some(&*format!("sha256={signature}"))
        );
    }

    #[test]
    fn headers_of_a_frame_are_one_and_bounded() {
        let mut headers = Headers::new();
        assert_eq!(stomp_headers(&headers), Ok(None));
        headers.push("destination", "/app/x");
        headers.push("price", "1 €");
        headers.push("price", "a&b");
        assert_eq!(
            stomp_headers(&headers),
            Ok(Some("price=1%20%E2%82%AC&price=a%26b".to_owned()))
        );
        headers.push("long", &"x".repeat(MAX_STOMP_HEADERS));
        assert_eq!(stomp_headers(&headers), Err(HeadersTooLong));
    }
}
