//! Clients that come, hear CONNECTED and go, one after another.

use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::endpoint::Endpoint;
use crate::error::{BenchError, Ending};
use crate::fleet::raise_open_files;
use crate::greeting::Greeting;
use crate::histogram::Histogram;
use crate::link::{Link, Stage};
use crate::load::Pace;
use crate::transport::Transport;

/// The most on their way at the same time, whatever the rate: far below a server's listen backlog.
const MAX_AT_ONCE: usize = 512;

const READ_BUFFER_BYTES: usize = 64 * 1024;
const EVENTS_PER_TURN: usize = 256;

/// The longest wait of the loop, so that it sees its deadlines.
const LONGEST_TURN: Duration = Duration::from_millis(20);

/// A storm of one kind of clients.
pub(crate) struct Storm<'a> {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    endpoint: &'a Endpoint,
    /// What clients say, each in turn.
    greetings: &'a [Greeting],
    pace: Pace,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    /// Clients begun since the pace began, and when that was.
    begun: (u64, Instant),
    pub(crate) found: Found,
}

struct Client {
    link: Link,
    greeting: usize,
    /// When it was due.
    since: Instant,
}

/// What became of the clients.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) connected: u64,
    pub(crate) refused: u64,
    /// Why the first was refused.
    pub(crate) first_refusal: Option<Ending>,
    /// From the moment a client is due to CONNECTED.
    pub(crate) histogram: Histogram,
    /// In an open loop: clients were late because too many were on their way.
    pub(crate) falls_behind: bool,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            connected: 0,
            refused: 0,
            first_refusal: None,
            histogram: Histogram::new(),
            falls_behind: false,
        }
    }
}

impl<'a> Storm<'a> {
    pub(crate) fn new(
        endpoint: &'a Endpoint,
        greetings: &'a [Greeting],
        pace: Pace,
    ) -> Result<Self, BenchError> {
        raise_open_files(MAX_AT_ONCE as u64 + 64)?;
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_TURN),
            buffer: vec![0; READ_BUFFER_BYTES],
            endpoint,
            greetings,
            pace,
            clients: (0..MAX_AT_ONCE).map(|_| None).collect(),
            free: (0..MAX_AT_ONCE).rev().collect(),
            begun: (0, Instant::now()),
            found: Found::default(),
        })
    }

    /// Lets clients come until `is_over`. Those on their way then stay so.
    pub(crate) fn drive(&mut self, mut is_over: impl FnMut() -> bool) -> Result<(), BenchError> {
        self.begun = (0, Instant::now());
        while !is_over() {
            let wait = self.begin_due()?;
            self.turn(wait.min(LONGEST_TURN))?;
        }
        Ok(())
    }

    /// Begins what is due, and says how long nothing will be.
    fn begin_due(&mut self) -> Result<Duration, BenchError> {
        loop {
            let now = Instant::now();
            let (begun, begin) = self.begun;
            let at_once = self.clients.len() - self.free.len();
            let due = match self.pace {
                Pace::Closed { depth } if at_once as u64 >= depth => return Ok(LONGEST_TURN),
                Pace::Closed { .. } => now,
                Pace::Open { per_second } => {
                    begin + Duration::from_secs_f64(begun as f64 / per_second)
                }
            };
            if due > now {
                return Ok(due - now);
            }
            let Some(at) = self.free.pop() else {
                self.found.falls_behind = true;
                return Ok(LONGEST_TURN);
            };
            self.begun.0 += 1;
            self.dial(at, due)?;
        }
    }

    fn dial(&mut self, at: usize, since: Instant) -> io::Result<()> {
        let mut socket = TcpStream::connect(self.endpoint.address)?;
        socket.set_nodelay(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry.register(&mut socket, Token(at), interest)?;
        let number = self.begun.0 as u32;
        self.clients[at] = Some(Client {
            link: Link::new(socket, self.endpoint, number, Transport::Websocket, None),
            greeting: number as usize % self.greetings.len(),
            since,
        });
        Ok(())
    }

    fn turn(&mut self, wait: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let at = event.token().0;
            let Some(client) = &mut self.clients[at] else {
                continue;
            };
            let greeting = &self.greetings[client.greeting];
            let link = &mut client.link;
            if event.is_writable() && (link.stage() == Stage::Connecting || link.waiting() > 0) {
                link.on_writable(self.endpoint, greeting);
            }
            if event.is_readable() && link.stage() != Stage::Connecting {
                let closed = event.is_read_closed();
                link.read(&mut self.buffer, greeting, closed, &mut |_, _, _| {});
            }
            if link.stage() == Stage::Ready {
                self.found.connected += 1;
                self.found.histogram.record(client.since.elapsed());
            } else if let Some(ending) = link.ending() {
                self.found.refused += 1;
                let first = &mut self.found.first_refusal;
                first.get_or_insert_with(|| ending.clone());
            } else {
                continue;
            }
            self.clients[at] = None;
            self.free.push(at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::greeting::Proof;

    fn storm_of(address: SocketAddr, pace: Pace, clients: u64) -> Found {
        let greetings = [Greeting {
            virtual_host: "localhost".to_owned(),
            proof: Proof::None,
            heart_beat: Duration::ZERO,
        }];
        let endpoint = Endpoint {
            address,
            path: Some("/ws".to_owned()),
        };
        let mut storm = Storm::new(&endpoint, &greetings, pace).expect("a storm");
        let deadline = Instant::now() + Duration::from_secs(30);
        while storm.found.connected + storm.found.refused < clients {
            assert!(Instant::now() < deadline, "{:?}", storm.found.first_refusal);
            let mut turns = 0;
            let over = || {
                turns += 1;
                turns > 10
            };
            storm.drive(over).expect("sockets");
        }
        storm.found
    }

    #[test]
    fn clients_come_and_go_at_any_pace() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| crate::floor::serve(listener, || ends.load(Ordering::Relaxed)));
            for pace in [
                Pace::Closed { depth: 8 },
                Pace::Open {
                    per_second: 2_000.0,
                },
            ] {
                let found = storm_of(address, pace, 50);
                assert_eq!((found.refused, found.first_refusal), (0, None), "{pace:?}");
                assert!(found.connected >= 50 && found.histogram.latency().is_some());
            }
            ends.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn who_is_hung_up_on_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        thread::spawn(move || listener.incoming().for_each(drop));
        let found = storm_of(address, Pace::Closed { depth: 1 }, 3);
        assert!(found.connected == 0 && found.refused >= 3 && found.first_refusal.is_some());
    }
}
