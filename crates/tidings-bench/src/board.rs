//! Which messages are on their way, how long they took, and whether each subscriber got each of them once, in order.

use std::collections::VecDeque;
use std::time::Instant;

use serde::Serialize;

use crate::body::Bodies;
use crate::histogram::Histogram;
use crate::link::Subscription;
use crate::plan::Plan;
use crate::tally::{Arrival, Tally};
use crate::wire::Frame;

/// Messages of one publisher that are followed at the same time; the oldest is given up when there are more.
pub(crate) const MAX_FOLLOWED: usize = 65_536;

/// The state of all publishers and subscribers of a run.
pub(crate) struct Board {
    pub(crate) publishers: Vec<Publisher>,
    /// For each connection that subscribes.
    subscribers: Vec<Option<Subscriber>>,
    pub(crate) bodies: Bodies,
    pub(crate) histogram: Histogram,
    /// Messages received for the first time by subscribers that read.
    pub(crate) deliveries: u64,
    /// Messages that all their audience has.
    pub(crate) completed: u64,
    /// Messages sent and not completed, of all publishers.
    pub(crate) in_flight: u64,
    /// Publishers of which a message was completed; each stands here at most once.
    ready: Vec<u32>,
    duplicated: u64,
    out_of_order: u64,
    corrupt: u64,
}

/// One publisher and its messages.
pub(crate) struct Publisher {
    pub(crate) link: usize,
    /// Everything before the body of its SEND frames.
    pub(crate) head: Vec<u8>,
    destination: usize,
    /// Its place among the publishers of its destination.
    place: usize,
    audience: u32,
    /// Messages sent; also the number of the next.
    pub(crate) sent: u64,
    /// Messages sent and not completed.
    pub(crate) in_flight: u64,
    /// Those followed; the first has number `sent - followed.len()`.
    followed: VecDeque<OnItsWay>,
    in_ready: bool,
}

struct OnItsWay {
    since: Instant,
    missing: u32,
}

struct Subscriber {
    destination: usize,
    /// By the place of the publisher.
    tallies: Vec<Tally>,
    stalls: bool,
}

/// What the check of all messages found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Deliveries there should have been.
    pub expected: u64,
    /// Of these, how many never came.
    pub lost: u64,
    /// Deliveries that had come before.
    pub duplicated: u64,
    /// Deliveries that came after a later message of the same publisher.
    pub out_of_order: u64,
    /// Messages with a wrong byte, subscription, destination or sender.
    pub corrupt: u64,
    /// Connections that ended during the run.
    pub disconnected: u64,
}

impl Verification {
    /// Every message came once, in order and unchanged, and every connection lives.
    pub fn passed(&self) -> bool {
        *self
            == Self {
                expected: self.expected,
                ..Self::default()
            }
    }
}

impl Board {
    pub(crate) fn new(plan: &Plan, body_bytes: usize) -> Self {
        let bodies = Bodies::new(body_bytes);
        let audiences = plan.audiences();
        let mut places = vec![0; plan.destinations];
        let mut publishers = Vec::with_capacity(plan.publishers.len());
        for publisher in &plan.publishers {
            let destination = publisher.destination;
            let name = plan.way.sent_to(destination);
            publishers.push(Publisher {
                link: publisher.link,
                head: format!(
                    "SEND\ndestination:{name}\ncontent-length:{}\n\n",
                    bodies.size()
                )
                .into_bytes(),
                destination,
                place: places[destination],
                audience: audiences[destination],
                sent: 0,
                in_flight: 0,
                followed: VecDeque::new(),
                in_ready: false,
            });
            places[destination] += 1;
        }
        let subscribers = plan.hears.iter().zip(&plan.links).map(|(hears, link)| {
            hears.map(|destination| Subscriber {
                destination,
                tallies: vec![Tally::default(); places[destination]],
                stalls: link.stalls,
            })
        });
        Self {
            publishers,
            subscribers: subscribers.collect(),
            bodies,
            histogram: Histogram::new(),
            deliveries: 0,
            completed: 0,
            in_flight: 0,
            ready: Vec::new(),
            duplicated: 0,
            out_of_order: 0,
            corrupt: 0,
        }
    }

