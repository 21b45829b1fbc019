use std::sync::{Arc, Mutex};

use tidings::prelude::*;
use tidings_core::application::Effect;

use crate::talk::{lines, message, only_line, session, subscription};

/// A layer that writes on the way in and on the way out.
fn marks(
    mark: &'static str,
) -> impl Fn(Message, Next) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> {
    move |mut message, next| {
        Box::pin(async move {
            message.body = [&message.body[..], mark.as_bytes()].concat().into();
            let mut response = next.run(message).await;
            for effect in &mut response.effects {
                if let Effect::Send { message, .. } = effect {
                    message.body = [&message.body[..], mark.to_uppercase().as_bytes()]
                        .concat()
                        .into();
                }
            }
            response
        })
    }
}

#[test]
fn the_last_layer_is_the_outermost() {
    let router: Router = Router::new()
        .message("x", async |body: String| body)
        .layer(marks("a"))
        .message("later", async |body: String| body)
        .layer(marks("b"));
    assert_eq!(only_line(&router, message("x", ">")), "/topic/x: >baAB");
    assert_eq!(
        only_line(&router, message("later", ">")),
        "/topic/later: >bB"
    );
}

#[test]
fn a_layer_of_a_nested_router_stays_there() {
    let inner = Router::new()
        .message("x", async |body: String| body)
        .layer(marks("i"));
    let router: Router = Router::new()
        .message("x", async |body: String| body)
        .nest("in", inner)
        .layer(marks("o"));
    assert_eq!(
        only_line(&router, message("in/x", ">")),
        "/topic/in/x: >oiIO"
    );
    assert_eq!(only_line(&router, message("x", ">")), "/topic/x: >oO");
}

#[test]
fn a_layer_refuses_and_sees_the_route_and_the_headers() {
    async fn only_known(mut message: Message, next: Next) -> Response {
        let Some(user) = message.parts.session.user.clone() else {
            let details = format!("log in for {}", message.parts.route().unwrap_or("nothing"));
            return Failure {
                reason: Reason::Refused,
                details,
            }
            .into();
        };
        message.parts.headers.push("user", &user);
        next.run(message).await
    }
    let router: Router = Router::new()
        .message("x/{y}", async |headers: Headers| {
            headers.get("user").unwrap_or("none").to_owned()
        })
        .layer(only_known);
    assert_eq!(only_line(&router, message("x/1", "")), "/topic/x/1: ann");
    let mut nobody = message("x/1", "");
    nobody.session = session(None);
    assert_eq!(only_line(&router, nobody), "refused: log in for x/{y}");
}

#[test]
fn layers_see_unknown_destinations_and_panics_and_may_panic_themselves() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let sees = Arc::clone(&seen);
    let router: Router = Router::new()
        .message("panic", async || panic!("on purpose") as ())
        .layer(move |message, next| {
            let sees = Arc::clone(&sees);
            async move {
                let path = message.parts.path().to_owned();
                assert_ne!(path, "layer", "on purpose");
                let response = next.run(message).await;
                let reason = response.failure.as_ref().map(|failure| failure.reason);
                sees.lock()
                    .expect("not poisoned")
                    .push(format!("{path} {reason:?}"));
                response
            }
        });
    assert!(only_line(&router, message("nothing", "")).starts_with("unknown-destination"));
    assert!(only_line(&router, message("panic", "")).starts_with("internal-error"));
    assert!(only_line(&router, message("layer", "")).starts_with("internal-error"));
    let seen = seen.lock().expect("not poisoned");
    assert_eq!(
        *seen,
        [
            "nothing Some(UnknownDestination)",
            "panic Some(InternalError)"
        ]
    );
}

#[test]
fn on_error_answers_in_place_of_failures() {
    let router: Router = Router::new()
        .message("count", async |Json(count): Json<u32>| Json(count + 1))
        .message("half", async || {
            let details = "half done".to_owned();
            (
                SendTo("/topic/half", "1"),
                Failure {
                    reason: Reason::Refused,
                    details,
                },
            )
        })
        .on_error(|failure, parts| {
            let told = failure.reason != Reason::UnknownDestination;
            let text = format!("{}: {}", parts.path(), failure.reason);
            (
                told.then_some(SendToUser("/queue/errors", text).sender_only()),
                (!told).then_some(failure),
            )
        });
    assert_eq!(only_line(&router, message("count", "1")), "/topic/count: 2");
    assert_eq!(
        only_line(&router, message("count", "")),
        "session s1 queue/errors: count: invalid-payload"
    );
    assert_eq!(
        lines(&router, message("half", "")),
        ["/topic/half: 1", "session s1 queue/errors: half: refused"]
    );
    assert!(only_line(&router, subscription("weather")).starts_with("unknown-destination"));
}

#[test]
fn listeners_hear_events_of_nested_routers_too() {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = |name: &'static str| {
        let heard = Arc::clone(&heard);
        move |event: &Event| {
            if let Event::Connected { session } = event {
                heard
                    .lock()
                    .expect("not poisoned")
                    .push(format!("{name} {}", session.id));
            }
        }
    };
    let inner = Router::new()
        .on_event(|_| panic!("on purpose"))
        .on_event(hears("inner"));
    let router: Router = Router::new().on_event(hears("outer")).nest("in", inner);
    router.notice(&Event::Connected {
        session: session(None),
    });
    assert_eq!(
        *heard.lock().expect("not poisoned"),
        ["outer s1", "inner s1"]
    );
}
