use tidings::prelude::*;

struct Order;

async fn trade(_: Order) {}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
