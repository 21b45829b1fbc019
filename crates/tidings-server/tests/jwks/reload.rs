//! A changed configuration, while an issuer cannot be asked.

use crate::client::Client;
use crate::issuer::{Issuer, Key};
use crate::rotation::connect_in_the_end;
use crate::server::Running;

#[tokio::test]
async fn a_reload_loses_no_key_that_was_fetched() {
    let (ours, theirs) = (Key::new("1"), Key::new("1"));
    let ourselves = Issuer::start("ours", &[&ours]);
    let others = Issuer::start("theirs", &[&theirs]);
    let server = Running::start(&[&ourselves]);
    let token = ours.token("ours", "ann");
    let mut session = Client::connect(server.address, &token)
        .await
        .expect("a good token");
    ourselves.says(500, "");
    let mut config = server.config.clone();
    for count in 1..4 {
        config
            .security
            .rules
            .push("allow subscribe /queue/**".to_owned());
        server.reload(&config);
        ourselves.await_asked(1 + count);
        session.hears_itself().await;
        let newcomer = Client::connect(server.address, &token).await;
        newcomer
            .expect("the key is still known")
            .hears_itself()
            .await;
    }
    // Another issuer comes beside it, with a key of the same name.
    config.jwt.issuers.push(others.source());
    server.reload(&config);
    others.await_asked(1);
    for (key, issuer) in [(&ours, "ours"), (&theirs, "theirs")] {
        let token = key.token(issuer, "ann");
        let mut client = connect_in_the_end(server.address, &token).await;
        client.hears_itself().await;
    }
    config.jwt.issuers.remove(0);
    server.reload(&config);
    let refused = Client::connect(server.address, &token).await;
    assert_eq!(refused.err().as_deref(), Some("bad-credentials"));
    // Who is in stays in: revoke, where that is not wanted.
    session.hears_itself().await;
}
