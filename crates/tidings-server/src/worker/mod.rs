//! A worker: one thread that owns connections, their subscriptions and all writing to them.
//!
//! A turn of a worker goes: what arrived from other threads is delivered, what is meant for other workers is posted,
//! then each connection that has something to send is written to once ([`turn`], [`outbox`]). Reading happens between
//! turns, in one small task per connection ([`crate::inbound::drive`]).

mod backlog;
mod connection;
mod deadlines;
mod fan_out;
mod goodbye;
mod mailbox;
mod message_encoder;
mod outbox;
mod registry;
mod requests;
mod sockjs;
mod subscription;
mod survey;
mod timer_wheel;
mod turn;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hashbrown::HashMap;
use slab::Slab;
use tidings_core::disconnect::Reason;
use tidings_core::message::Message;
use tidings_core::queue::Delivery;
use tidings_core::subscription::PatternMap;
use tidings_websocket::Deflater;

pub(crate) use connection::{Adoption, Connection, ConnectionKey, Phase, Reader};
pub(crate) use goodbye::Farewell;
pub(crate) use mailbox::Mailbox;
pub(crate) use message_encoder::Form;
pub(crate) use registry::NewSubscription;
pub(crate) use sockjs::{Bare, Listen, Say};
pub(crate) use subscription::{Consumer, Interest, MAX_WORKERS, Subscription, SubscriptionKind};
pub(crate) use survey::{Filter, Found, Scope, Survey, Surveyed};

use crate::clock;
use crate::link::FULL_WINDOW_BITS;
use crate::node::Node;
use crate::outbound::Census;
use crate::sockjs::SessionName;
use connection::Progress;
use subscription::Subscribers;
use timer_wheel::TimerWheel;
use turn::Turn;

/// One read takes at most this much, and so one connection's share of a turn.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Of 9: most of the gain for a fraction of the time.
const COMPRESSION_LEVEL: u32 = 3;

/// Letters opened in one turn; readers, writers and timers have their go between turns.
const TURN_LETTERS: usize = 256;

/// A worker that is this late, a few ticks, was stopped or kept from the processor.
const LATE: Duration = Duration::from_millis(100);

/// The runtime polls 61 local tasks at a time, and a reader may be polled several times before it has read all.
const READERS_PER_ROUND: usize = 16;

/// What other threads, and the queues, hand to a worker.
pub(crate) enum Letter {
    /// A connection to own.
    Adopt(Box<Adoption>),
    /// A topic message for subscribers of this worker.
    Publish(Arc<Message>),
    /// The same, for whom the sessions that it is brought to are counted.
    PublishCounted(Arc<Message>, Arc<Census>),
    /// A queue's message for one of its consumers.
    Deliver(Delivery<Consumer>),
    /// A client that listens to a session of SockJS over HTTP.
    Listen(Box<Listen>),
    /// Messages for such a session.
    Say(Say),
    /// The application wants a connection to end.
    Disconnect(ConnectionKey, Arc<Farewell>),
    /// Which subscriptions there are, or are to end.
    Survey(Box<Survey>),
    /// The rules have changed: what clients have been allowed is decided anew, of those from this place on. They keep their
    /// places.
    Recheck { from: u32 },
    /// Every connection must go: the server stops.
    Drain,
    /// The worker ends; connections that are left are cut.
    Stop,
}

/// State of one worker; all of it belongs to its thread.
pub(crate) struct Worker {
    pub(crate) id: u16,
    pub(crate) node: Arc<Node>,
    connections: RefCell<Slab<Rc<Connection>>>,
    subscriptions: RefCell<Slab<Subscription>>,
    /// Connections of SockJS over HTTP by what their clients call them.
    sessions: RefCell<HashMap<Arc<SessionName>, ConnectionKey>>,
    /// Topic subscribers of this worker by pattern.
    topics: RefCell<PatternMap<Subscribers>>,
    turn: RefCell<Turn>,
    /// Connections with something to send in this turn.
    dirty: RefCell<Vec<u32>>,
    /// Topic messages for other workers, posted once per turn.
    outgoing: RefCell<Vec<Outgoing>>,
    /// Connections to close, found where they could not be closed at once.
    doomed: RefCell<Vec<(ConnectionKey, Reason)>>,
    /// Connections whose outbox is empty again while deliveries of queues are parked.
    relieved: RefCell<Vec<ConnectionKey>>,
    /// A turn is going on, which ends with a flush.
    turning: Cell<bool>,
    wheel: RefCell<TimerWheel>,
    /// The deadline until which the worker sleeps.
    sleeping_until: Cell<Option<Instant>>,
    /// All connections read into this one buffer; only an incomplete frame is kept per connection.
    pub(crate) read_buffer: RefCell<BytesMut>,
    deflater: RefCell<Deflater>,
    /// Where a control frame is encoded before its length is known.
    scratch: RefCell<Vec<u8>>,
    /// Counts connections and subscriptions, so that a stale key is recognised.
    serials: Cell<u32>,
    /// Deliveries and bytes since the last turn, added to the shared counters once per turn.
    tally: Tally,
}

