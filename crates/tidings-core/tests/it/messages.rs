use bytes::Bytes;
use proptest::prelude::*;
use tidings_core::disconnect::Reason;
use tidings_core::message::{
    Message, MessageId, MessageIds, RESERVED_HEADERS, deliverable_headers, expiry,
};
use tidings_stomp::Headers;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().copied().collect()
}

#[test]
fn a_sender_can_forge_nothing_that_the_server_says() {
    assert!(RESERVED_HEADERS.is_sorted());
    let forged = "ack content-length dead-letter-reason delivery-count destination login message-id original-destination \
                  passcode receipt receipt-id redelivered subscription transaction";
    let mut send: Vec<(&str, &str)> = forged
        .split_whitespace()
        .map(|name| (name, "forged"))
        .collect();
    send.insert(3, ("content-type", "text/plain"));
    send.push(("x", "1"));
    send.push(("Authorization", "Bearer secret"));
    send.push(("AUTHORIZATION", "Bearer secret"));
    send.push(("X-CSRF-TOKEN", "secret"));
    send.push(("x-xsrf-token", "secret"));
    send.push(("x", "2"));
    send.push(("Receipt", "not the header receipt"));
    let kept = deliverable_headers(&headers(&send));
    let kept: Vec<_> = kept.iter().collect();
    let expected = [
        ("content-type", "text/plain"),
        ("x", "1"),
        ("x", "2"),
        ("Receipt", "not the header receipt"),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn the_earlier_expiry_counts_and_zero_is_never() {
    let at = |pairs: &[(&str, &str)]| expiry(&headers(pairs), 1_000).map_err(|e| e.reason());
    assert_eq!(at(&[]), Ok(None));
    assert_eq!(at(&[("expires", "0"), ("expiration", "0")]), Ok(None));
    assert_eq!(at(&[("expires", "1500")]), Ok(Some(1_500)));
    assert_eq!(at(&[("expiration", "300")]), Ok(Some(1_300)));
    assert_eq!(
        at(&[("expires", "1500"), ("expiration", "300")]),
        Ok(Some(1_300))
    );
    assert_eq!(
        at(&[("expires", "1200"), ("expiration", "300")]),
        Ok(Some(1_200))
    );
    assert_eq!(
        at(&[("expires", "0"), ("expiration", "300")]),
        Ok(Some(1_300))
    );
    assert_eq!(
        at(&[("expiration", "18446744073709551615")]),
        Ok(Some(u64::MAX))
    );
}

#[test]
fn an_expiry_that_is_no_number_is_an_error() {
    for garbage in ["", "+5", "-1", "1.5", " 1", "soon", "18446744073709551616"] {
        for name in ["expires", "expiration"] {
            let error = expiry(&headers(&[(name, garbage)]), 0).unwrap_err();
            assert_eq!(
                (error.header, error.reason()),
                (name, Reason::InvalidHeader)
            );
        }
    }
}

#[test]
fn ids_of_other_nodes_and_other_spellings_are_not_ours() {
    let ids = MessageIds::new("n0de");
    assert_eq!((ids.next(), ids.next()), (MessageId(1), MessageId(2)));
    for text in [
        "n0de-",
        "n0de-01",
        "n0de-+1",
        "n0de1",
        "n0dex-1",
        "other-1",
        "-1",
        "",
        "n0de-18446744073709551616",
    ] {
        assert_eq!(ids.parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn an_id_is_read_back_from_its_text(number in prop_oneof![any::<u64>(), 0..100u64, Just(u64::MAX)]) {
        let ids = MessageIds::new("n0de-1");
        let mut text = b"id:".to_vec();
        ids.write(MessageId(number), &mut text);
        prop_assert_eq!(String::from_utf8_lossy(&text[3..]), ids.text(MessageId(number)));
        prop_assert_eq!(ids.parse(&ids.text(MessageId(number))), Some(MessageId(number)));
    }
}

#[test]
fn a_detached_message_is_equal_and_lies_elsewhere() {
    let buffer = Bytes::from(vec![b'x'; 1_000]);
    let message = Message {
        id: MessageId(7),
        destination: "/queue/a".into(),
        topic: None,
        headers: headers(&[("x", "1")]),
        body: buffer.slice(10..20),
        expires_at_ms: Some(5),
    };
    let detached = message.detached();
    assert_eq!(
        (detached.id, detached.expires_at_ms),
        (message.id, message.expires_at_ms)
    );
    assert_eq!(detached.headers.iter().collect::<Vec<_>>(), [("x", "1")]);
    assert_eq!(detached.body, message.body);
    drop(message);
    assert!(buffer.is_unique(), "the detached message pins the buffer");
    let bare = Message {
        headers: Headers::new(),
        body: Bytes::new(),
        ..detached.clone()
    };
    assert_eq!(detached.weight() - bare.weight(), 16 + 2 + 10);
    assert!(bare.weight() > size_of::<Message>());
}
