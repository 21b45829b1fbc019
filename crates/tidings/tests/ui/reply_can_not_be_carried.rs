use tidings::prelude::*;

struct Order;

async fn trade() -> impl IntoReply {
    SendTo("/topic/trades", Order)
}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
