//! Back ends over HTTP: so many requests at a time, each with a deadline, again where that is safe.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::breaker::{Breaker, Change};
use super::response::Answer;
use crate::clock;
use crate::config::Webhook;
use crate::node::lock;
use crate::telemetry::Telemetry;

/// Less than the five seconds after which common back ends close an idle connection: a request that meets the close
/// has to be sent again.
const IDLE: Duration = Duration::from_secs(4);

/// The head of an answer is no longer than this.
const MAX_HEAD: usize = 64 << 10;

/// All back ends.
pub(super) struct BackEnds {
    client: Client<HttpConnector, Full<Bytes>>,
    permits: Semaphore,
    telemetry: Telemetry,
    limits: Webhook,
}

/// A url, and what is known of who is there.
#[derive(Debug, Clone)]
pub(super) struct BackEnd {
    pub(super) url: Uri,
    breaker: Arc<Mutex<Breaker>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the application is left alone for a while, since it did not answer; try again later")]
    LeftAlone,
    #[error("the application has too much to do; try again later")]
    Crowded,
    #[error("the application cannot be reached; try again later")]
    Unreachable,
    #[error("the application did not answer in time; try again later")]
    TimedOut,
    #[error("the application broke off its answer; tell who runs it")]
    Broken,
    #[error("the application answered with what is no HTTP; tell who runs it")]
    Rubbish,
    #[error("the application answered with more than the server takes; tell who runs it")]
    TooLarge,
}

impl Fault {
    /// For people who look at the metrics.
    fn name(self) -> &'static str {
        match self {
            Self::LeftAlone => "left-alone",
            Self::Crowded => "crowded",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
            Self::Broken => "broken",
            Self::Rubbish => "rubbish",
            Self::TooLarge => "too-large",
        }
    }
}

impl BackEnds {
    pub(super) fn new(limits: Webhook, telemetry: Telemetry) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(limits.max_concurrency)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector);
        Self {
            client,
            permits: Semaphore::new(limits.max_concurrency),
            telemetry,
            limits,
        }
    }

    /// One for each url; those of one host and port are well or unwell together.
    pub(super) fn at(&self, urls: &[&Uri]) -> Vec<BackEnd> {
        let mut breakers = HashMap::new();
        let limits = &self.limits;
        let new = || {
            let breaker = Breaker::new(limits.breaker_failures, limits.breaker_rest);
            Arc::new(Mutex::new(breaker))
        };
        urls.iter()
            .map(|url| {
                let place = (url.host(), url.port_u16().unwrap_or(80));
                BackEnd {
                    url: (*url).clone(),
                    breaker: Arc::clone(breakers.entry(place).or_insert_with(new)),
                }
            })
            .collect()
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
                Err(error) => {
                    debug!(%error, "a back end did not answer as it should");
                    return Err(Fault::Rubbish);
                }
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
    let mut causes = std::iter::successors(error.source(), |cause| (**cause).source());
    error.is_connect()
        || causes.any(|cause| {
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