/// However a worker ends, by a panic even, nobody waits for what becomes of a letter to it.
struct Closing(Rc<Worker>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.mailbox().close();
    }
}

/// Letters for one other worker.
#[derive(Default)]
struct Outgoing {
    letters: Vec<Letter>,
    bytes: usize,
}

/// Plain counters of a turn.
#[derive(Default)]
struct Tally {
    delivered: Cell<u64>,
    written: Cell<u64>,
}

impl Worker {
    pub(crate) fn new(id: u16, node: Arc<Node>) -> Rc<Self> {
        let workers = node.mailboxes.len();
        let separator = node.destinations.separator;
        Rc::new(Self {
            id,
            connections: RefCell::default(),
            subscriptions: RefCell::default(),
            sessions: RefCell::default(),
            topics: RefCell::new(PatternMap::new(separator)),
            turn: RefCell::default(),
            dirty: RefCell::default(),
            outgoing: RefCell::new((0..workers).map(|_| Outgoing::default()).collect()),
            doomed: RefCell::default(),
            relieved: RefCell::default(),
            turning: Cell::new(false),
            wheel: RefCell::new(TimerWheel::new(clock::now())),
            sleeping_until: Cell::new(None),
            read_buffer: RefCell::new(BytesMut::with_capacity(READ_BYTES)),
            deflater: RefCell::new(Deflater::new(COMPRESSION_LEVEL, FULL_WINDOW_BITS)),
            scratch: RefCell::default(),
            serials: Cell::new(0),
            tally: Tally::default(),
            node,
        })
    }

    /// Runs until the server stops. Must be polled inside a `LocalSet`.
    pub(crate) async fn run(self: Rc<Self>) {
        let _closing = Closing(Rc::clone(&self));
        let mut letters = VecDeque::new();
        loop {
            let deadline = self.wheel.borrow().next();
            self.sleeping_until.set(deadline);
            if letters.is_empty() {
                tokio::select! {
                    biased;
                    () = self.mailbox().arrival() => {}
                    () = sleep_until(deadline) => {}
                }
                self.mailbox().take(&mut letters);
            }
            if self.take_turn(&mut letters).is_break() {
                return;
            }
            self.let_others_run(deadline).await;
            self.fire_timers(clock::now());
        }
    }

    fn take_turn(self: &Rc<Self>, letters: &mut VecDeque<Letter>) -> ControlFlow<()> {
        self.turning.set(true);
        for letter in letters.drain(..letters.len().min(TURN_LETTERS)) {
            if matches!(letter, Letter::Stop) {
                return ControlFlow::Break(());
            }
            self.open(letter);
        }
        self.end_turn();
        self.turning.set(false);
        if !self.dirty.borrow().is_empty() {
            self.mailbox().nudge();
        }
        ControlFlow::Continue(())
    }

    /// Readers and writers have their go before the next turn, and before deadlines are judged: what came in time
    /// counts. After a pause of the whole process that takes a look at the sockets, and as many rounds as all readers
    /// need.
    async fn let_others_run(&self, deadline: Option<Instant>) {
        let late = deadline
            .is_some_and(|deadline| clock::now().saturating_duration_since(deadline) > LATE);
        let rounds = if late {
            2 + self.connections.borrow().len() / READERS_PER_ROUND
        } else {
            1
        };
        for _ in 0..rounds {
            tokio::task::yield_now().await;
        }
    }

    fn mailbox(&self) -> &Mailbox<Letter> {
        &self.node.mailboxes[usize::from(self.id)]
    }

    fn open(self: &Rc<Self>, letter: Letter) {
        match letter {
            Letter::Adopt(adoption) => self.adopt(*adoption),
            Letter::Publish(message) => self.deliver_topic(&message),
            Letter::PublishCounted(message, census) => {
                census.add(self.sessions_of(&message));
                self.deliver_topic(&message);
            }
            Letter::Deliver(delivery) => self.deliver_queue(delivery),
            Letter::Listen(listen) => self.listen(*listen),
            Letter::Say(say) => self.hear(say),
            Letter::Disconnect(key, farewell) => {
                if let Some(connection) = self.connection(key) {
                    self.dismiss(&connection, &farewell);
                }
            }
            Letter::Survey(survey) => self.survey(*survey),
            Letter::Recheck { from } => self.recheck_from(from),
            Letter::Stop => {}
            Letter::Drain => {
                for connection in self.all() {
                    self.close(&connection, Reason::Shutdown, None);
                    if connection.is_unheard() {
                        self.remove(&connection);
                    }
                }
            }
        }
    }

    /// Posts, flushes and closes what the turn brought about.
    fn end_turn(self: &Rc<Self>) {
        self.post_outgoing();
        self.flush();
        while let Some(key) = self.next_relieved() {
            if let Some(connection) = self.connection(key) {
                self.unpark(&connection);
            }
            self.flush();
        }
        while let Some((key, reason)) = self.next_doomed() {
            if let Some(connection) = self.connection(key) {
                self.close(&connection, reason, None);
                if reason == Reason::ConnectionReset {
                    self.remove(&connection);
                }
            }
            self.flush();
        }
        let delivered = self.tally.delivered.take();
        if delivered > 0 {
            self.node.telemetry.messages_delivered.inc_by(delivered);
        }
        let written = self.tally.written.take();
        if written > 0 {
            self.node.telemetry.bytes_written.inc_by(written);
        }
    }

