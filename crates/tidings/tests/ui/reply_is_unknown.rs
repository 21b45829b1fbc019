use tidings::prelude::*;

struct Order;

async fn trade() -> Order {
    Order
}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
