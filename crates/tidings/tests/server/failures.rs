//! What a failure does to a session.

use std::sync::Arc;

use tidings::prelude::*;
use tidings_server::Server;
use tidings_server::config::{Config, Overrides};

use crate::running::Running;

fn router() -> Router {
    let fail = async |Path(code): Path<String>| {
        let reason = Reason::from_name(&code).unwrap_or(Reason::InternalError);
        Failure {
            reason,
            details: "it went wrong: try something else".to_owned(),
        }
    };
    Router::new().message("fail/{code}", fail)
}

#[test]
fn some_end_the_session_even_where_its_client_listens() {
    let server = Running::start_with(router(), |config| {
        config.application.close_on = vec![Reason::InternalError];
    });
    let mut client = server.client("", &["/user/queue/errors"]);
    client.ask("/app/fail/application-failed", "");
    client.is_told(&["MESSAGE\n", "code:application-failed\n"]);
    client.ask("/app/fail/internal-error", "");
    client.is_told(&[
        "ERROR\n",
        "code:internal-error\n",
        "receipt-id:/app/fail/internal-error\n",
    ]);
    client.is_gone();
}

#[test]
fn after_some_the_session_goes_on_even_where_its_client_does_not_listen() {
    let server = Running::start_with(router(), |config| {
        config.application.continue_on = vec![Reason::ApplicationFailed];
    });
    let mut client = server.client("", &[]);
    client.ask("/app/fail/application-failed", "");
    client.is_told_no_more();
    client.ask("/app/fail/internal-error", "");
    client.is_told(&["ERROR\n", "code:internal-error\n"]);
    client.is_gone();
}

/// Panics when it is dropped, as a guard may that finds its work half done.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("as the test wants");
        }
    }
}

#[test]
fn a_handler_that_panics_as_it_is_dropped_holds_nobody_up() {
    let hang = async || {
        let _fragile = Fragile;
        std::future::pending::<NoReply>().await
    };
    let hold = async |frame: Frame, _: Arc<Session>| {
        let _fragile = (frame.body == "hold").then(|| Fragile);
        if frame.body == "hold" {
            std::future::pending::<()>().await;
        }
        Ok(frame)
    };
    let router = Router::new()
        .message("hang", hang)
        .message("parallel", parallel(hang))
        .interceptor([Command::Send], hold);
    let server = Running::start_with(router, |config| {
        config.application.timeout = std::time::Duration::from_millis(100);
        config.application.max_parallel = 1;
    });
    let mut client = server.client("", &["/user/queue/errors"]);
    for destination in ["/app/hang", "/app/parallel", "/app/parallel"] {
        client.ask(destination, "");
        client.is_told(&["code:application-timeout\n"]);
    }
    client.ask("/topic/a", "hold");
    client.is_told(&["code:application-timeout\n"]);
    client.is_told_no_more();
}

#[tokio::test]
async fn a_router_of_another_separator_than_the_servers_is_refused_at_the_start() {
    let config = Config::development(&Overrides::default()).expect("defaults");
    let router: Router = Router::with_separator(Separator::Dot);
    let server = Server::unbound(config).application(Arc::new(router));
    let ended = server
        .run(axum::Router::new(), std::future::pending())
        .await;
    let error = ended.expect_err("they differ").to_string();
    assert!(
        error.contains("separates destinations by `.`, and `broker.separator` is `/`"),
        "{error}"
    );
}
