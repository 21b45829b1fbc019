//! All connections of the generator and the one loop that serves them.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::endpoint::Endpoint;
use crate::error::{BenchError, Ending};
use crate::greeting::Greeting;
use crate::link::{Link, Stage, Subscription};
use crate::senders::{Failed, SENDERS, Senders};
use crate::transport::Transport;
use crate::wire::Frame;

/// Connections on their way at the same time: enough to keep a server busy, far below its listen backlog.
const OPENING_AT_ONCE: usize = 128;

/// One read buffer for all connections.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Sockets served per system call of the loop.
const EVENTS_PER_TURN: usize = 1024;

/// Files open beside the connections.
const OTHER_FILES: u64 = 64 + SENDERS as u64;

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LinkPlan {
    pub(crate) transport: Transport,
    pub(crate) subscription: Option<Subscription>,
    /// It will stop to read once all are ready.
    pub(crate) stalls: bool,
}

/// The connections.
pub(crate) struct Fleet {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    endpoint: Endpoint,
    greeting: Greeting,
    links: Vec<Link>,
    senders: Senders,
    /// Links that ended, in that order.
    ended: Vec<usize>,
}

impl Fleet {
    /// Opens a connection for each plan and waits until all have their subscription's receipt.
    pub(crate) fn open(
        endpoint: &Endpoint,
        greeting: &Greeting,
        plans: &[LinkPlan],
        limit: Duration,
    ) -> Result<Self, BenchError> {
        let sockjs = |plan: &LinkPlan| plan.transport != Transport::Websocket;
        if !endpoint.is_websocket() && plans.iter().any(sockjs) {
            return Err(BenchError::Usage(
                "SockJS is not spoken over TCP: give --transport with a ws:// address",
            ));
        }
        raise_open_files(plans.len() as u64 + OTHER_FILES)?;
        let mut fleet = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_TURN),
            buffer: vec![0; READ_BUFFER_BYTES],
            endpoint: endpoint.clone(),
            greeting: greeting.clone(),
            links: Vec::with_capacity(plans.len()),
            senders: Senders::new(endpoint.address),
            ended: Vec::new(),
        };
        fleet.open_all(plans, Instant::now() + limit, limit)?;
        for (link, plan) in fleet.links.iter_mut().zip(plans) {
            link.reading = !plan.stalls;
        }
        Ok(fleet)
    }

    fn open_all(
        &mut self,
        plans: &[LinkPlan],
        deadline: Instant,
        limit: Duration,
    ) -> Result<(), BenchError> {
        let mut opening = VecDeque::new();
        let mut ready = 0;
        while ready < plans.len() {
            while opening.len() < OPENING_AT_ONCE && self.links.len() < plans.len() {
                let number = self.links.len();
                self.dial(&plans[number])
                    .map_err(|error| BenchError::Connect {
                        number: number + 1,
                        count: plans.len(),
                        at: Stage::Connecting.name(),
                        cause: error.to_string(),
                    })?;
                opening.push_back(number);
            }
            self.turn(Duration::from_millis(100), &mut |_, _, _, _| {})?;
            if let Some(&number) = self.ended.first() {
                return Err(self.connect_error(number, plans.len()));
            }
            let before = opening.len();
            opening.retain(|&number: &usize| self.links[number].stage() != Stage::Ready);
            ready += before - opening.len();
            if Instant::now() > deadline {
                return Err(BenchError::ConnectTimeout {
                    ready,
                    count: plans.len(),
                    limit,
                });
            }
        }
        Ok(())
    }

    fn dial(&mut self, plan: &LinkPlan) -> io::Result<()> {
        let number = self.links.len();
        let mut socket = TcpStream::connect(self.endpoint.address)?;
        socket.set_nodelay(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut socket, Token(number), interest)?;
        let subscription = plan.subscription.clone();
        self.links.push(Link::new(
            socket,
            &self.endpoint,
            number as u32,
            plan.transport,
            subscription,
        ));
        Ok(())
    }

    fn connect_error(&self, number: usize, count: usize) -> BenchError {
        let link = &self.links[number];
        BenchError::Connect {
            number: number + 1,
            count,
            at: link.stage().name(),
            cause: link.ending().map_or_else(String::new, Ending::to_string),
        }
    }

    /// Waits for sockets at most `timeout` long and serves them; each MESSAGE goes to `on_message` with the number of
    /// its connection and the moment it was read.
    pub(crate) fn turn(
        &mut self,
        timeout: Duration,
        on_message: &mut impl FnMut(usize, &Frame<'_>, &Subscription, Instant),
    ) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let registry = self.poll.registry();
        for event in &self.events {
            if let Some(sender) = Senders::of(event.token()) {
                let failed = self
                    .senders
                    .serve(registry, sender, event, &mut self.buffer);
                end_failed(failed, &mut self.links, &mut self.ended);
                continue;
            }
            let number = event.token().0;
            let link = &mut self.links[number];
            if link.ending().is_some() {
                continue;
            }
            if event.is_writable() && (link.stage() == Stage::Connecting || link.waiting() > 0) {
                link.on_writable(&self.endpoint, &self.greeting);
            }
            if event.is_readable() && link.stage() != Stage::Connecting {
                let closed = event.is_read_closed();
                link.read(
                    &mut self.buffer,
                    &self.greeting,
                    closed,
                    &mut |frame, subscription, now| {
                        on_message(number, frame, subscription, now);
                    },
                );
            }
            if link.ending().is_some() {
                self.ended.push(number);
                registry.deregister(link.socket())?;
            } else if let Some(request) = link.take_post() {
                let failed = self.senders.submit(registry, number, request);
                end_failed(failed, &mut self.links, &mut self.ended);
            }
        }
        Ok(())
    }

    /// Lets a connection that did not read catch up with what its socket holds.
    pub(crate) fn resume(
        &mut self,
        number: usize,
        on_message: &mut impl FnMut(usize, &Frame<'_>, &Subscription, Instant),
    ) {
        let link = &mut self.links[number];
        let was_open = link.ending().is_none();
        link.reading = true;
        link.read(
            &mut self.buffer,
            &self.greeting,
            true,
            &mut |frame, subscription, now| {
                on_message(number, frame, subscription, now);
            },
        );
        if was_open && link.ending().is_some() {
            self.ended.push(number);
        }
    }

    /// Appends one STOMP frame, in parts, to what connection `number` will send at its next [`Fleet::flush`].
    pub(crate) fn push(&mut self, number: usize, parts: &[&[u8]]) {
        self.links[number].push(parts);
    }

    /// Sends what waits on connection `number` as far as a socket takes it.
    pub(crate) fn flush(&mut self, number: usize) {
        let link = &mut self.links[number];
        if link.ending().is_none() {
            link.flush();
            if link.ending().is_some() {
                self.ended.push(number);
            } else if let Some(request) = link.take_post() {
                let failed = self.senders.submit(self.poll.registry(), number, request);
                end_failed(failed, &mut self.links, &mut self.ended);
            }
        }
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Connections that ended, in that order.
    pub(crate) fn ended(&self) -> &[usize] {
        &self.ended
    }
}

/// A client whose request failed ends.
fn end_failed(failed: Option<Failed>, links: &mut [Link], ended: &mut Vec<usize>) {
    let Some((number, ending)) = failed else {
        return;
    };
    let link = &mut links[number];
    if link.ending().is_none() {
        link.fail(ending);
        ended.push(number);
    }
}

/// Raises the soft limit as far as it goes, and says where that is not enough.
pub(crate) fn raise_open_files(needed: u64) -> Result<(), BenchError> {
    let allowed = rlimit::increase_nofile_limit(u64::MAX)?;
    if allowed < needed {
        return Err(BenchError::OpenFiles { needed, allowed });
    }
    Ok(())
}
