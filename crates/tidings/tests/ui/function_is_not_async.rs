use tidings::prelude::*;

fn trade() -> String {
    String::new()
}

fn main() {
    let _: Router = Router::new().message("trade", trade);
}
