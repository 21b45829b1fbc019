//! An axum service with messaging in it: one port, one sign-in, one end. Run it with
//!
//! ```text
//! cargo run -p tidings --example axum_app -- --listen 127.0.0.1:8080
//! ```
//!
//! | request or frame | what it does |
//! |---|---|
//! | GET `/` | says who you are: `curl -b user=ada http://127.0.0.1:8080/` |
//! | POST `/announcements` with `{"text": "hello"}` | tells all who subscribe to `/topic/announcements` |
//! | `ws://127.0.0.1:8080/messaging/ws`, or SockJS at the same path | STOMP, as the user of the cookie |
//! | SEND `/app/shout` with a text | tells all who subscribe to `/topic/shout`, and who shouted |

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{Identity, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Deserialize, Serialize)]
struct Announcement {
    text: String,
}

/// A handler of HTTP that sends to clients of STOMP.
async fn announce(
    axum::extract::State(template): axum::extract::State<MessagingTemplate>,
    axum::Extension(identity): axum::Extension<Identity>,
    axum::Json(Announcement { text }): axum::Json<Announcement>,
) -> Result<StatusCode, (StatusCode, String)> {
    let text = format!("{}: {text}", identity.user());
    match template.send("/topic/announcements", Json(Announcement { text })) {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// A handler of STOMP. The user is the one of the cookie, whatever a client says in `login`.
async fn shout(Principal(user): Principal, text: String) -> String {
    format!("{user}: {}", text.to_uppercase())
}

/// Stands for what finds out who asks: a real one looks a session up, or checks a token.
async fn authenticate(mut request: Request, next: Next) -> axum::response::Response {
    let cookies = request.headers().get(header::COOKIE);
    let cookies = cookies.and_then(|cookies| cookies.to_str().ok());
    let user = cookies.unwrap_or_default().split("; ").find_map(|cookie| {
        let user = cookie.strip_prefix("user=")?;
        (!user.is_empty()).then(|| user.to_owned())
    });
    let Some(user) = user else {
        let why = "say who you are with a cookie: user=ada\n";
        return axum::response::IntoResponse::into_response((StatusCode::UNAUTHORIZED, why));
    };
    request.extensions_mut().insert(Identity::new(user));
    next.run(request).await
}

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
    let server = Server::embed(config).await?.application(Arc::new(router));
    let app = axum::Router::new()
        .route(
            "/",
            get(
                async |axum::Extension(identity): axum::Extension<Identity>| {
                    format!("you are {}\n", identity.user())
                },
            ),
        )
        .route("/announcements", post(announce))
        .with_state(MessagingTemplate::new(server.broker()))
        .nest("/messaging", server.routes())
        .layer(from_fn(authenticate));

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
