#![deny(warnings)]

use std::future::Future;
use std::pin::Pin;

use tidings::prelude::*;

#[derive(Clone)]
struct App {
    name: String,
}

impl FromRef<App> for String {
    fn from_ref(app: &App) -> Self {
        app.name.clone()
    }
}

struct Tenant;

impl FromMessageParts<App> for Tenant {
    type Rejection = Failure;

    async fn from_message_parts(_: &mut Parts, _: &App) -> Result<Self, Failure> {
        Ok(Self)
    }
}

#[debug_handler]
async fn nothing() {}

#[debug_handler]
async fn all(
    User(user): User,
    mut path: Path<String>,
    _: Option<User>,
    _: SessionId,
    _: Headers,
    _: RequestKind,
    State(app): State<App>,
    Json(shares): Json<u32>,
) -> Result<SendTo<String>, Failure> {
    path.0.push('x');
    Ok(SendTo("/topic/trades", format!("{user} {shares} {}", app.name)))
}

#[debug_handler(state = App)]
async fn parts(_: Tenant, _: State<String>, _: State<App>, _: Message) -> impl IntoReply {}

#[debug_handler]
fn boxed(_: User) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async { String::new() })
}

#[debug_handler]
fn opaque(body: String) -> impl Future<Output = String> + Send {
    std::future::ready(body)
}

fn main() {
    let _: Router<()> = Router::<App>::new()
        .message("nothing", nothing)
        .message("all/{symbol}", all)
        .message("parts", parts)
        .message("boxed", boxed)
        .message("opaque", opaque)
        .with_state(App { name: String::new() });
}
