//! Clients of SockJS that listen by one response after the other, among those that have a socket of their own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::peer::{Peer, Response, Server, Version};

/// A session, and a connection by which it asks and says.
struct Poller<'a> {
    server: &'a Server,
    name: &'a str,
    http: TcpStream,
}

impl<'a> Poller<'a> {
    /// Connected by STOMP.
    fn connect(server: &'a Server, name: &'a str) -> Self {
        let http = server.http_stream();
        let mut poller = Self { server, name, http };
        assert_eq!(poller.poll(), "o\n");
        poller.say(&["CONNECT\naccept-version:1.2\nhost:h\nheart-beat:0,0\n\n\0"]);
        assert!(poller.poll().starts_with("a[\"CONNECTED"));
        poller
    }

    fn request(&self, transport: &str, body: &str) -> Vec<u8> {
        let (name, length) = (self.name, body.len());
        format!("POST /ws/000/{name}/{transport} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    }

    /// What one response to `xhr` brings.
    fn poll(&mut self) -> String {
        let request = self.request("xhr", "");
        let response = Response::whole(&mut self.http, &request);
        assert_eq!(response.status, 200);
        String::from_utf8(response.rest).expect("SockJS is text")
    }

    /// Listens on a connection of its own, and leaves what comes unread.
    fn listen(&self, transport: &str) -> TcpStream {
        let mut stream = self.server.http_stream();
        let request = self.request(transport, "");
        stream.write_all(&request).expect("the request is written");
        stream
    }

    /// Status of the answer to `xhr_send`.
    fn try_say(&mut self, messages: &[&str]) -> u16 {
        let request = self.request("xhr_send", &json(messages));
        Response::of(&mut self.http, &request).status
    }

    fn say(&mut self, messages: &[&str]) {
        assert_eq!(self.try_say(messages), 204);
    }
}

/// Messages with nothing to escape but line feeds and NULs.
fn json(messages: &[&str]) -> String {
    let messages: Vec<_> = messages
        .iter()
        .map(|text| text.replace('\n', "\\n").replace('\0', "\\u0000"))
        .map(|text| format!("\"{text}\""))
        .collect();
    format!("[{}]", messages.join(","))
}

fn subscribe(id: &str, destination: &str) -> String {
    format!("SUBSCRIBE\nid:{id}\ndestination:{destination}\n\n\0")
}

/// More than the kernel takes for one connection.
const TOO_MUCH: usize = 10 * 900_000;

/// Lets so much pile up for who listens to `/topic/much`.
fn pile_up(publisher: &mut Peer) {
    let body = vec![b'y'; 900_000];
    for _ in 0..TOO_MUCH / body.len() {
        publisher.done("SEND", &[("destination", "/topic/much")], &body);
    }
}

const DISCONNECT_DELAY: Duration = Duration::from_millis(1500);

const ROOMY: &str = "[sockjs]\nmessage_cache_bytes = 33554432\ndisconnect_delay = \"1500ms\"\n\
    [server]\nworkers = 1\n";

#[test]
fn regression_a_poller_that_hears_what_it_says_ends_no_worker() {
    let server = Server::configured("[server]\nworkers = 1\n");
    let mut poller = Poller::connect(&server, "chatter");
    poller.say(&[&subscribe("s", "/topic/t")]);
    let _listens = poller.listen("xhr");
    let send = format!("SEND\ndestination:/topic/t\n\n{}\0", "y".repeat(60_000));
    // More than a worker keeps of a turn.
    poller.say(&[send.as_str(); 30]);
    poller.say(&["\n"]);
}

#[test]
fn regression_streams_that_break_in_a_flood_hurt_no_publisher() {
    let server = Server::configured("[server]\nworkers = 1\n");
    let mut publisher = server.connect(Version::V12);
    let body = [b'y'; 700];
    for round in 0..3 {
        let names: Vec<_> = (0..60).map(|number| format!("{round}-{number}")).collect();
        let streams: Vec<_> = names
            .iter()
            .map(|name| {
                let mut poller = Poller::connect(&server, name);
                let stream = poller.listen("xhr_streaming");
                poller.say(&[&subscribe(name, "/topic/t")]);
                stream
            })
            .collect();
        let flood = [b"SEND\ndestination:/topic/t\n\n", &body[..], b"\0"].concat();
        publisher.raw(&flood.repeat(80));
        for stream in streams {
            // With bytes unread: a reset.
            drop(stream);
            publisher.raw(&flood);
        }
        publisher.done("SEND", &[("destination", "/topic/t")], b"");
    }
}

#[test]
fn a_message_of_a_queue_in_a_poll_that_breaks_goes_to_another_consumer() {
    let server = Server::configured(ROOMY);
    let mut publisher = server.connect(Version::V12);
    let mut poller = Poller::connect(&server, "breaks");
    poller.say(&[&subscribe("q", "/queue/q"), &subscribe("t", "/topic/much")]);
    // What is delivered before the rest fills the outbox waits in front of it.
    publisher.publish("/queue/q", "precious");
    pile_up(&mut publisher);
    let mut stream = poller.listen("xhr");
    stream.read_exact(&mut [0; 1]).expect("the response begins");
    drop(stream);
    let mut other = server.connect(Version::V12);
    other.subscribe("q", "/queue/q", &[]);
    other.expect_message("precious");
}

#[test]
fn a_client_that_takes_long_to_read_a_poll_still_listens() {
    let server = Server::configured(ROOMY);
    let mut publisher = server.connect(Version::V12);
    let mut poller = Poller::connect(&server, "slow");
    poller.say(&[&subscribe("t", "/topic/much")]);
    pile_up(&mut publisher);
    let mut stream = poller.listen("xhr");
    stream.read_exact(&mut [0; 1]).expect("the response begins");
    let begun = Instant::now();
    while begun.elapsed() < 3 * DISCONNECT_DELAY {
        assert_eq!(poller.try_say(&["\n"]), 204);
    }
    let mut rest = vec![0; TOO_MUCH];
    stream.read_exact(&mut rest).expect("all of it comes");
    poller.say(&["\n"]);
}
