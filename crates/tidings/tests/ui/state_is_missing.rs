use tidings::prelude::*;

async fn trade(_: State<String>) {}

fn main() {
    let router = Router::<String>::new().message("trade", trade);
    drop(router.call(todo!()));
}
