//! What a router costs without a server: to find a route among ten and among a thousand, and to answer a message.
//!
//! `cargo bench -p tidings --bench dispatch`

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use tidings::prelude::*;

const ROUTES: [u32; 2] = [10, 1_000];

type Shape = (&'static str, fn(u32) -> String, &'static str);

/// How the routes look, and what is asked: route 7 of them.
const SHAPES: [Shape; 3] = [
    ("exact", |n| format!("trade/{n}/buy"), "trade/7/buy"),
    (
        "variable",
        |n| format!("trade/{n}/{{symbol}}"),
        "trade/7/acme",
    ),
    ("shared branch", |n| format!("*/{n}/**"), "trade/7/acme/now"),
];

#[derive(Deserialize)]
struct Order {
    shares: u32,
}

#[derive(Serialize)]
struct Trade {
    shares: u32,
}

fn request(path: &str, session: &Arc<Session>) -> Request {
    Request {
        kind: RequestKind::Message,
        destination: format!("/app/{path}").into(),
        path_at: "/app/".len(),
        headers: [
            ("destination", "/app/..."),
            ("content-type", "application/json"),
        ]
        .into_iter()
        .collect(),
        body: Bytes::from_static(br#"{"shares": 3}"#),
        session: Arc::clone(session),
    }
}

fn session() -> Arc<Session> {
    Arc::new(Session::new("s1".into(), Some("ann".into())))
}

/// None of the handlers here ever waits.
fn answer(router: &Router, request: Request) -> Response {
    let mut response = router.call(request);
    match response
        .response
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        std::task::Poll::Ready(response) => response,
        std::task::Poll::Pending => unreachable!("no handler waits"),
    }
}

fn router(count: u32, pattern: fn(u32) -> String) -> Router {
    (0..count).fold(Router::new(), |router, n| {
        router.message(&pattern(n), async || ())
    })
}

/// The shortest of many rounds: what the machine can do when nothing else runs.
fn nanoseconds(router: &Router, request: &Request) -> f64 {
    const ROUND: u32 = 1_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..ROUND {
            black_box(answer(black_box(router), request.clone()));
        }
        start.elapsed()
    };
    let best = (0..200).map(|_| round()).min().unwrap_or(Duration::ZERO);
    best.as_nanos() as f64 / f64::from(ROUND)
}

#[expect(
    clippy::print_stdout,
    reason = "the ratio is what this benchmark is for"
)]
fn routes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("routes");
    for (name, pattern, path) in SHAPES {
        let request = request(path, &session());
        let routers = ROUTES.map(|count| router(count, pattern));
        for (count, router) in ROUTES.iter().zip(&routers) {
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| answer(router, request.clone()));
            });
        }
        let [few, many] = routers
            .each_ref()
            .map(|router| nanoseconds(router, &request));
        println!(
            "{name}: {few:.0} ns among 10, {many:.0} ns among 1000: {:.2} times\n",
            many / few
        );
    }
    group.finish();
}

async fn nothing() {}

async fn json(Json(order): Json<Order>) -> Json<Trade> {
    let shares = 2 * order.shares;
    Json(Trade { shares })
}

async fn trade(
    User(user): User,
    Path(symbol): Path<String>,
    State(factor): State<u32>,
    Json(order): Json<Order>,
) -> SendTo<Json<Trade>> {
    black_box((user, symbol));
    let shares = factor * order.shares;
    SendTo("/topic/trades/{symbol}", Json(Trade { shares }))
}

async fn pass(message: Message, next: Next) -> Response {
    next.run(message).await
}

fn dispatch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch");
    let routes = || {
        Router::new()
            .message("nothing", nothing)
            .message("json", json)
            .message("trade/{symbol}", trade)
    };
    let plain: Router = routes().with_state(2);
    let layered: Router = routes().layer(pass).with_state(2);
    for (name, router, path) in [
        ("no argument, no reply", &plain, "nothing"),
        ("JSON in and out", &plain, "json"),
        (
            "principal, variable, state, JSON; send to a topic",
            &plain,
            "trade/acme",
        ),
        ("the same behind a layer", &layered, "trade/acme"),
    ] {
        let request = request(path, &session());
        group.bench_function(name, |bencher| {
            bencher.iter(|| answer(router, request.clone()))
        });
    }
    group.finish();
}

criterion_group!(benches, routes, dispatch);
criterion_main!(benches);
