use tidings::prelude::*;

struct Order;

#[debug_handler]
async fn trade() -> Order {
    Order
}

#[debug_handler]
async fn sell() -> Result<impl IntoReply, Order> {
    Ok(())
}

fn main() {}
