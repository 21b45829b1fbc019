//! Gets a document.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{ConnectError, Connector, PlainHttp, Trust};

/// The head of an answer is no longer than this.
const MAX_HEAD: usize = 64 << 10;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("tidings/", env!("CARGO_PKG_VERSION")));

/// Gets documents, each over a connection of its own: they are few, and far apart.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    trust: Arc<Trust>,
}

/// What one document may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchLimits {
    /// From the look-up of the host to the end of the answer.
    pub(crate) timeout: Duration,
    /// Of the answer's body.
    pub(crate) max_bytes: usize,
}

/// An answer that came whole, whatever its status but a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) bytes: Bytes,
}

/// Why there is no document. The url stands nowhere in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FetchError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("did not answer within {0:?}; try again later")]
    TimedOut(Duration),
    #[error("did not answer as HTTP has it: {0}; check what serves its port")]
    Http(#[from] hyper::Error),
    #[error("answered with {0}, a redirect, which is not followed; write the url that it leads to")]
    Redirect(StatusCode),
    #[error("answered with more than {0} bytes; raise the limit, or serve less")]
    TooLarge(usize),
    #[error("its answer broke off: {0}; try again later")]
    Broken(String),
}

impl Fetcher {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self { trust }
    }

    /// GET, once: no redirects, no second attempt. `http://` leads to this machine only; see
    /// [`parse_protected`](super::parse_protected).
    ///
    /// # Errors
    /// No whole answer has come within the limits, or it was a redirect.
    pub(crate) async fn get(&self, url: &Uri, limits: FetchLimits) -> Result<Fetched, FetchError> {
        let fetched = timeout(limits.timeout, self.get_at_leisure(url, limits));
        let late = FetchError::TimedOut(limits.timeout);
        fetched.await.unwrap_or(Err(late))
    }

    async fn get_at_leisure(&self, url: &Uri, limits: FetchLimits) -> Result<Fetched, FetchError> {
        let trust = Arc::clone(&self.trust);
        let connector = Connector::new(trust, PlainHttp::Loopback, limits.timeout);
        let stream = connector.open(url).await?;
        let mut client = http1::Builder::new();
        client.max_buf_size(MAX_HEAD);
        let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await?;
        let mut exchange = pin!(async {
            let response = sender.send_request(request(url)).await?;
            whole(response, limits.max_bytes).await
        });
        // Where the connection ends first, what it has read is still there.
        tokio::select! {
            biased;
            fetched = &mut exchange => fetched,
            _ = connection => exchange.await,
        }
    }
}

fn request(url: &Uri) -> Request<Empty<Bytes>> {
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::try_from(path).unwrap_or_default();
    let host = url.authority().map_or("", |authority| authority.as_str());
    let headers = request.headers_mut();
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, AGENT);
    request
}