    /// A message of `publisher` leaves now; its latency counts from `since`. Returns its number.
    pub(crate) fn on_send(&mut self, publisher: usize, since: Instant) -> u64 {
        let publisher = &mut self.publishers[publisher];
        if publisher.followed.len() == MAX_FOLLOWED {
            publisher.followed.pop_front();
        }
        publisher.followed.push_back(OnItsWay {
            since,
            missing: publisher.audience,
        });
        publisher.in_flight += 1;
        self.in_flight += 1;
        publisher.sent += 1;
        publisher.sent - 1
    }

    /// A MESSAGE was read on connection `link` at `now`.
    pub(crate) fn on_message(
        &mut self,
        link: usize,
        frame: &Frame<'_>,
        subscription: &Subscription,
        now: Instant,
    ) {
        let headers_agree = frame.header(b"subscription") == Some(subscription.id.as_bytes())
            && frame.header(b"destination") == Some(subscription.destination.as_bytes())
            && frame.header(b"message-id").is_some();
        match self.bodies.read(frame.body) {
            Some((publisher, sequence)) if headers_agree => {
                self.on_delivery(link, publisher, sequence, now)
            }
            _ => self.corrupt += 1,
        }
    }

    fn on_delivery(&mut self, link: usize, publisher: u32, sequence: u64, now: Instant) {
        let known = self.publishers.get_mut(publisher as usize);
        let (Some(sender), Some(subscriber)) = (known, &mut self.subscribers[link]) else {
            self.corrupt += 1;
            return;
        };
        if sender.destination != subscriber.destination || sequence >= sender.sent {
            self.corrupt += 1;
            return;
        }
        match subscriber.tallies[sender.place].record(sequence) {
            Arrival::Duplicate => {
                self.duplicated += 1;
                return;
            }
            Arrival::OutOfOrder => self.out_of_order += 1,
            Arrival::InOrder => {}
        }
        if subscriber.stalls {
            return;
        }
        self.deliveries += 1;
        let Some((since, complete)) = sender.deliver(sequence) else {
            return;
        };
        self.histogram.record(now.saturating_duration_since(since));
        if complete {
            self.completed += 1;
            self.in_flight -= 1;
            if !sender.in_ready {
                sender.in_ready = true;
                self.ready.push(publisher);
            }
        }
    }

    /// A publisher of which a message was completed since it was last given out here.
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        let publisher = self.ready.pop()? as usize;
        self.publishers[publisher].in_ready = false;
        Some(publisher)
    }

    /// Since when the oldest message waits that is not completed.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let oldest = self
            .publishers
            .iter()
            .filter_map(|publisher| publisher.followed.front());
        oldest.map(|message| message.since).min()
    }

    /// Counts what came against what was sent, for subscribers that read (or, with `stalled`, for the others).
    pub(crate) fn verify(&self, stalled: bool, disconnected: u64) -> Verification {
        let mut sent_to: Vec<Vec<u64>> = Vec::new();
        for publisher in &self.publishers {
            sent_to.resize_with(sent_to.len().max(publisher.destination + 1), Vec::new);
            sent_to[publisher.destination].push(publisher.sent);
        }
        let mut found = Verification {
            duplicated: self.duplicated,
            out_of_order: self.out_of_order,
            corrupt: self.corrupt,
            disconnected,
            ..Verification::default()
        };
        for subscriber in self.subscribers.iter().flatten() {
            if subscriber.stalls == stalled {
                let sent = sent_to.get(subscriber.destination).into_iter().flatten();
                for (tally, &sent) in subscriber.tallies.iter().zip(sent) {
                    found.expected += sent;
                    found.lost += tally.lost(sent);
                }
            }
        }
        found
    }
}

