use std::num::NonZeroU32;
use std::sync::Barrier;
use std::thread;

use tidings_core::disconnect::Reason;
use tidings_core::message::MessageId;
use tidings_core::queue::{
    QueueFull, QueueLimits, QueueStats, Queues, QueuesLimits, ReserveError, Settlement,
    TooManyQueues,
};

use super::message;

const ONE: NonZeroU32 = NonZeroU32::MIN;

const LIMITS: QueuesLimits = QueuesLimits {
    max_queues: 3,
    max_total_bytes: 15_000,
    queue: QueueLimits {
        max_bytes: 10_000,
        max_age_ms: 1_000,
        max_deliveries: ONE,
    },
};

fn queues() -> Queues<u32> {
    Queues::new(LIMITS)
}

#[test]
fn a_queue_begins_with_its_first_use_and_ends_when_idle() {
    let queues = queues();
    assert_eq!(queues.with_existing("/queue/a", |_| ()), None);
    queues.with("/queue/a", |_| ()).unwrap();
    assert_eq!(queues.len(), 0, "nothing was done to it");
    queues
        .with("/queue/a", |queue| queue.enqueue(0, message(1, 10)))
        .unwrap()
        .unwrap();
    queues
        .with("/queue/a", |queue| queue.subscribe(7, ONE))
        .unwrap();
    let stats = QueueStats {
        name: "/queue/a".into(),
        waiting: 1,
        unsettled: 0,
        consumers: 1,
        bytes: message(1, 10).weight() as u64,
    };
    assert_eq!(
        (queues.snapshot(), queues.bytes()),
        (vec![stats.clone()], stats.bytes)
    );
    queues.with_existing("/queue/a", |queue| {
        queue.poll_delivery(0).expect("one waits");
        queue
            .settle(7, MessageId(1), Settlement::Ack, false)
            .expect("it is held");
        queue.unsubscribe(7);
    });
    assert_eq!(
        (queues.len(), queues.bytes(), queues.snapshot()),
        (0, 0, vec![])
    );
}

#[test]
fn the_number_of_queues_is_bounded() {
    let queues = queues();
    for name in ["/queue/a", "/queue/b", "/queue/c"] {
        queues.with(name, |queue| queue.subscribe(1, ONE)).unwrap();
    }
    let refused = queues
        .with("/queue/d", |queue| queue.subscribe(1, ONE))
        .unwrap_err();
    assert_eq!(
        (refused, refused.reason()),
        (TooManyQueues { limit: 3 }, Reason::TooManyQueues)
    );
    let refused = queues.reserve("/queue/d", 1).unwrap_err();
    assert_eq!(
        (refused, refused.reason()),
        (
            ReserveError::TooMany(TooManyQueues { limit: 3 }),
            Reason::TooManyQueues
        )
    );
    queues
        .with("/queue/a", |queue| queue.unsubscribe(1))
        .unwrap();
    queues
        .with("/queue/d", |queue| queue.subscribe(1, ONE))
        .unwrap();
}

#[test]
fn all_queues_share_one_account() {
    let queues = queues();
    let enqueue = |name, id| {
        queues
            .with(name, |queue| queue.enqueue(0, message(id, 9_000)))
            .unwrap()
    };
    enqueue("/queue/a", 1).unwrap();
    assert_eq!(
        enqueue("/queue/b", 2),
        Err(QueueFull::Total { limit: 15_000 })
    );
    assert_eq!(queues.len(), 1, "the refused message left no queue behind");
    assert_eq!((queues.expire_all(1_000), queues.expired()), (1, 1));
    assert_eq!((queues.len(), queues.bytes()), (0, 0));
    enqueue("/queue/b", 2).unwrap();
}

#[test]
fn expiry_is_counted_wherever_it_is_noticed() {
    let queues = queues();
    let enqueue = |now| {
        queues
            .with("/queue/a", |queue| queue.enqueue(now, message(1, 0)))
            .unwrap()
    };
    enqueue(0).unwrap();
    queues
        .with("/queue/a", |queue| {
            assert!(queue.poll_delivery(1_000).is_none())
        })
        .unwrap();
    assert_eq!((queues.expired(), queues.len()), (1, 0));
    enqueue(1_000).unwrap();
    enqueue(2_000).unwrap();
    assert_eq!(queues.expired(), 2);
    assert_eq!((queues.expire_all(3_000), queues.expired()), (1, 3));
}