async fn whole(
    response: Response<hyper::body::Incoming>,
    max_bytes: usize,
) -> Result<Fetched, FetchError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirect(status));
    }
    let body = Limited::new(response.into_body(), max_bytes).collect();
    let body = body
        .await
        .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => FetchError::TooLarge(max_bytes),
            None => FetchError::Broken(error.to_string()),
        })?;
    Ok(Fetched {
        status,
        bytes: body.to_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use axum::Router;
    use axum::routing::get;

    use super::super::https::{Authority, serve};
    use super::super::scripted::{self, Reply, Seen, answer};
    use super::super::{parse, parse_protected};
    use super::*;

    const LIMITS: FetchLimits = FetchLimits {
        timeout: Duration::from_secs(20),
        max_bytes: 100,
    };

    async fn fetch(url: &str, limits: FetchLimits) -> Result<Fetched, FetchError> {
        let url = parse_protected(url).expect("a url");
        Fetcher::new(Arc::default()).get(&url, limits).await
    }

    /// What becomes of this reply.
    async fn fetched(
        script: impl Fn(Seen) -> Reply + Send + Sync + 'static,
        limits: FetchLimits,
    ) -> Result<Fetched, FetchError> {
        let server = scripted::start(script);
        fetch(&format!("http://{server}/keys"), limits).await
    }

    #[tokio::test]
    async fn a_document_is_asked_for_and_comes_with_its_status() {
        let (tell, told) = mpsc::channel();
        let server = scripted::start(move |seen| {
            tell.send(seen).expect("the test listens");
            answer("404 Not Found", "", "none")
        });
        let url = format!("http://{server}/keys?of=a");
        let document = fetch(&url, LIMITS).await.expect("an answer");
        let expected = Fetched {
            status: StatusCode::NOT_FOUND,
            bytes: "none".into(),
        };
        assert_eq!(document, expected);
        let seen = told.recv().expect("it was asked");
        assert_eq!(seen.path, "/keys?of=a");
        assert_eq!(seen.header("host"), server.to_string());
        assert!(seen.header("user-agent").starts_with("tidings/"));
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&elsewhere);
        let other = scripted::start(move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            answer("200 OK", "", "{}")
        });
        for status in [301, 302, 303, 307, 308] {
            let location = format!("location: http://{other}/\r\n");
            let script = move |_| answer(&format!("{status} Elsewhere"), &location, "");
            let error = fetched(script, LIMITS).await.expect_err("a redirect");
            assert!(error.to_string().contains("a redirect"), "{error}");
            assert!(matches!(error, FetchError::Redirect(told) if told == status));
        }
        assert_eq!(elsewhere.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_document_is_as_long_as_the_limit_and_no_longer() {
        for (bytes, holds) in [(99, true), (100, true), (101, false), (1 << 20, false)] {
            let text = "x".repeat(bytes);
            let told = text.clone();
            let with_length = fetched(move |_| answer("200 OK", "", &told), LIMITS).await;
            let endless = move |_| Reply::Then(format!("HTTP/1.1 200 OK\r\n\r\n{text}").into());
            for fetched in [with_length, fetched(endless, LIMITS).await] {
                match fetched {
                    Ok(document) => assert!(holds && document.bytes.len() == bytes),
                    Err(error) => {
                        assert!(
                            !holds && matches!(error, FetchError::TooLarge(100)),
                            "{error}"
                        );
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn who_takes_too_long_is_given_up() {
        let impatient = FetchLimits {
            timeout: Duration::from_millis(200),
            ..LIMITS
        };
        let silent = |_| {
            std::thread::park();
            answer("200 OK", "", "")
        };
        let half = |_| Reply::Whole(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel".to_vec());
        for fetched in [
            fetched(silent, impatient).await,
            fetched(half, impatient).await,
        ] {
            assert!(
                matches!(fetched, Err(FetchError::TimedOut(_))),
                "{fetched:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_whole_answer_is_told() {
        let broken = |_| Reply::Then(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel".to_vec());
        let error = fetched(broken, LIMITS).await.expect_err("it broke off");
        assert!(matches!(error, FetchError::Broken(_)), "{error}");
        let rubbish = |_| Reply::Then(b"hello\r\n\r\n".to_vec());
        let error = fetched(rubbish, LIMITS).await.expect_err("no HTTP");
        assert!(matches!(error, FetchError::Http(_)), "{error}");
        let long = format!("x: {}\r\n", "y".repeat(2 * MAX_HEAD));
        let error = fetched(move |_| answer("200 OK", &long, ""), LIMITS).await;
        assert!(matches!(error, Err(FetchError::Http(_))), "{error:?}");
        let (_nobody, port) = scripted::taken_by_nobody();
        let error = fetch(&format!("http://127.0.0.1:{port}/"), LIMITS).await;
        assert!(matches!(
            error,
            Err(FetchError::Connect(ConnectError::Unreachable(_)))
        ));
    }

    #[tokio::test]
    async fn only_a_certificate_that_holds_is_believed() {
        let authority = Authority::new("ours");
        let trust = Trust::with_pem(authority.pem().as_bytes()).expect("a certificate");
        let fetcher = Fetcher::new(Arc::new(trust));
        for (identity, holds) in [
            (authority.issue("localhost"), true),
            (authority.issue("elsewhere.example"), false),
            (authority.issue_expired("localhost"), false),
            (Authority::new("another").issue("localhost"), false),
        ] {
            let port = serve(identity, Router::new().route("/", get(|| async { "keys" })));
            let url = parse(&format!("https://localhost:{port}")).expect("a url");
            match fetcher.get(&url, LIMITS).await {
                Ok(document) => assert!(holds && document.bytes == "keys"),
                Err(error) => {
                    let refused =
                        matches!(error, FetchError::Connect(ConnectError::Certificate(_)));
                    assert!(!holds && refused, "{error}");
                }
            }
        }
    }

    #[tokio::test]
    async fn unprotected_requests_stay_on_this_machine_whatever_the_name_leads_to() {
        // No packet is sent: only the route is asked for.
        let probe = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let routed = probe
            .connect("192.0.2.1:9")
            .and_then(|()| probe.local_addr());
        let Ok(own) = routed.map(|address| address.ip()) else {
            panic!("a machine with no address but loopback cannot try this");
        };
        let seen = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&seen);
        let listener = std::net::TcpListener::bind((own, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        scripted::serve(listener, move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            answer("200 OK", "", "{}")
        });
        let url = parse(&format!("http://{address}/")).expect("a url");
        let fetched = Fetcher::new(Arc::default()).get(&url, LIMITS).await;
        assert!(
            matches!(fetched, Err(FetchError::Connect(ConnectError::Unprotected))),
            "{fetched:?}"
        );
        assert_eq!(seen.load(Ordering::SeqCst), 0);
    }
}
