use tidings::prelude::*;

#[debug_handler]
async fn nine(_: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: ()) {}

#[debug_handler]
async fn generic<T>(_: Json<T>) {}

#[debug_handler]
async fn opaque(_: impl Sized) {}

#[debug_handler(state)]
async fn half() {}

#[debug_handler(sate = App)]
async fn misspelt() {}

#[debug_handler]
struct Thing;

impl Thing {
    #[debug_handler]
    async fn method(&self) {}
}

fn main() {}
