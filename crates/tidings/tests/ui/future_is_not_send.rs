use std::rc::Rc;
use tidings::prelude::*;

async fn trade() {
    let shares = Rc::new(1);
    std::future::ready(()).await;
    drop(shares);
}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
