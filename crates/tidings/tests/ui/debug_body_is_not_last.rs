use tidings::prelude::*;

#[debug_handler]
async fn trade(_: Json<u32>, _: User) {}

#[debug_handler]
async fn note(_: String, _: Json<u32>) {}

fn main() {}
