//! An axum service with messaging in it: one port, one sign-in, one end. Run it with
//!
//! ```text
//! cargo run -p tidings --example axum_app -- --listen 127.0.0.1:8080
//! ```
//!
//! Ada, who is of the staff, and Bob may sign in: `ada` with `lovelace`, `bob` with `builder`.
//!
//! | request or frame | what it does |
//! |---|---|
//! | GET `/login` | the form, which POSTs `{"user": .., "password": ..}` there: that begins a session by cookie |
//! | POST `/logout` | ends it, and the connections of the user |
//! | GET `/` | says who you are |
//! | POST `/announcements` with `{"text": "hello"}` | tells all who subscribe to `/topic/announcements`; of the staff only |
//! | `ws://127.0.0.1:8080/messaging/ws`, or SockJS at the same path | STOMP, as the user of the cookie |
//! | SEND `/app/shout` with a text | tells all who subscribe to `/topic/shout`, and who shouted |
//! | SUBSCRIBE `/topic/staff/...` | of the staff only, as the [access rules](RULES) say |

use std::collections::HashMap;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{Identity, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What a client may do; what stands here nowhere is refused.
const RULES: [&str; 5] = [
    "allow connect if authenticated",
    "allow subscribe /topic/staff/** if role staff",
    "allow subscribe /topic/announcements",
    "allow subscribe /topic/shout",
    "allow send /app/shout",
];

/// Sessions that may be signed in at a time; the form then asks for patience.
const MAX_SESSIONS: usize = 10_000;

#[derive(Deserialize, Serialize)]
struct Announcement {
    text: String,
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

/// Stands for a table of users, which has hashes of passwords.
fn check(login: &Login) -> Option<Principal> {
    match (&*login.user, &*login.password) {
        ("ada", "lovelace") => Some(Principal::user("ada").with_roles(["staff"])),
        ("bob", "builder") => Some(Principal::user("bob")),
        _ => None,
    }
}

#[derive(Clone)]
struct App {
    template: MessagingTemplate,
    signed_in: SignedIn,
}

/// Who is signed in, by the value of the cookie.
#[derive(Clone, Default)]
struct SignedIn(Arc<Mutex<HashMap<String, Principal>>>);

impl SignedIn {
    fn with<R>(&self, look: impl FnOnce(&mut HashMap<String, Principal>) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs in; gives the value of the cookie, which nobody can guess.
    fn begin(&self, principal: Principal) -> Option<String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).ok()?;
        let id = format!("{:032x}", u128::from_ne_bytes(random));
        self.with(|sessions| {
            (sessions.len() < MAX_SESSIONS).then(|| {
                sessions.insert(id.clone(), principal);
                id
            })
        })
    }
}

/// The value of the cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut cookies = cookies.split("; ");
    cookies.find_map(|cookie| cookie.strip_prefix("session="))
}

/// Begins a session of the browser.
async fn sign_in(
    axum::extract::State(app): axum::extract::State<App>,
    axum::Json(login): axum::Json<Login>,
) -> axum::response::Response {
    let Some(principal) = check(&login) else {
        return (StatusCode::UNAUTHORIZED, "wrong user or password\n").into_response();
    };
    let Some(id) = app.signed_in.begin(principal) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "come back later\n").into_response();
    };
    // Where there is TLS, add `Secure`.
    let cookie = format!("session={id}; HttpOnly; SameSite=Lax; Path=/");
    ([(header::SET_COOKIE, cookie)], "signed in\n").into_response()
}

/// Ends it; what was connected by it must not stay so.
async fn sign_out(
    axum::extract::State(app): axum::extract::State<App>,
    headers: HeaderMap,
) -> StatusCode {
    let id = cookie(&headers).unwrap_or_default();
    let principal = app.signed_in.with(|sessions| sessions.remove(id));
    if let Some(user) = principal.and_then(|principal| principal.name) {
        for session in app.template.sessions_of(&user) {
            app.template.disconnect(&session, Reason::Revoked);
        }
    }
    StatusCode::NO_CONTENT
}

