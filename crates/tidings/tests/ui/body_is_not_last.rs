use tidings::prelude::*;

async fn trade(_: Json<u32>, _: User) {}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
