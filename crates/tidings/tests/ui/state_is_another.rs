use tidings::prelude::*;

async fn trade(_: State<String>) {}

fn main() {
    let _: Router = Router::new().message("trade", trade).with_state(1_u32);
}
