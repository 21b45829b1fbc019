//! Handlers without a server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings::prelude::*;
use tidings_testkit::TestRouter;

#[derive(Default)]
struct Asked(u32);

struct CountDown(u32);

impl Stream for CountDown {
    type Item = Json<u32>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Json<u32>>> {
        Poll::Ready(self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Json(left)
        }))
    }
}

async fn trade(User(user): User, Json(shares): Json<u32>) -> impl IntoReply {
    (
        SendTo("/topic/trades/{symbol}", format!("{user} buys")),
        SendToUser("/queue/bought", Json(shares)),
        SendToUser("/queue/noted", "noted".to_owned()).sender_only(),
    )
}

async fn count(session: Arc<Session>) -> Json<u32> {
    Json(session.attribute(|asked: &mut Asked| {
        asked.0 += 1;
        asked.0
    }))
}

fn router() -> TestRouter {
    let router: Router = Router::new()
        .message("trade/{symbol}", trade)
        .message("nothing", async || ())
        .subscribe("count", count);
    TestRouter::new(router)
}

#[test]
fn answers_are_found_by_where_they_go() {
    let ask = router().message("/app/trade/acme").user("ann").json(&3);
    let answer = ask.call_now();
    assert_eq!(answer.sent_to("/topic/trades/acme").text(), "ann buys");
    let bought: u32 = answer.sent_to_user("ann", "/queue/bought").json();
    assert_eq!(bought, 3);
    let noted = answer.sent_to_session("session", "/queue/noted");
    assert_eq!(noted.text(), "noted");
    assert_eq!(answer.messages().len(), 3);
}

#[test]
fn what_is_kept_with_a_session_stays_there() {
    let router = router();
    let session = Arc::new(Session::new("1".into(), None));
    for awaited in 1..=3 {
        let ask = router.subscription("/app/count");
        let counted: u32 = ask.session(Arc::clone(&session)).call_now().reply().json();
        assert_eq!(counted, awaited);
    }
    let counted: u32 = router.subscription("/app/count").call_now().reply().json();
    assert_eq!(counted, 1, "another session begins anew");
}

#[test]
fn failures_and_nothing_are_told_apart() {
    let router = router();
    router.message("/app/nothing").call_now().is_nothing();
    let failure = router.message("/app/else").call_now();
    assert_eq!(failure.failure().reason, Reason::UnknownDestination);
    let ask = router.message("/app/trade/acme").user("ann").body("three");
    assert_eq!(ask.call_now().failure().reason, Reason::InvalidPayload);
}

#[test]
fn another_prefix_and_separator_will_do() {
    let said = async |Path(room): Path<String>| SendTo("topic.said", room);
    let router: Router = Router::with_separator(Separator::Dot).message("rooms.{room}", said);
    let router = TestRouter::new(router).with_prefix("app.");
    let answer = router.message("app.rooms.tea").call_now();
    assert_eq!(answer.sent_to("topic.said").text(), "tea");
}

#[test]
fn handlers_that_sleep_are_asked_within_a_runtime() {
    tidings_testkit::run(async {
        let late = async || {
            tidings_testkit::pass(std::time::Duration::from_secs(3600)).await;
            "late"
        };
        let router: Router = Router::new().subscribe("late", late);
        let answer = TestRouter::new(router).subscription("/app/late").call();
        assert_eq!(answer.await.reply().text(), "late");
    });
}

#[test]
fn what_follows_comes_one_after_the_other() {
    tidings_testkit::run(async {
        let count_down = async || (ReplyStream(CountDown(2)), ReplyStream(CountDown(1)));
        let router: Router = Router::new().subscribe("count", count_down);
        let router = TestRouter::new(router);
        let mut outcome = router.subscription("/app/count").call().await;
        let mut told = Vec::new();
        while let Some(next) = outcome.next().await {
            told.push(next.reply().json::<u32>());
        }
        assert_eq!(told, [1, 0, 0]);
    });
}
