//! The HTTP API by which applications in other languages send, see who is there, disconnect, and revoke.
//!
//! One table, [`OPERATIONS`], makes the routes and the OpenAPI document.

mod access;
mod document;
mod guesses;
mod idempotency;
mod operation;
mod page;
mod parameter;
mod problem;
mod publish;
mod revocations;
mod sessions;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri, header, request};
use axum::middleware::map_response;
use axum::routing::{MethodFilter, any, on};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use hyper::body::Body as _;
use tidings_core::disconnect::Reason;

use crate::audit::Deed;
use crate::clock;
use crate::http::{address_of, protect};
use crate::node::Node;
use crate::outbound::NodeBroker;
use crate::telemetry::ApiLabel;
use access::Caller;
use guesses::Guesses;
use idempotency::{Begun, Memory, Name};
use operation::{Access, Answer, OPERATIONS, Operation};
use problem::{Kind, Problem};

/// Where the API begins.
pub(crate) const API_PATH: &str = "/api/v1";

/// What the API works with.
struct Api {
    node: Arc<Node>,
    broker: NodeBroker,
    memory: Memory,
    guesses: Guesses,
    /// The OpenAPI document.
    document: Bytes,
}

/// A request that may be answered.
struct Call<'a> {
    /// The variable in the path: whose name, which session.
    subject: &'a str,
    /// The second one: which subscription.
    part: &'a str,
    uri: &'a Uri,
    body: &'a [u8],
    caller: &'a Caller,
}

/// What an operation answers: JSON, with status 200.
type Answered = Result<Bytes, Problem>;

/// An answer that workers have a part in.
type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

/// The routes of the API. They have no fallback of their own, so that they can be merged with others.
pub(crate) fn router(node: &Arc<Node>) -> Router {
    let config = &node.config.api;
    let api = Arc::new(Api {
        node: Arc::clone(node),
        broker: NodeBroker(Arc::clone(node)),
        memory: Memory::new(config.idempotency_time, config.idempotency_bytes),
        guesses: Guesses::new(config.failed_keys_per_minute),
        document: document::write(),
    });
    let mut router = Router::new();
    for operation in OPERATIONS {
        let api = Arc::clone(&api);
        let serve = move |request| serve(Arc::clone(&api), operation, request);
        let method = MethodFilter::try_from(operation.method.clone())
            .expect("the table names methods of HTTP");
        router = router.route(&format!("{API_PATH}{}", operation.path), on(method, serve));
    }
    let refuse = |kind: Kind, detail: &'static str| {
        let api = Arc::clone(&api);
        move || {
            let response = Problem::new(kind, detail).into_response();
            api.count("none", &response);
            async { response }
        }
    };
    router = router.method_not_allowed_fallback(refuse(
        Kind::MethodNotAllowed,
        "the header `allow` names the methods that this path has",
    ));
    for path in ["", "/", "/{*rest}"] {
        let not_found = refuse(
            Kind::NotFound,
            "there is no such path; /api/v1/openapi.json describes those that there are",
        );
        router = router.route(&format!("{API_PATH}{path}"), any(not_found));
    }
    router.layer(map_response(protect))
}

