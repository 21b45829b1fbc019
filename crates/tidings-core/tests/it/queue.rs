use std::num::NonZeroU32;
use std::sync::Arc;

use tidings_core::disconnect::Reason;
use tidings_core::message::MessageId;
use tidings_core::queue::{
    Account, DeadLetterReason, NotOutstanding, Queue, QueueFull, QueueLimits, Settlement,
};

use super::{expiring, message};

const LIMITS: QueueLimits = QueueLimits {
    max_bytes: 10_000,
    max_age_ms: 1_000,
    max_deliveries: NonZeroU32::new(2).unwrap(),
};

fn prefetch(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("from 1")
}

/// A queue that holds messages 1 to `count`.
fn queue_of(count: u64) -> Queue<char> {
    let mut queue = Queue::new(LIMITS, &Arc::new(Account::new(u64::MAX)));
    for id in 1..=count {
        queue.enqueue(0, message(id, 10)).expect("there is room");
    }
    queue
}

/// All that can be delivered now: consumer, message, delivery count.
fn deliveries(queue: &mut Queue<char>) -> Vec<(char, u64, u32)> {
    let polls = std::iter::from_fn(|| queue.poll_delivery(0));
    polls
        .map(|d| (d.consumer, d.message.id.0, d.delivery_count))
        .collect()
}

#[test]
fn consumers_take_turns_within_their_credit() {
    let mut queue = queue_of(6);
    queue.subscribe('a', prefetch(1));
    queue.subscribe('b', prefetch(3));
    assert_eq!(
        deliveries(&mut queue),
        [('a', 1, 1), ('b', 2, 1), ('b', 3, 1), ('b', 4, 1)]
    );
    assert_eq!(
        queue.settle('a', MessageId(1), Settlement::Ack, false),
        Ok(1)
    );
    assert_eq!(deliveries(&mut queue), [('a', 5, 1)]);
}

#[test]
fn a_refused_message_goes_first_and_to_another_consumer() {
    let mut queue = queue_of(3);
    queue.subscribe('a', prefetch(1));
    assert_eq!(deliveries(&mut queue), [('a', 1, 1)]);
    queue.subscribe('b', prefetch(1));
    assert_eq!(
        queue.settle('a', MessageId(1), Settlement::Nack, false),
        Ok(1)
    );
    assert_eq!(deliveries(&mut queue), [('b', 1, 2), ('a', 2, 1)]);
}

#[test]
fn a_consumer_that_leaves_gives_all_back_in_order() {
    let mut queue = queue_of(4);
    queue.subscribe('a', prefetch(3));
    deliveries(&mut queue);
    queue
        .settle('a', MessageId(2), Settlement::Ack, false)
        .unwrap();
    assert_eq!(queue.unsubscribe('a'), 2);
    assert_eq!(
        queue.settle('a', MessageId(1), Settlement::Ack, false),
        Err(NotOutstanding)
    );
    queue.subscribe('b', prefetch(9));
    assert_eq!(
        deliveries(&mut queue),
        [('b', 1, 2), ('b', 3, 2), ('b', 4, 1)]
    );
}

#[test]
fn cumulative_settlement_covers_what_was_delivered_before_and_nobody_elses() {
    let mut queue = queue_of(4);
    queue.subscribe('a', prefetch(2));
    queue.subscribe('b', prefetch(2));
    assert_eq!(
        deliveries(&mut queue),
        [('a', 1, 1), ('b', 2, 1), ('a', 3, 1), ('b', 4, 1)]
    );
    assert_eq!(
        queue.settle('a', MessageId(3), Settlement::Ack, true),
        Ok(2)
    );
    assert_eq!((queue.unsettled(), queue.waiting()), (2, 0));
}

