use tidings::prelude::*;

struct Order;

#[debug_handler]
async fn trade(_: Principal, _: Order) {}

#[debug_handler]
async fn sell(_: Order, _: Principal) {}

fn main() {}