async fn serve(api: Arc<Api>, operation: &'static Operation, request: Request) -> Response<Body> {
    let mut response = match api.answer(operation, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    api.count(operation.name, &response);
    if operation.access != Access::Everybody {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

impl Api {
    /// Nothing of the body is read before the key is known to be good.
    async fn answer(
        self: &Arc<Self>,
        operation: &'static Operation,
        request: Request,
    ) -> Result<Response<Body>, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = self.caller(operation, &parts)?;
        let [subject, part] = variables(&mut parts).await?;
        let body = match operation.request {
            Some(_) => self.read(&parts.headers, body).await?,
            None => Bytes::new(),
        };
        let name = match operation.request {
            Some(_) => idempotency::name(caller.application(), &parts.headers)?,
            None => None,
        };
        let api = Arc::clone(self);
        let is_named = name.is_some();
        let answer = async move {
            let call = Call {
                subject: &subject,
                part: &part,
                uri: &parts.uri,
                body: &body,
                caller: &caller,
            };
            match name {
                Some(name) => api.answer_once(operation, &call, name).await,
                None => operation.run(&api, &call).await.map(json),
            }
        };
        if !is_named {
            return answer.await;
        }
        // Done to its end, even if the client goes away: or it would be forgotten, and done again when it is repeated.
        let stopping = |_| Problem::of(Reason::Shutdown, "the server is stopping");
        tokio::spawn(answer).await.map_err(stopping)?
    }

    /// Whose key the request shows; one that may do what the operation does.
    fn caller(&self, operation: &Operation, parts: &request::Parts) -> Result<Caller, Problem> {
        let address = address_of(&parts.extensions).map(|address| address.ip());
        let caller = Caller::from(address);
        let Some(need) = operation.access.need() else {
            return Ok(caller);
        };
        let Some(shown) = access::shown(&parts.headers) else {
            return Err(access::unauthorized());
        };
        // Where nobody tells the address, all share one allowance.
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let find = || self.node.security.api_key(shown);
        let audit = &self.node.audit;
        let key = self.guesses.judge(address, clock::now(), find);
        let key = key.inspect_err(|_| {
            let deed = Deed::AuthenticationFailed {
                reason: Reason::BadCredentials,
                method: "api-key",
            };
            audit.record(caller.actor(), &deed);
        })?;
        let caller = caller.with_key(key);
        caller.may(audit, need, parts.uri.path())?;
        Ok(caller)
    }

    async fn answer_once(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        name: Name,
    ) -> Result<Response<Body>, Problem> {
        let request = (operation.name, call.subject, call.body);
        match self.memory.begin(name, &request, clock::now())? {
            Begun::Before(answer) => {
                let mut response = json(answer);
                response
                    .headers_mut()
                    .insert("idempotency-replayed", HeaderValue::from_static("true"));
                Ok(response)
            }
            Begun::Now(permit) => {
                let answer = operation.run(self, call).await?;
                permit.keep(&answer, clock::now());
                Ok(json(answer))
            }
        }
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Answered {
        let kind = headers.get(header::CONTENT_TYPE);
        let is_json = kind
            .and_then(|kind| kind.to_str().ok()?.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            let detail = "send JSON, and the header `content-type: application/json`";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let encoding = headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let detail = "send the body as it is, without `content-encoding`";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let limit = self.node.config.api.max_body_bytes;
        let too_large = || {
            let detail = format!(
                "the body is longer than {limit} bytes; send less, or raise api.max_body_bytes"
            );
            Problem::new(Kind::RequestTooLarge, detail)
        };
        // One that says so is refused before any of it is read.
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        to_bytes(body, limit).await.map_err(|error| {
            let is_too_large = std::error::Error::source(&error)
                .is_some_and(|source| source.is::<LengthLimitError>());
            if is_too_large {
                return too_large();
            }
            let detail = format!("the body did not arrive: {error}");
            Problem::new(Kind::IncompleteBody, detail)
        })
    }

    fn count(&self, operation: &'static str, response: &Response<Body>) {
        let status = response.status().as_u16();
        let label = ApiLabel { operation, status };
        self.node.telemetry.api_requests.get_or_create(&label).inc();
    }
}

impl Operation {
    /// Does it. Of what a DELETE has ended the audit log is told; a revocation tells of itself, and messages are too many.
    async fn run(&self, api: &Api, call: &Call<'_>) -> Answered {
        let answer = match self.answer {
            Answer::Now(answer) => answer(api, call),
            Answer::Later(answer) => answer(api, call).await,
        }?;
        if self.method == Method::DELETE {
            let deed = Deed::Administered {
                operation: self.name,
                target: call.uri.path_and_query().map_or("", |both| both.as_str()),
            };
            api.node.audit.record(call.caller.actor(), &deed);
        }
        Ok(answer)
    }
}

/// No path has more than two variables; those that it does not have are empty.
async fn variables(parts: &mut request::Parts) -> Result<[String; 2], Problem> {
    let invalid = |detail| Problem::new(Kind::InvalidRequest, detail);
    if !has_good_escapes(&parts.uri) {
        return Err(invalid(
            "a `%` in the path or the query has no two hexadecimal digits behind it; write %25 for the character itself",
        ));
    }
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    let parameters = parameters.map_err(|_| invalid("an escape in the path is not UTF-8"))?;
    let mut values = parameters.iter().map(|(_, value)| value.to_owned());
    Ok(std::array::from_fn(|_| values.next().unwrap_or_default()))
}

/// What would be taken as it is otherwise, and name somebody else.
fn has_good_escapes(uri: &Uri) -> bool {
    let text = uri.path_and_query().map_or("", |both| both.as_str());
    let mut behind = text.split('%').skip(1).map(str::as_bytes);
    behind.all(|behind| behind.len() >= 2 && behind[..2].iter().all(u8::is_ascii_hexdigit))
}

/// The JSON of an answer.
fn encode(answer: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(answer)
        .expect("answers are structs of texts and numbers")
        .into()
}

fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
