use tidings::prelude::*;

#[derive(Clone)]
struct App;

/// Needs the state of the router, and takes it by itself.
struct Tenant;

impl FromMessageParts<App> for Tenant {
    type Rejection = Failure;

    async fn from_message_parts(_: &mut Parts, _: &App) -> Result<Self, Failure> {
        Ok(Self)
    }
}

#[debug_handler]
async fn trade(_: Tenant) {}

#[debug_handler(state = App)]
async fn sell(_: Tenant, _: State<String>) {}

#[debug_handler]
async fn buy(_: State<String>, _: State<u32>) {}

struct NoClone;

#[debug_handler]
async fn hold(_: State<NoClone>) {}

fn main() {}
