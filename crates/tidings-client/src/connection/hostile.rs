//! Whatever a server says and whenever it hangs up, nothing that a program waits for waits forever.

use std::future::IntoFuture;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use super::tests::{Peers, network};
use crate::{AckMode, Backoff, Client};

/// What a server may say: a bit of everything, and what was never asked for.
const WORDS: [&[u8]; 14] = [
    b"CONNECTED\nversion:1.2\n\n\0",
    b"CONNECTED\nversion:1.0\nheart-beat:1,1\n\n\0",
    b"CONNECTED\nversion:7\n\n\0",
    b"RECEIPT\nreceipt-id:1\n\n\0",
    b"RECEIPT\nreceipt-id:2\n\n\0RECEIPT\nreceipt-id:2\n\n\0",
    b"RECEIPT\nreceipt-id:3\n\n\0RECEIPT\nreceipt-id:18446744073709551615\n\n\0",
    b"RECEIPT\n\n\0",
    b"MESSAGE\nsubscription:1\nmessage-id:1\nack:1\n\nx\0",
    b"MESSAGE\nsubscription:99\n\n\0MESSAGE\n\n\0",
    b"MESSAGE\nsubscription:1\ncontent-length:99999999999\n\n",
    b"ERROR\nreceipt-id:2\n\n\0",
    b"ERROR\ncode:refused\n\n\0",
    b"\n\n\n",
    b"\xff\0\x81\0SEND\n\n\0",
];

#[derive(Debug, Clone)]
struct Speech {
    words: Vec<usize>,
    /// Reads so much between any two words.
    reads: usize,
    /// Stays open, and silent, after the last word.
    stays: bool,
}

fn speech() -> impl Strategy<Value = Speech> {
    let words = prop::collection::vec(0..WORDS.len(), 0..8);
    (words, 0_usize..200, any::<bool>()).prop_map(|(words, reads, stays)| Speech {
        words,
        reads,
        stays,
    })
}

async fn play(peers: &mut Peers, speeches: &[Speech]) -> Vec<DuplexStream> {
    let mut open = Vec::new();
    for speech in speeches {
        let Some(mut peer) = peers.recv().await else {
            break;
        };
        let mut heard = vec![0; speech.reads];
        // So that a connection opens at all, most of the time.
        let _ = peer.write_all(WORDS[0]).await;
        for &word in &speech.words {
            let _ = timeout(Duration::from_secs(1), peer.read(&mut heard)).await;
            let _ = timeout(Duration::from_secs(1), peer.write_all(WORDS[word])).await;
        }
        if speech.stays {
            open.push(peer);
        }
    }
    open
}

/// Uses all that a client has, and is done when all of it has come to an end.
async fn live(client: Client) {
    let listen = async {
        let subscribe = client.subscribe("/queue/a").ack(AckMode::ClientIndividual);
        if let Ok(mut subscription) = subscribe.await {
            while let Some(message) = subscription.next().await {
                let _ = message.ack().confirmed().await;
            }
        }
    };
    let talk = async {
        for _ in 0..5 {
            let _ = client
                .send("/topic/a", vec![b'x'; 50_000])
                .confirmed()
                .await;
        }
    };
    let bargain = async {
        for _ in 0..5 {
            let Ok(mut transaction) = client.begin().await else {
                continue;
            };
            let _ = transaction.send("/topic/a", "x").confirmed().await;
            let _ = transaction.commit().await;
        }
    };
    let change_mind = async {
        for millis in 0..5 {
            let patience = Duration::from_millis(millis);
            let _ = timeout(patience, client.subscribe("/topic/b").into_future()).await;
            let _ = timeout(patience, client.send("/topic/b", "x").confirmed()).await;
            let _ = timeout(patience, client.begin()).await;
        }
        let _ = client.disconnect().await;
    };
    tokio::join!(listen, talk, bargain, change_mind);
}

proptest! {
    #[test]
    fn nothing_waits_forever(speeches in prop::collection::vec(speech(), 1..6)) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let (dialer, mut peers) = network();
            let builder = Client::builder("tcp://nowhere").reconnect(Backoff {
                max_attempts: 5,
                ..Backoff::default()
            });
            let life = async {
                if let Ok(client) = builder.connect_by(dialer).await {
                    live(client).await;
                }
            };
            let life = timeout(Duration::from_secs(3600), life);
            let (ended, _open) = tokio::join!(life, play(&mut peers, &speeches));
            ended.expect("an end within the hour");
        });
    }
}