impl Publisher {
    /// One more subscriber has message `sequence`: since when it was on its way, and whether that was the last one.
    fn deliver(&mut self, sequence: u64) -> Option<(Instant, bool)> {
        let first = self.sent - self.followed.len() as u64;
        let at = usize::try_from(sequence.checked_sub(first)?).ok()?;
        let message = self.followed.get_mut(at)?;
        message.missing = message.missing.saturating_sub(1);
        let (since, complete) = (message.since, message.missing == 0);
        if complete {
            self.in_flight -= 1;
            while self
                .followed
                .front()
                .is_some_and(|message| message.missing == 0)
            {
                self.followed.pop_front();
            }
        }
        Some((since, complete))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board with one publisher and two subscribers, and a way to hand it messages.
    struct Game {
        board: Board,
        plan: Plan,
        now: Instant,
    }

    impl Game {
        fn new(sent: u64) -> Self {
            let plan = Plan::fanout(1, 2, 1, false);
            let mut board = Board::new(&plan, 64);
            let now = Instant::now();
            for _ in 0..sent {
                board.on_send(0, now);
            }
            Self { board, plan, now }
        }

        fn hand(
            &mut self,
            link: usize,
            headers: &str,
            sequence: u64,
            change: impl Fn(&mut Vec<u8>),
        ) {
            let mut body = Vec::new();
            self.board.bodies.write(&mut body, 0, sequence);
            change(&mut body);
            let mut bytes = format!("MESSAGE\n{headers}\n\n").into_bytes();
            bytes.extend_from_slice(&body);
            bytes.push(0);
            let subscription = self.plan.links[link]
                .subscription
                .clone()
                .expect("a subscriber");
            let mut scanner = crate::wire::Scanner::new(crate::wire::Role::TcpClient);
            let result = scanner.advance(&mut bytes, &mut |event| {
                if let crate::wire::Event::Frame(frame) = event {
                    self.board.on_message(link, &frame, &subscription, self.now);
                }
            });
            assert_eq!(result, Ok(()));
        }

        fn deliver(&mut self, link: usize, sequences: &[u64]) {
            for &sequence in sequences {
                self.hand(link, HEADERS, sequence, |_| {});
            }
        }
    }

    const HEADERS: &str = "subscription:0\nmessage-id:1\ndestination:/topic/bench-0";

    #[test]
    fn a_message_is_complete_when_all_have_it() {
        let mut game = Game::new(2);
        game.deliver(0, &[0, 1]);
        assert_eq!((game.board.completed, game.board.next_ready()), (0, None));
        game.deliver(1, &[0]);
        assert_eq!(
            (game.board.completed, game.board.next_ready()),
            (1, Some(0))
        );
        assert_eq!((game.board.in_flight, game.board.next_ready()), (1, None));
        game.deliver(1, &[1]);
        assert_eq!((game.board.in_flight, game.board.oldest()), (0, None));
        let found = game.board.verify(false, 0);
        assert_eq!((found.expected, found.passed()), (4, true));
    }

    #[test]
    fn each_fault_is_counted_and_fails_the_check() {
        let mut game = Game::new(4);
        game.deliver(0, &[0, 2, 1, 1]);
        game.deliver(1, &[0, 1, 2, 3]);
        let found = game.board.verify(false, 1);
        let expected = Verification {
            expected: 8,
            lost: 1,
            duplicated: 1,
            out_of_order: 1,
            corrupt: 0,
            disconnected: 1,
        };
        assert_eq!((found, found.passed()), (expected, false));
    }

    #[test]
    fn a_wrong_byte_header_or_number_is_corrupt() {
        let mut game = Game::new(1);
        game.hand(0, HEADERS, 0, |body| body[60] ^= 1);
        game.hand(0, HEADERS, 0, |body| body.truncate(63));
        game.hand(
            0,
            &HEADERS.replace("subscription:0", "subscription:1"),
            0,
            |_| {},
        );
        game.hand(0, &HEADERS.replace("bench-0", "bench-1"), 0, |_| {});
        game.hand(0, &HEADERS.replace("message-id", "id"), 0, |_| {});
        game.hand(0, HEADERS, 1, |_| {});
        assert_eq!(game.board.verify(false, 0).corrupt, 6);
        assert_eq!(game.board.deliveries, 0);
    }
}
