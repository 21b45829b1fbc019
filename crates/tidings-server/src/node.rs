//! What all workers and listeners of one server share.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tidings_core::application::{Application, Event};
use tidings_core::destination::Destinations;
use tidings_core::message::MessageIds;
use tidings_core::queue::{QueueLimits, Queues, QueuesLimits};
use tidings_core::subscription::PatternMap;
use tidings_core::user::Users;
use tidings_stomp::HeartBeat;
use tokio::sync::Notify;

use crate::admission::{Admission, NoEntry, Place};
use crate::audit::Audit;
use crate::clock::{self, RuntimeDay};
use crate::config::Config;
use crate::pace::Rates;
use crate::replies::Replies;
use crate::security::Security;
use crate::sockjs::Sessions;
use crate::telemetry::Telemetry;
use crate::tls::Tls;
use crate::webhook::BackEnds;
use crate::whereabouts::Whereabouts;
use crate::worker::{Adoption, Consumer, Interest, Letter, Mailbox};

/// 64 bits: nobody guesses the ids of another node's messages, and each MESSAGE carries it.
const MESSAGE_PREFIX_DIGITS: usize = 16;

/// The shared part of a server. Locks in it are short, and taken in this order: a queue, then a mailbox; `interest`,
/// `users`, `replies`, `whereabouts`, the revocations of `security`, the places of `sockjs` and those of `admission` alone.
pub(crate) struct Node {
    pub(crate) config: Config,
    /// Set where the time of day is not the system's.
    day: OnceLock<RuntimeDay>,
    pub(crate) telemetry: Telemetry,
    /// Who was refused what, and what operators did.
    pub(crate) audit: Audit,
    /// How fast each session may send.
    pub(crate) rates: Rates,
    /// The certificate that listeners show.
    pub(crate) tls: Arc<Tls>,
    /// What a STOMP connection needs to know, shared by all of them.
    pub(crate) stomp: Arc<tidings_stomp::connection::ServerConfig>,
    pub(crate) destinations: Destinations,
    pub(crate) message_ids: MessageIds,
    /// Which workers have subscribers for a topic pattern.
    pub(crate) interest: RwLock<PatternMap<Interest>>,
    pub(crate) queues: Queues<Consumer>,
    /// Who answers what is sent to the application.
    pub(crate) application: OnceLock<Arc<dyn Application>>,
    /// Who clients are, and what they may do.
    pub(crate) security: Security,
    /// Back ends that are asked over HTTP; set by the first who asks.
    pub(crate) back_ends: OnceLock<Arc<BackEnds>>,
    /// Sessions, and whose they are by the name that the client gave.
    pub(crate) users: Mutex<Users>,
    /// Who waits for what clients reply.
    pub(crate) replies: Replies,
    /// Where the sessions of clients are.
    pub(crate) whereabouts: Whereabouts,
    /// Sessions of SockJS over HTTP.
    pub(crate) sockjs: Sessions,
    /// One per worker.
    pub(crate) mailboxes: Vec<Mailbox<Letter>>,
    /// Who may come in.
    pub(crate) admission: Admission,
    /// Open connections, HTTP ones included.
    admitted: AtomicUsize,
    /// Wakes who waits for the last connection to end.
    emptied: Notify,
    /// Set once, when the server stops.
    draining: AtomicBool,
    /// Wakes who waits for the drain to begin.
    drain_began: Notify,
    /// Expired messages of queues that the metrics know of.
    pub(crate) expired_counted: AtomicU64,
    /// The worker that gets the next connection.
    next_worker: AtomicUsize,
}

/// The right to be one of the server's connections; ends when dropped.
pub(crate) struct Ticket {
    node: Arc<Node>,
    /// Among the connections of its address, where these are counted.
    place: Option<Place>,
}

