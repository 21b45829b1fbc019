use tidings::prelude::*;

use std::rc::Rc;

#[debug_handler]
async fn trade(_: User) {
    let shares = Rc::new(1);
    std::future::ready(()).await;
    drop(shares);
}

fn main() {}
