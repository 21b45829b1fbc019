use std::sync::Arc;

use serde::Deserialize;
use tidings::extract::JsonRejection;
use tidings::prelude::*;

use crate::talk::{answer, message, only_line, session, subscription, with_header};

#[derive(Deserialize)]
struct Order {
    symbol: String,
    shares: u32,
}

struct Priority;

impl HeaderName for Priority {
    const NAME: &'static str = "priority";
    type Value = u8;
}

fn router<A: 'static>(handler: impl tidings::handler::Handler<A, ()>) -> Router {
    Router::new().message("x", handler)
}

#[test]
fn json_is_read_from_the_body() {
    let router =
        router(async |Json(order): Json<Order>| format!("{} {}", order.shares, order.symbol));
    let request = message("x", r#"{"symbol": "acme", "shares": 3}"#);
    assert_eq!(only_line(&router, request.clone()), "/topic/x: 3 acme");
    for content_type in [
        "application/json",
        "Application/JSON;charset=utf-8",
        "application/merge-patch+json",
    ] {
        let request = with_header(request.clone(), "content-type", content_type);
        assert_eq!(
            only_line(&router, request),
            "/topic/x: 3 acme",
            "{content_type}"
        );
    }
}

#[test]
fn optional_json_is_none_for_an_empty_body_and_rejects_a_bad_one() {
    let router =
        router(async |count: Option<Json<u32>>| format!("{:?}", count.map(|Json(count)| count)));
    assert_eq!(only_line(&router, message("x", "")), "/topic/x: None");
    assert_eq!(only_line(&router, message("x", "7")), "/topic/x: Some(7)");
    assert!(only_line(&router, message("x", "seven")).starts_with("invalid-payload: "));
}

#[test]
fn a_result_gives_the_rejection_to_the_handler() {
    let router = router(
        async |count: Result<Json<u32>, JsonRejection>| match count {
            Ok(Json(count)) => count.to_string(),
            Err(rejection) => format!("no: {rejection}"),
        },
    );
    assert_eq!(only_line(&router, message("x", "7")), "/topic/x: 7");
    assert_eq!(
        only_line(&router, message("x", "")),
        "/topic/x: no: the body is empty: send JSON"
    );
}

#[test]
fn text_and_octets_are_the_body() {
    let text = router(async |text: String| text);
    assert_eq!(only_line(&text, message("x", "grüße")), "/topic/x: grüße");
    assert_eq!(only_line(&text, message("x", "")), "/topic/x: ");
    let octets = router(async |octets: Bytes| octets.len().to_string());
    let mut request = message("x", "");
    request.body = Bytes::from_static(b"\xff\0\xfe");
    assert_eq!(only_line(&octets, request), "/topic/x: 3");
}

#[test]
fn the_whole_message_has_all() {
    let router: Router = Router::new().message("x/{y}", async |message: Message| {
        let parts = &message.parts;
        let variables: Vec<_> = parts.variables().collect();
        format!(
            "{} {} {:?} {variables:?} {:?} {} {:?}",
            parts.destination(),
            parts.path(),
            parts.route(),
            parts.headers.get("a"),
            parts.session.id,
            message.body
        )
    });
    let request = with_header(message("x/1", "body"), "a", "b");
    assert_eq!(
        only_line(&router, request),
        r#"/topic/x/1: /app/x/1 x/1 Some("x/{y}") [("y", "1")] Some("b") s1 b"body""#
    );
}

#[test]
fn a_header_is_parsed_and_the_first_of_its_name_counts() {
    let must = router(async |Header(priority): Header<Priority>| priority.to_string());
    let request = with_header(message("x", ""), "priority", "7");
    let request = with_header(request, "priority", "9");
    assert_eq!(only_line(&must, request), "/topic/x: 7");
    let may = router(async |priority: Option<Header<Priority>>| {
        format!("{:?}", priority.map(|Header(priority)| priority))
    });
    assert_eq!(only_line(&may, message("x", "")), "/topic/x: None");
    let bad = with_header(message("x", ""), "priority", "high");
    assert!(only_line(&may, bad).starts_with("invalid-header: "));
}

#[test]
fn all_headers_are_there() {
    let router = router(async |headers: Headers| format!("{headers:?}"));
    let request = with_header(message("x", ""), "a", "1");
    assert_eq!(only_line(&router, request), r#"/topic/x: {"a": "1"}"#);
}

#[test]
fn the_principal_is_the_user() {
    let must = router(async |User(user): User| user.to_string());
    let may = router(async |user: Option<User>| format!("{user:?}"));
    assert_eq!(only_line(&must, message("x", "")), "/topic/x: ann");
    let mut nobody = message("x", "");
    nobody.session = session(None);
    assert_eq!(only_line(&may, nobody.clone()), "/topic/x: None");
    assert_eq!(
        only_line(&must, nobody),
        "unauthenticated: nobody is logged in: log in when you connect"
    );
}

#[test]
fn the_principal_has_roles_and_claims() {
    let must = router(async |principal: Arc<Principal>| {
        let is_staff = principal.has_role("staff");
        format!(
            "{:?} {is_staff} {}",
            principal.name, principal.claims["team"]
        )
    });
    let may = router(async |principal: Option<Arc<Principal>>| format!("{}", principal.is_some()));
    let as_principal = |principal: Principal| {
        let mut request = message("x", "");
        request.session = Arc::new(Session::of("s1".into(), Arc::new(principal)));
        request
    };
    let ann = Principal::user("ann").with_roles(["staff"]);
    let ann = as_principal(ann.with_claim("team", "red"));
    assert_eq!(
        only_line(&must, ann.clone()),
        r#"/topic/x: Some("ann") true "red""#
    );
    let renewed = Principal::user("ann").with_claim("team", "blue");
    assert!(ann.session.renew(Arc::new(renewed)));
    assert_eq!(
        only_line(&must, ann.clone()),
        r#"/topic/x: Some("ann") false "blue""#
    );
    assert_eq!(only_line(&may, ann), "/topic/x: true");
    let nobody = as_principal(Principal::anonymous());
    assert_eq!(only_line(&may, nobody.clone()), "/topic/x: false");
    assert_eq!(
        only_line(&must, nobody),
        "unauthenticated: nobody is logged in: log in when you connect"
    );
}

#[test]
fn the_session_and_what_was_asked_are_there() {
    let ask = async |SessionId(id): SessionId,
                     session: Arc<Session>,
                     kind: RequestKind,
                     Destination(to): Destination| {
        assert_eq!(id, session.id);
        format!("{id} {kind:?} {to}")
    };
    let router: Router = Router::new().message("x", ask).subscribe("x", ask);
    assert_eq!(
        only_line(&router, message("x", "")),
        "/topic/x: s1 Message /app/x"
    );
    assert_eq!(
        only_line(&router, subscription("x")),
        "reply: s1 Subscribe /app/x"
    );
}

#[test]
fn attributes_stay_with_their_session() {
    let router = router(async |asked: Attribute<u32>| {
        asked.with(|asked| *asked += 1);
        let times = asked.get();
        asked.set(times * 10);
        times.to_string()
    });
    let request = message("x", "");
    assert_eq!(only_line(&router, request.clone()), "/topic/x: 1");
    assert_eq!(only_line(&router, request), "/topic/x: 11");
    assert_eq!(only_line(&router, message("x", "")), "/topic/x: 1");
}

#[derive(Clone)]
struct App {
    name: &'static str,
    count: u32,
}

impl FromRef<App> for u32 {
    fn from_ref(app: &App) -> Self {
        app.count
    }
}

#[test]
fn state_is_the_router_s_or_a_part_of_it() {
    let whole = async |State(app): State<App>| app.name;
    let part = async |State(count): State<u32>| count.to_string();
    let app = App {
        name: "app",
        count: 5,
    };
    let router: Router = Router::new()
        .message("whole", whole)
        .message("part", part)
        .with_state(app);
    assert_eq!(
        only_line(&router, message("whole", "")),
        "/topic/whole: app"
    );
    assert_eq!(only_line(&router, message("part", "")), "/topic/part: 5");
}

#[test]
fn routers_with_different_states_live_together() {
    let name = async |State(name): State<&'static str>| name;
    let count = async |State(count): State<u32>| count.to_string();
    let inner: Router<u32> = Router::new().message("name", name).with_state("inner");
    let router: Router = inner.message("count", count).with_state(3);
    assert_eq!(
        only_line(&router, message("name", "")),
        "/topic/name: inner"
    );
    assert_eq!(only_line(&router, message("count", "")), "/topic/count: 3");
}

impl Validate for Order {
    type Error = String;

    fn validate(&self) -> Result<(), String> {
        match self.shares {
            0 => Err(format!(
                "shares of {} is 0: order one at least",
                self.symbol
            )),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_is_not_valid_is_rejected() {
    let body = router(async |Valid(Json(order)): Valid<Json<Order>>| order.symbol);
    let order = |shares| message("x", &format!(r#"{{"symbol": "acme", "shares": {shares}}}"#));
    assert_eq!(only_line(&body, order(1)), "/topic/x: acme");
    assert_eq!(
        only_line(&body, order(0)),
        "invalid-payload: shares of acme is 0: order one at least"
    );
    assert_eq!(
        only_line(&body, message("x", "")),
        "invalid-payload: the body is empty: send JSON"
    );
    let optional = router(async |order: Option<Valid<Json<Order>>>| order.is_some().to_string());
    assert_eq!(only_line(&optional, message("x", "")), "/topic/x: false");
    assert!(only_line(&optional, order(0)).starts_with("invalid-payload: "));

    let path: Router = Router::new().message(
        "{symbol}/{shares}",
        async |Valid(Path(order)): Valid<Path<Order>>, body: String| {
            format!("{} {body}", order.symbol)
        },
    );
    assert_eq!(
        only_line(&path, message("acme/1", "b")),
        "/topic/acme/1: acme b"
    );
    assert!(
        only_line(&path, message("acme/0", "b"))
            .starts_with("invalid-payload: shares of acme is 0")
    );
}

/// Takes the body, in its own way.
struct Shouted(String);

impl<S: Sync> FromMessage<S> for Shouted {
    type Rejection = Failure;

    async fn from_message(parts: &mut Parts, body: Bytes, state: &S) -> Result<Self, Failure> {
        let text = String::from_message(parts, body, state).await?;
        match text.is_empty() {
            true => Err(Failure {
                reason: Reason::InvalidPayload,
                details: "silence".to_owned(),
            }),
            false => Ok(Self(text.to_uppercase())),
        }
    }
}

#[test]
fn users_write_their_own() {
    let router =
        router(async |text: Option<Shouted>| text.map_or("none".to_owned(), |Shouted(text)| text));
    assert_eq!(only_line(&router, message("x", "hey")), "/topic/x: HEY");
    assert_eq!(only_line(&router, message("x", "")), "/topic/x: none");
}

#[test]
fn eight_arguments_are_taken_from_left_to_right() {
    #[expect(clippy::too_many_arguments, reason = "that is what is tried")]
    async fn handler(
        _: SessionId,
        _: User,
        _: Headers,
        _: Destination,
        _: RequestKind,
        _: Arc<Session>,
        State(n): State<u8>,
        body: String,
    ) -> String {
        format!("{n} {body}")
    }
    let router: Router = Router::new().message("x", handler).with_state(8);
    assert_eq!(only_line(&router, message("x", "b")), "/topic/x: 8 b");
    let first_rejection =
        Router::new().message("x", async |_: Header<Priority>, _: User, _: Json<u8>| ());
    let mut request = message("x", "bad");
    request.session = session(None);
    let failure = answer(&first_rejection, request)
        .failure
        .expect("a rejection");
    assert_eq!(failure.reason, Reason::MissingHeader);
}