impl Node {
    pub(crate) fn new(config: Config, workers: usize) -> Arc<Self> {
        let queue = &config.queue;
        let stomp = &config.stomp;
        let destinations = config.destinations();
        let separator = destinations.separator;
        let telemetry = Telemetry::new();
        Arc::new(Self {
            day: OnceLock::new(),
            audit: Audit::new(&config.audit, telemetry.clone()),
            telemetry,
            rates: Rates::new(&config.session),
            tls: Arc::default(),
            stomp: Arc::new(tidings_stomp::connection::ServerConfig {
                limits: tidings_stomp::Limits {
                    max_body_bytes: stomp.max_body_bytes,
                    max_header_line_bytes: stomp.max_header_line_bytes,
                    max_headers: stomp.max_headers,
                    ..tidings_stomp::Limits::default()
                },
                heart_beat: HeartBeat {
                    send: stomp.heart_beat_send,
                    receive: stomp.heart_beat_receive,
                },
                connect_timeout: stomp.connect_timeout,
            }),
            destinations,
            message_ids: MessageIds::new(&random_name()[..MESSAGE_PREFIX_DIGITS]),
            interest: RwLock::new(PatternMap::new(separator)),
            queues: Queues::new(QueuesLimits {
                max_queues: queue.max_queues,
                max_total_bytes: queue.max_total_bytes as u64,
                queue: QueueLimits {
                    max_bytes: queue.max_bytes as u64,
                    max_age_ms: u64::try_from(queue.max_age.as_millis()).unwrap_or(u64::MAX),
                    max_deliveries: NonZeroU32::new(queue.max_deliveries)
                        .unwrap_or(NonZeroU32::MIN),
                },
            }),
            application: OnceLock::new(),
            security: Security::default(),
            back_ends: OnceLock::new(),
            users: Mutex::default(),
            replies: Replies::default(),
            whereabouts: Whereabouts::default(),
            sockjs: Sessions::default(),
            mailboxes: (0..workers).map(|_| Mailbox::new()).collect(),
            admission: Admission::new(&config.server),
            admitted: AtomicUsize::new(0),
            emptied: Notify::new(),
            draining: AtomicBool::new(false),
            drain_began: Notify::new(),
            expired_counted: AtomicU64::new(0),
            next_worker: AtomicUsize::new(0),
            config,
        })
    }

    /// A ticket for one more connection, of this address where one is known.
    ///
    /// # Errors
    /// The server is full or stopping, or the address has as many as it may.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Ticket, NoEntry> {
        let mut ticket = Ticket {
            node: Arc::clone(self),
            place: None,
        };
        let before = self.admitted.fetch_add(1, Ordering::Relaxed);
        if self.is_draining() {
            return Err(NoEntry::draining());
        }
        if before >= self.config.server.max_connections {
            return Err(NoEntry::full());
        }
        ticket.settle(self.admission.place(address)?);
        Ok(ticket)
    }

    /// Gives a connection to a worker, in turn.
    pub(crate) fn adopt(&self, adoption: Adoption) {
        self.mailboxes[self.next_worker()].post(Letter::Adopt(Box::new(adoption)), 0);
    }

    /// The worker whose turn it is to get something new.
    pub(crate) fn next_worker(&self) -> usize {
        self.next_worker.fetch_add(1, Ordering::Relaxed) % self.mailboxes.len()
    }

    /// Waits while a worker has too much to do.
    pub(crate) async fn wait_for_space(&self) {
        for mailbox in &self.mailboxes {
            if !mailbox.has_space() {
                self.telemetry.reads_paused.inc();
                mailbox.wait_for_space().await;
            }
        }
    }

    /// Milliseconds since the epoch: the time of day that messages expire by.
    pub(crate) fn now_ms(&self) -> u64 {
        match self.day.get() {
            None => clock::system_ms(),
            Some(day) => day.now_ms(),
        }
    }

    /// The time of day that is not the system's, if it is not.
    pub(crate) fn day(&self) -> Option<RuntimeDay> {
        self.day.get().copied()
    }

    /// From now on the time of day goes on as the clock of the runtime does.
    pub(crate) fn follow_runtime_clock(&self) {
        self.day.get_or_init(RuntimeDay::begin);
    }

    /// Tells the application, if there is one, what happened.
    pub(crate) fn notice(&self, event: impl FnOnce() -> Event) {
        if let Some(application) = self.application.get() {
            // The panic hook has told of it; nobody else comes to harm.
            let _ = catch_unwind(AssertUnwindSafe(|| application.notice(&event())));
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Tells every connection to go, once.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.drain_began.notify_waiters();
        for mailbox in &self.mailboxes {
            mailbox.post(Letter::Drain, 0);
        }
    }

    /// Returns once the drain has begun.
    pub(crate) async fn draining(&self) {
        let began = self.drain_began.notified();
        if !self.is_draining() {
            began.await;
        }
    }

    /// Returns once no connection is left.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.admitted.load(Ordering::Acquire) == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Connections open now.
    pub(crate) fn admitted(&self) -> usize {
        self.admitted.load(Ordering::Relaxed)
    }
}

impl Ticket {
    /// The connection is among those of another address from now on, where a proxy has told of one.
    pub(crate) fn settle(&mut self, place: Option<Place>) {
        if place.is_some() {
            self.place = place;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.place = None;
        if self.node.admitted.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.node.emptied.notify_waiters();
        }
    }
}

/// A name that nobody can guess: 128 random bits in hexadecimal.
pub(crate) fn random_name() -> String {
    use std::fmt::Write;
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Takes a lock whose holder may have panicked: the data are counters and maps, valid after every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
