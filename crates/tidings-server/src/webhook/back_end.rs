//! Back ends over HTTP and HTTPS: so many requests at a time, each with a deadline, again where that is safe.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::breaker::{Breaker, Change};
use super::request::{Telling, Writer};
use super::response::Answer;
use crate::clock;
use crate::config::Webhook;
use crate::node::{Node, lock};
use crate::outgoing::{ConnectError, Connector, PlainHttp, Trust};
use crate::server::RunError;
use crate::telemetry::Telemetry;

/// Less than the five seconds after which common back ends close an idle connection: a request that meets the close
/// has to be sent again.
const IDLE: Duration = Duration::from_secs(4);

/// The head of an answer is no longer than this.
const MAX_HEAD: usize = 64 << 10;

/// All back ends.
pub(crate) struct BackEnds {
    client: Client<Connector, Full<Bytes>>,
    writer: Writer,
    permits: Semaphore,
    /// Those of one host and port are well or unwell together. As many as the configuration names.
    breakers: Mutex<HashMap<Place, Arc<Mutex<Breaker>>>>,
    telemetry: Telemetry,
    limits: Webhook,
}

/// A host and a port.
type Place = (String, u16);

/// A url, and what is known of who is there.
#[derive(Debug, Clone)]
pub(super) struct BackEnd {
    pub(super) url: Uri,
    breaker: Arc<Mutex<Breaker>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("{}; try again later", self.summary())]
    LeftAlone,
    #[error("{}; try again later", self.summary())]
    Crowded,
    #[error("{}; try again later", self.summary())]
    Unreachable,
    #[error("{}; tell who runs it", self.summary())]
    Untrusted,
    #[error("{}; tell who runs it", self.summary())]
    NoTls,
    #[error("{}; try again later", self.summary())]
    TimedOut,
    #[error("{}; tell who runs it", self.summary())]
    Broken,
    #[error("{}; tell who runs it", self.summary())]
    Rubbish,
    #[error("{}; tell who runs it", self.summary())]
    TooLarge,
}

impl Fault {
    /// What has happened, without what to do.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Self::LeftAlone => "the application is left alone for a while, since it did not answer",
            Self::Crowded => "the application has too much to do",
            Self::Unreachable => "the application cannot be reached",
            Self::Untrusted => "the certificate of the application does not hold",
            Self::NoTls => "the application does not agree on TLS",
            Self::TimedOut => "the application did not answer in time",
            Self::Broken => "the application broke off its answer",
            Self::Rubbish => "the application answered with what is no HTTP",
            Self::TooLarge => "the application answered with more than the server takes",
        }
    }

    /// For people who look at the metrics.
    fn name(self) -> &'static str {
        match self {
            Self::LeftAlone => "left-alone",
            Self::Crowded => "crowded",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::NoTls => "no-tls",
            Self::TimedOut => "timeout",
            Self::Broken => "broken",
            Self::Rubbish => "rubbish",
            Self::TooLarge => "too-large",
        }
    }
}

impl BackEnds {
    /// Those of this node, which all that asks them shares.
    ///
    /// # Errors
    /// There is no secret to sign with, or `webhook.ca` holds no certificates.
    pub(super) fn of(node: &Node) -> Result<Arc<Self>, RunError> {
        if let Some(known) = node.back_ends.get() {
            return Ok(Arc::clone(known));
        }
        let new = Self::new(node.config.webhook.clone(), node.telemetry.clone())?;
        Ok(Arc::clone(node.back_ends.get_or_init(|| Arc::new(new))))
    }