/// Finds out who asks, and tells Tidings.
async fn authenticate(
    axum::extract::State(app): axum::extract::State<App>,
    mut request: Request,
    next: Next,
) -> axum::response::Response {
    let id = cookie(request.headers());
    let principal = id.and_then(|id| app.signed_in.with(|sessions| sessions.get(id).cloned()));
    let Some(principal) = principal else {
        return (StatusCode::UNAUTHORIZED, "sign in at /login\n").into_response();
    };
    request.extensions_mut().insert(principal.clone());
    request.extensions_mut().insert(Identity::of(principal));
    next.run(request).await
}

async fn who(axum::Extension(principal): axum::Extension<Principal>) -> String {
    format!("you are {}\n", principal.name.unwrap_or_default())
}

/// A handler of HTTP that sends to clients of STOMP. The program may send anywhere: the rules are for clients.
async fn announce(
    axum::extract::State(app): axum::extract::State<App>,
    axum::Extension(principal): axum::Extension<Principal>,
    axum::Json(Announcement { text }): axum::Json<Announcement>,
) -> Result<StatusCode, (StatusCode, String)> {
    if !principal.has_role("staff") {
        return Err((StatusCode::FORBIDDEN, "ask the staff\n".to_owned()));
    }
    let text = format!("{}: {text}", principal.name.unwrap_or_default());
    let announcement = Json(Announcement { text });
    match app.template.send("/topic/announcements", announcement) {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// A handler of STOMP. The user is the one of the cookie, whatever a client says in `login`.
async fn shout(User(user): User, principal: Arc<Principal>, text: String) -> String {
    let mark = if principal.has_role("staff") { "!" } else { "" };
    format!("{user}: {}{mark}", text.to_uppercase())
}

const FORM: &str = r#"<!doctype html>
<title>Sign in</title>
<form>
  <input name="user" autocomplete="username" placeholder="user" required>
  <input name="password" type="password" autocomplete="current-password" placeholder="password" required>
  <button>Sign in</button>
  <output></output>
</form>
<script>
  document.forms[0].onsubmit = async (event) => {
    event.preventDefault();
    const answer = await fetch("/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(Object.fromEntries(new FormData(event.target))),
    });
    document.querySelector("output").value = await answer.text();
  };
</script>
"#;

/// Serves until `stop`, which ends both: messaging says goodbye to its clients, and HTTP ends its connections.
pub(crate) async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let off = || Some("off".to_owned());
    let config = Config::development(&Overrides {
        tcp: off(),
        admin: off(),
        ..Overrides::default()
    })?;
    let router: Router = Router::new().message("shout", shout);
    let server = Server::embed(config)
        .await?
        .rules(RULES)?
        .application(Arc::new(router));
    let state = App {
        template: MessagingTemplate::new(server.broker()),
        signed_in: SignedIn::default(),
    };
    let inside = axum::Router::new()
        .route("/", get(who))
        .route("/announcements", post(announce))
        .with_state(state.clone())
        .nest("/messaging", server.routes())
        .layer(from_fn_with_state(state.clone(), authenticate));
    let app = axum::Router::new()
        .route("/login", get(Html(FORM)).post(sign_in))
        .route("/logout", post(sign_out))
        .with_state(state)
        .merge(inside);

    let (stopping, stopped) = watch::channel(());
    let end = |mut stopped: watch::Receiver<()>| async move {
        // An error: the other end is dropped, and that is the signal.
        let _ = stopped.changed().await;
    };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let http = axum::serve(listener, app).with_graceful_shutdown(end(stopped.clone()));
    let messaging = server.run_embedded(end(stopped));
    let stop = async {
        stop.await;
        drop(stopping);
    };
    let (http, messaging, ()) = tokio::join!(http.into_future(), messaging, stop);
    http?;
    messaging?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let listen = match &*arguments {
        [] => "127.0.0.1:8080",
        [flag, address] if flag == "--listen" => address,
        _ => return Err("usage: axum_app [--listen ADDR]".into()),
    };
    let listener = TcpListener::bind(listen).await?;
    print(&format!("listening http://{}", listener.local_addr()?));
    serve(listener, async {
        // Without signals it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
    .await
}

#[expect(clippy::print_stdout, reason = "this is a program's output")]
fn print(line: &str) {
    println!("{line}");
}
