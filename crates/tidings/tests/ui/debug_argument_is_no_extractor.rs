use tidings::prelude::*;

struct Order;

#[debug_handler]
async fn trade(_: User, _: Order) {}

#[debug_handler]
async fn sell(_: Order, _: User) {}

fn main() {}
