//! Whatever happens in whatever order, the server hears what the program wants.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidings_stomp::{AckMode, HeartBeat};
use tokio::sync::Semaphore;

use super::*;
use crate::buffer::{Bounds, Overflow};

#[derive(Debug, Clone)]
enum Step {
    Subscribe,
    /// Ends the subscription of this rank.
    Unsubscribe(usize),
    Send {
        receipt: bool,
    },
    Online,
    Offline,
    /// So many frames reach the server.
    Write(usize),
    /// The server answers all that it has received.
    Answer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Subscribe),
        2 => any::<usize>().prop_map(Step::Unsubscribe),
        3 => any::<bool>().prop_map(|receipt| Step::Send { receipt }),
        1 => Just(Step::Online),
        1 => Just(Step::Offline),
        4 => (0_usize..4).prop_map(Step::Write),
        2 => Just(Step::Answer),
    ]
}

/// A client's state, what its program wants, and what a server made of it.
struct World {
    state: State,
    online: bool,
    gates: Arc<Semaphore>,
    wanted: Vec<u64>,
    sent: u64,
    /// The subscriptions of this connection.
    served: BTreeSet<String>,
    /// All messages, over all connections.
    received: Vec<u64>,
    unanswered: Vec<String>,
    answers: Vec<oneshot::Receiver<Answer>>,
}

const PERMITS: usize = 10_000;

impl World {
    fn new() -> Self {
        Self {
            state: State::default(),
            online: false,
            gates: Arc::new(Semaphore::new(PERMITS)),
            wanted: Vec::new(),
            sent: 0,
            served: BTreeSet::new(),
            received: Vec::new(),
            unanswered: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn permit(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.gates).try_acquire_owned();
        permit.expect("more than anybody asks for")
    }

    fn go(&mut self, step: &Step) {
        match *step {
            Step::Subscribe => {
                let entry = Entry {
                    frame: Frame::new(Command::Subscribe),
                    ack: AckMode::Auto,
                    buffer: Arc::new(Buffer::new(Bounds {
                        items: 1,
                        bytes: 1,
                        overflow: Overflow::DropOldest,
                    })),
                    waiter: None,
                    asked: false,
                    slot: self.permit(),
                };
                let id = self.state.subscribe(entry).expect("open");
                self.wanted.push(id);
            }
            Step::Unsubscribe(rank) if !self.wanted.is_empty() => {
                let id = self.wanted.remove(rank % self.wanted.len());
                self.state.unsubscribe(id);
            }
            Step::Unsubscribe(_) => {}
            Step::Send { receipt } => self.send(receipt),
            Step::Online if !self.online => {
                self.online = true;
                self.state.online(&ConnectedInfo {
                    version: Version::V1_2,
                    heart_beat: HeartBeat::NONE,
                    frame: Frame::new(Command::Connected),
                });
            }
            Step::Offline if self.online => {
                self.online = false;
                self.served.clear();
                self.unanswered.clear();
                self.state.offline(&Ended::Eof);
            }
            Step::Online | Step::Offline => {}
            Step::Write(frames) => {
                for _ in 0..frames {
                    let Some((frame, _)) = self.state.next_frame() else {
                        break;
                    };
                    self.serve(&frame);
                }
            }
            Step::Answer => {
                for id in std::mem::take(&mut self.unanswered) {
                    let receipt = Frame::new(Command::Receipt).with_header("receipt-id", &id);
                    assert!(self.state.receive(receipt).is_none());
                }
            }
        }
    }

    fn send(&mut self, receipt: bool) {
        let frame = Frame::new(Command::Send).with_header("number", &self.sent.to_string());
        self.sent += 1;
        let receipt = receipt.then(|| {
            let (answer, answered) = oneshot::channel();
            self.answers.push(answered);
            (self.permit(), answer)
        });
        let admission = Admission {
            room: self.permit(),
            receipt,
        };
        let queued = self.state.enqueue(Parcel::new(frame), admission);
        queued.expect("open");
    }

    /// A server that is strict: no id twice, no end of what has not begun.
    fn serve(&mut self, frame: &Frame) {
        assert!(self.online, "{frame:?} goes nowhere");
        let id = || frame.header("id").expect("an id").to_owned();
        match frame.command {
            Command::Subscribe => assert!(self.served.insert(id()), "{frame:?} twice"),
            Command::Unsubscribe => assert!(self.served.remove(&id()), "{frame:?} of nothing"),
            _ => {
                let number = frame.header("number").expect("a number");
                self.received.push(number.parse().expect("a number"));
            }
        }
        self.unanswered.extend(frame.receipt().map(str::to_owned));
    }

    fn settle(&mut self) {
        self.go(&Step::Online);
        self.go(&Step::Write(usize::MAX));
        self.go(&Step::Answer);
    }
}

#[test]
fn a_connection_that_opens_behind_the_goodbye_is_not_used() {
    let mut state = State::default();
    let (answer, _answered) = oneshot::channel();
    assert!(state.close(Instant::now(), answer));
    assert!(!state.online(&ConnectedInfo {
        version: Version::V1_2,
        heart_beat: HeartBeat::NONE,
        frame: Frame::new(Command::Connected),
    }));
    assert!(state.current_epoch().is_err());
}

proptest! {
    #[test]
    fn the_server_hears_what_the_program_wants(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::new();
        for step in &steps {
            world.go(step);
        }
        world.settle();
        let wanted: BTreeSet<String> = world.wanted.iter().map(u64::to_string).collect();
        prop_assert_eq!(&world.served, &wanted);
        // Each once, in order.
        prop_assert_eq!(&world.received, &(0..world.sent).collect::<Vec<_>>());
        // Every receipt has come, or will never.
        for mut answer in std::mem::take(&mut world.answers) {
            let answer = answer.try_recv();
            prop_assert!(matches!(answer, Ok(Ok(()) | Err(ReceiptError::ConnectionLost))));
        }
        // Nothing is held but the places of the subscriptions.
        prop_assert_eq!(world.gates.available_permits(), PERMITS - wanted.len());
        prop_assert!(world.state.receipts.is_empty() && world.state.queue.is_empty());
        world.state.end(None);
        prop_assert_eq!(world.gates.available_permits(), PERMITS);
    }
}