    fn next_relieved(&self) -> Option<ConnectionKey> {
        self.relieved.borrow_mut().pop()
    }

    fn next_doomed(&self) -> Option<(ConnectionKey, Reason)> {
        self.doomed.borrow_mut().pop()
    }

    fn post_outgoing(&self) {
        for (mailbox, outgoing) in self
            .node
            .mailboxes
            .iter()
            .zip(&mut *self.outgoing.borrow_mut())
        {
            if !outgoing.letters.is_empty() {
                mailbox.post_all(&mut outgoing.letters, std::mem::take(&mut outgoing.bytes));
            }
        }
    }

    /// Writes to each connection that has something to send, once.
    fn flush(self: &Rc<Self>) {
        let dirty = std::mem::take(&mut *self.dirty.borrow_mut());
        let mut behind = Vec::new();
        for slot in &dirty {
            let Some(connection) = self.connections.borrow().get(*slot as usize).map(Rc::clone)
            else {
                continue;
            };
            match connection.write_turn(&self.turn.borrow(), &self.tally.written) {
                Ok(Progress::Out) => self.written_all(&connection),
                Ok(Progress::Left) => behind.push(connection),
                Ok(Progress::Taken) => self.stall(&connection, clock::now()),
                Err(_) => self.failed(&connection),
            }
        }
        let mut turn = self.turn.borrow_mut();
        if behind.is_empty() {
            turn.clear();
        } else {
            let left = turn.freeze();
            drop(turn);
            for connection in behind {
                self.fall_behind(&connection, &left);
            }
        }
        self.reuse(dirty);
    }

    /// Keeps the memory of the flush list.
    fn reuse(&self, mut dirty: Vec<u32>) {
        let mut current = self.dirty.borrow_mut();
        dirty.clear();
        if current.is_empty() {
            *current = dirty;
        }
    }

    /// Marks a connection for the next flush; the first one of a turn wakes it.
    fn mark_dirty(&self, slot: u32) {
        let mut dirty = self.dirty.borrow_mut();
        if dirty.is_empty() && !self.turning.get() {
            self.mailbox().nudge();
        }
        dirty.push(slot);
    }

    fn doom(&self, connection: &Connection, reason: Reason) {
        self.doomed.borrow_mut().push((connection.key(), reason));
        self.mailbox().nudge();
    }

    /// All connections that there are now.
    pub(crate) fn all(&self) -> Vec<Rc<Connection>> {
        let connections = self.connections.borrow();
        connections.iter().map(|(_, one)| Rc::clone(one)).collect()
    }

    /// The first connection that stands there or behind, with its place.
    pub(crate) fn first_from(&self, place: u32) -> Option<(u32, Rc<Connection>)> {
        let connections = self.connections.borrow();
        let mut places = place as usize..connections.capacity();
        places.find_map(|at| Some((at as u32, Rc::clone(connections.get(at)?))))
    }

    fn connection(&self, key: ConnectionKey) -> Option<Rc<Connection>> {
        let connections = self.connections.borrow();
        let connection = connections.get(key.slot as usize)?;
        (connection.key() == key).then(|| Rc::clone(connection))
    }

    fn next_serial(&self) -> u32 {
        let serial = self.serials.get().wrapping_add(1);
        self.serials.set(serial);
        serial
    }

    /// Waits while another worker has too much to do; then this session's reader may go on.
    pub(crate) async fn wait_for_space(&self) {
        self.node.wait_for_space().await;
    }

    /// Whether [`Worker::wait_for_space`] would return at once.
    pub(crate) fn has_space(&self) -> bool {
        self.node.mailboxes.iter().all(Mailbox::has_space)
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tidings_core::application::{Broker, Outgoing};
    use tidings_core::destination::Pattern;
    use tokio::task::LocalSet;

    use super::{Arc, Duration, Letter, Node, Worker};
    use crate::config::{Config, Overrides};
    use crate::outbound::NodeBroker;

    #[test]
    fn nobody_waits_for_a_worker_that_has_ended() {
        let config = Config::development(&Overrides::default()).expect("the defaults");
        let node = Node::new(config, 1);
        let pattern = Pattern::parse("/topic/a", node.destinations.separator).expect("a pattern");
        // As it stays where a worker ends by a panic.
        node.add_interest(&pattern, 0);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime without I/O needs nothing");
        node.mailboxes[0].post(Letter::Stop, 0);
        LocalSet::new().block_on(&runtime, Worker::new(0, Arc::clone(&node)).run());
        let broker = NodeBroker(node);
        let counted = broker.send_counted("/topic/a", Outgoing::default());
        let counted = counted.expect("the destination is a topic");
        let counted =
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), counted).await });
        assert_eq!(counted.ok(), Some(0));
    }
}