#[test]
fn reserved_room_is_there_for_its_holder_alone() {
    let queues = queues();
    let mut reservation = queues
        .reserve("/queue/a", 2 * message(0, 4_000).weight() as u64)
        .unwrap();
    let enqueue = |id| {
        queues
            .with("/queue/a", |queue| queue.enqueue(0, message(id, 4_000)))
            .unwrap()
    };
    assert_eq!(enqueue(1), Err(QueueFull::Queue { limit: 10_000 }));
    assert_eq!(queues.expire_all(0), 0);
    assert_eq!(queues.len(), 1, "a sweep leaves a queue with reserved room");
    for id in [2, 3] {
        queues
            .with("/queue/a", |queue| {
                queue.enqueue_reserved(0, message(id, 4_000), &mut reservation)
            })
            .unwrap()
            .unwrap();
    }
    assert_eq!(reservation.bytes(), 0);
    assert_eq!(queues.bytes(), 2 * message(0, 4_000).weight() as u64);
}

#[test]
fn a_reservation_that_is_dropped_leaves_nothing() {
    let queues = queues();
    let reservation = queues.reserve("/queue/a", 9_000).unwrap();
    let refused = queues.reserve("/queue/a", 2_000).unwrap_err();
    assert_eq!(refused.reason(), Reason::QueueFull);
    drop(reservation);
    assert_eq!(queues.bytes(), 0);
    queues.expire_all(0);
    assert_eq!(queues.len(), 0);
}

#[test]
fn a_reservation_of_another_queue_covers_nothing() {
    let queues = queues();
    let mut other = queues.reserve("/queue/b", 5_000).unwrap();
    let enqueued = queues
        .with("/queue/a", |queue| {
            queue.enqueue_reserved(0, message(1, 10), &mut other)
        })
        .unwrap();
    assert_eq!((enqueued, other.bytes()), (Ok(()), 5_000));
    assert_eq!(queues.bytes(), 5_000 + message(1, 10).weight() as u64);
}

#[test]
fn a_queue_that_is_removed_gives_its_room_back() {
    let queues = queues();
    queues
        .with("/queue/a", |queue| {
            queue.subscribe(1, ONE);
            queue.enqueue(0, message(1, 10)).expect("there is room");
            queue.enqueue(0, message(2, 10)).expect("there is room");
            queue.poll_delivery(0).expect("one waits");
        })
        .unwrap();
    let reservation = queues.reserve("/queue/a", 100).unwrap();
    assert_eq!(
        (queues.remove("/queue/a"), queues.remove("/queue/a")),
        (true, false)
    );
    assert_eq!((queues.len(), queues.bytes()), (0, 100));
    drop(reservation);
    assert_eq!(queues.bytes(), 0);
}

#[test]
fn threads_lose_and_double_nothing() {
    const THREADS: u64 = 4;
    const EACH: u64 = 500;
    let queues = Queues::<u64>::new(QueuesLimits {
        max_total_bytes: u64::MAX,
        ..LIMITS
    });
    let start = Barrier::new(THREADS as usize);
    let work = |thread: u64| {
        start.wait();
        let mut received = Vec::new();
        for number in 0..EACH {
            let id = thread * EACH + number;
            let name = if number % 2 == 0 {
                "/queue/a"
            } else {
                "/queue/b"
            };
            let delivery = queues.with(name, |queue| {
                queue
                    .enqueue(0, message(id, 0))
                    .expect("others take theirs at once");
                queue.subscribe(thread, ONE);
                let delivery = queue.poll_delivery(0).expect("one waits");
                queue
                    .settle(thread, delivery.message.id, Settlement::Ack, false)
                    .expect("it is held");
                queue.unsubscribe(thread);
                delivery
            });
            received.push(delivery.expect("two queues").message.id.0);
        }
        received
    };
    let mut received: Vec<u64> = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    received.sort_unstable();
    assert!(received.into_iter().eq(0..THREADS * EACH));
    assert_eq!((queues.len(), queues.bytes()), (0, 0));
}