/// Message 1 comes back to its consumer behind message 2; acknowledging 2 must not lose it.
#[test]
fn cumulative_settlement_leaves_what_was_delivered_again_later() {
    let mut queue = queue_of(2);
    queue.subscribe('a', prefetch(2));
    deliveries(&mut queue);
    queue
        .settle('a', MessageId(1), Settlement::Nack, false)
        .unwrap();
    assert_eq!(deliveries(&mut queue), [('a', 1, 2)]);
    assert_eq!(
        queue.settle('a', MessageId(2), Settlement::Ack, true),
        Ok(1)
    );
    assert_eq!(
        queue.settle('a', MessageId(1), Settlement::Ack, true),
        Ok(1)
    );
}

#[test]
fn a_message_is_dead_after_its_last_delivery() {
    let mut queue = queue_of(2);
    queue.subscribe('a', prefetch(2));
    let bytes = queue.bytes();
    for _ in 0..2 {
        deliveries(&mut queue);
        queue
            .settle('a', MessageId(1), Settlement::Nack, false)
            .unwrap();
        queue.unsubscribe('a');
        queue.subscribe('a', prefetch(2));
    }
    assert_eq!(
        (queue.waiting(), queue.unsettled(), queue.bytes()),
        (0, 0, bytes)
    );
    let dead: Vec<_> = std::iter::from_fn(|| queue.poll_dead_letter())
        .map(|dead| (dead.message.id.0, dead.reason, dead.delivery_count))
        .collect();
    assert_eq!(
        dead,
        [
            (1, DeadLetterReason::Rejected, 2),
            (2, DeadLetterReason::Abandoned, 2)
        ]
    );
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn a_delivery_that_was_never_written_does_not_count() {
    let mut queue = queue_of(3);
    for _ in 0..10 {
        queue.subscribe('a', prefetch(3));
        assert_eq!(
            deliveries(&mut queue),
            [('a', 1, 1), ('a', 2, 1), ('a', 3, 1)]
        );
        assert_eq!(queue.unsubscribe_after('a', 0), 3);
    }
    queue.subscribe('a', prefetch(3));
    deliveries(&mut queue);
    queue.unsubscribe_after('a', 2);
    queue.subscribe('b', prefetch(3));
    assert_eq!(
        deliveries(&mut queue),
        [('b', 1, 2), ('b', 2, 2), ('b', 3, 1)]
    );
    assert!(queue.poll_dead_letter().is_none());
}

#[test]
fn messages_expire_while_they_wait_and_not_while_they_are_held() {
    let mut queue = queue_of(0);
    queue.enqueue(0, expiring(1, 0, Some(500))).unwrap();
    queue.enqueue(0, message(2, 0)).unwrap();
    queue.enqueue(0, expiring(3, 0, Some(9_000))).unwrap();
    assert_eq!(queue.next_expiry(), Some(500));
    queue.subscribe('a', prefetch(1));
    assert_eq!(
        queue.poll_delivery(0).map(|d| d.message.id),
        Some(MessageId(1))
    );
    assert_eq!((queue.expire(999), queue.next_expiry()), (0, Some(1_000)));
    assert_eq!(queue.expire(1_000), 1);
    queue.unsubscribe('a');
    queue.subscribe('a', prefetch(1));
    assert_eq!(
        queue.poll_delivery(1_000).map(|d| d.message.id),
        Some(MessageId(3))
    );
    assert_eq!(queue.expired(), 2);
}

#[test]
fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
    let mut queue = queue_of(0);
    queue.enqueue(0, message(1, 6_000)).unwrap();
    let full = queue.enqueue(0, message(2, 6_000)).unwrap_err();
    assert_eq!(full, QueueFull::Queue { limit: 10_000 });
    assert_eq!(full.reason(), Reason::QueueFull);
    queue.subscribe('a', prefetch(1));
    deliveries(&mut queue);
    assert!(
        queue.enqueue(0, message(2, 6_000)).is_err(),
        "what is held takes room too"
    );
    queue
        .settle('a', MessageId(1), Settlement::Ack, false)
        .unwrap();
    queue.enqueue(0, message(2, 6_000)).unwrap();
    queue
        .enqueue(1_000, message(3, 6_000))
        .expect("the second has expired");
}
