use tidings::prelude::*;

#[debug_handler]
fn trade() -> String {
    String::new()
}

fn main() {}
