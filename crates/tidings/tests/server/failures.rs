//! What a failure does to a session.

use tidings::prelude::*;

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
