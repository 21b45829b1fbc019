//! The example of the crate.

#[expect(dead_code, reason = "its main function is for cargo to run")]
#[path = "../../examples/rust_client.rs"]
mod rust_client;

use crate::server::on_each_transport;

#[tokio::test]
async fn the_example_hears_what_it_says() {
    on_each_transport(async |_server, url| {
        let mut out = Vec::new();
        rust_client::greet(&url, &mut out).await.expect("no error");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "/topic/greetings: hello, Ann\n/topic/greetings: hello, Björn\n/topic/greetings: hello, Chloë\n"
        );
    })
    .await;
}