    pub(super) fn new(limits: Webhook, telemetry: Telemetry) -> Result<Self, RunError> {
        let secret = limits.secret.as_ref();
        let secret = secret.ok_or_else(|| RunError::Webhook("has no secret".to_owned()))?;
        let trust = match &limits.ca {
            Some(path) => Trust::with_file(path)
                .map_err(|error| RunError::Webhook(format!("in `webhook.ca` {error}")))?,
            None => Trust::default(),
        };
        let connector = Connector::new(Arc::new(trust), PlainHttp::Anywhere, limits.timeout);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(limits.max_concurrency)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector);
        Ok(Self {
            client,
            writer: Writer::new(&secret.0),
            permits: Semaphore::new(limits.max_concurrency),
            breakers: Mutex::default(),
            telemetry,
            limits,
        })
    }

    /// The one at this url.
    pub(super) fn at(&self, url: Uri) -> BackEnd {
        let usual = if url.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let host = url.host().unwrap_or_default().to_owned();
        let place = (host, url.port_u16().unwrap_or(usual));
        let (failures, rest) = (self.limits.breaker_failures, self.limits.breaker_rest);
        let new = || Arc::new(Mutex::new(Breaker::new(failures, rest)));
        let breaker = Arc::clone(lock(&self.breakers).entry(place).or_insert_with(new));
        BackEnd { url, breaker }
    }

    /// Writes a request and signs it, now.
    pub(super) fn write(&self, back_end: &BackEnd, telling: Telling<'_>) -> Request<Full<Bytes>> {
        let now = clock::system_ms() / 1_000;
        self.writer.write(&back_end.url, telling, now)
    }

    /// Sends a request and waits for the whole answer.
    pub(super) async fn ask(
        &self,
        back_end: &BackEnd,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Fault> {
        let begin = clock::now();
        let answer = self.ask_in_turn(back_end, &request).await;
        let outcome = match &answer {
            Ok(answer) if answer.status.is_success() => "done",
            Ok(_) => "refused",
            Err(fault) => fault.name(),
        };
        let took = clock::now().saturating_duration_since(begin);
        self.telemetry.webhook_ended(outcome, took);
        debug!(url = %back_end.url, id = ?request.headers().get("tidings-request-id"), outcome, ?took, "webhook");
        answer
    }

    async fn ask_in_turn(
        &self,
        back_end: &BackEnd,
        request: &Request<Full<Bytes>>,
    ) -> Result<Answer, Fault> {
        if lock(&back_end.breaker).refuses(clock::now()) {
            return Err(Fault::LeftAlone);
        }
        let waited = timeout(self.limits.timeout, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = waited else {
            return Err(Fault::Crowded);
        };
        if !lock(&back_end.breaker).admit(clock::now()) {
            return Err(Fault::LeftAlone);
        }
        let answer = timeout(self.limits.timeout, self.send(request))
            .await
            .unwrap_or(Err(Fault::TimedOut));
        self.settle(back_end, &answer);
        answer
    }

    async fn send(&self, request: &Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let mut delay = self.limits.retry_delay;
        let mut retries = self.limits.retries;
        let response = loop {
            match self.client.request(request.clone()).await {
                Ok(response) => break response,
                Err(error) if is_worth_a_retry(&error) => {
                    debug!(%error, retries, "a back end cannot be reached");
                    retries = retries.checked_sub(1).ok_or(Fault::Unreachable)?;
                    tokio::time::sleep(delay).await;
                    delay = delay.saturating_mul(2);
                }
                Err(error) => return Err(final_fault(&error, request.uri())),
            }
        };
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.limits.max_response_bytes)
            .collect()
            .await
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => Fault::TooLarge,
                None => Fault::Broken,
            })?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    fn settle(&self, back_end: &BackEnd, answer: &Result<Answer, Fault>) {
        let change = lock(&back_end.breaker).settle(is_well(answer), clock::now());
        let url = &back_end.url;
        match change {
            Some(Change::Opened) => {
                self.telemetry.webhook_breakers_open.inc();
                warn!(%url, rest = ?self.limits.breaker_rest, "a back end does not answer and is left alone");
            }
            Some(Change::Closed) => {
                self.telemetry.webhook_breakers_open.dec();
                info!(%url, "a back end answers again");
            }
            None => {}
        }
    }
}

/// Whether a back end is there and able to work, whatever it thinks of this one request.
fn is_well(answer: &Result<Answer, Fault>) -> bool {
    match answer {
        Ok(answer) => !matches!(
            answer.status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(fault) => *fault == Fault::TooLarge,
    }
}

/// The connection was refused, or ended before the answer began.
fn is_worth_a_retry(error: &legacy::Error) -> bool {
    if let Some(error) = connect_error(error) {
        return error.is_passing();
    }
    causes(error).any(|cause| {
        let http = cause.downcast_ref::<hyper::Error>();
        let system = cause.downcast_ref::<io::Error>();
        http.is_some_and(|error| error.is_canceled() || error.is_incomplete_message())
            || system.is_some_and(|error| {
                use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
                matches!(
                    error.kind(),
                    BrokenPipe | ConnectionAborted | ConnectionReset
                )
            })
    })
}

/// What it means that there is no answer, and will be none.
fn final_fault(error: &legacy::Error, url: &Uri) -> Fault {
    let Some(cause) = connect_error(error) else {
        debug!(%url, %error, "a back end did not answer as it should");
        return Fault::Rubbish;
    };
    // As often as the breaker lets it happen.
    warn!(%url, %cause, "a back end cannot be asked");
    match cause {
        ConnectError::TimedOut => Fault::TimedOut,
        ConnectError::NoTls(_) => Fault::NoTls,
        ConnectError::Certificate(_) | ConnectError::Host | ConnectError::Trust(_) => {
            Fault::Untrusted
        }
        _ => Fault::Unreachable,
    }
}

fn connect_error(error: &legacy::Error) -> Option<&ConnectError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes(error: &legacy::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}
