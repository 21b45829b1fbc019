use tidings::prelude::*;

async fn trade(_: State<String>) {}

fn serve(_: impl Application) {}

fn main() {
    serve(Router::<String>::new().message("trade", trade));
}
