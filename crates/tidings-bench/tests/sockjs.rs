//! Whole measurements over SockJS against a scripted peer: short responses, cookies that must be shown, heart-beats.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use clap::Parser;
use serde_json::Value;
use tidings_bench::{BenchCommand, BenchError, Outcome, run};

/// A streaming response ends with the frame that reaches it.
const STREAM_BYTES: usize = 700;

#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: BenchCommand,
}

fn report(line: &str) -> Result<(Outcome, Value), BenchError> {
    let words = ["bench"].into_iter().chain(line.split(' '));
    let command = Program::parse_from(words.chain(["--json"])).command;
    let mut out = Vec::new();
    let outcome = run(command, &mut out)?;
    let report = serde_json::from_slice(&out).expect("a report is JSON");
    Ok((outcome, report))
}

/// A SockJS server without WebSocket, and the simplest broker behind it.
#[derive(Default)]
struct Peer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By the session's url.
    sessions: HashMap<String, Session>,
    /// Destination, and the session that hears it.
    subscriptions: Vec<(String, String)>,
    responses: usize,
    beats: usize,
}

#[derive(Default)]
struct Session {
    opened: bool,
    /// STOMP frames on their way to it.
    waiting: Vec<String>,
}

struct Request {
    /// The session's url, and the transport.
    session: String,
    transport: String,
    head: String,
    body: Vec<u8>,
}

impl Peer {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!(
            "--url ws://{}/ws",
            listener.local_addr().expect("its address")
        );
        let peer = Arc::new(Self::default());
        let shared = Arc::clone(&peer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let peer = Arc::clone(&shared);
                thread::spawn(move || peer.serve(stream));
            }
        });
        (peer, url)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Requests until the client leaves.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let request = read_request(&mut reader)?;
            let cookie = format!("Cookie: s={}\r\n", request.session);
            let known = self.state().sessions.contains_key(&request.session);
            match request.transport.as_str() {
                _ if known && !request.head.contains(&cookie) => refuse(&mut writer)?,
                "xhr_send" if known => self.take(&request, &mut writer)?,
                "xhr_streaming" => self.stream(&request.session, &mut writer)?,
                "xhr" => self.answer(&request.session, &mut writer)?,
                _ => refuse(&mut writer)?,
            }
        }
    }

    fn take(&self, request: &Request, writer: &mut TcpStream) -> Option<()> {
        let strings: Vec<String> = serde_json::from_slice(&request.body).ok()?;
        let mut state = self.state();
        for string in strings {
            state.on_string(&request.session, &string)?;
        }
        drop(state);
        self.changed.notify_all();
        write(writer, "HTTP/1.1 204 No Content\r\n\r\n")
    }

    fn stream(&self, session: &str, writer: &mut TcpStream) -> Option<()> {
        write(writer, &head(session, "Transfer-Encoding: chunked"))?;
        chunk(writer, &("h".repeat(2048) + "\n"))?;
        let mut sent = 0;
        while sent < STREAM_BYTES {
            let frame = self.next_frame(session);
            sent += frame.len();
            chunk(writer, &frame)?;
        }
        chunk(writer, "")
    }

    fn answer(&self, session: &str, writer: &mut TcpStream) -> Option<()> {
        let frame = self.next_frame(session);
        let length = format!("Content-Length: {}", frame.len());
        write(writer, &(head(session, &length) + &frame))
    }

    /// Waits for something to say on the session, which is made if need be.
    fn next_frame(&self, session: &str) -> String {
        let mut state = self.state();
        state.responses += 1;
        loop {
            let session = state.sessions.entry(session.to_owned()).or_default();
            if !session.opened {
                session.opened = true;
                return "o\n".to_owned();
            }
            if !session.waiting.is_empty() {
                let waiting = std::mem::take(&mut session.waiting);
                return format!("a{}\n", Value::from(waiting));
            }
            state = self.changed.wait(state).expect("no panic");
        }
    }
}

impl State {
    fn on_string(&mut self, session: &str, string: &str) -> Option<()> {
        if string == "\n" {
            self.beats += 1;
            return Some(());
        }
        let (headers, body) = string.strip_suffix('\0')?.split_once("\n\n")?;
        let header = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name));
        if headers.starts_with("CONNECT\n") {
            self.tell(session, "CONNECTED\nversion:1.2\nheart-beat:0,100\n\n\0")?;
        } else if let Some(destination) = header("destination:") {
            if headers.starts_with("SEND\n") {
                let message = format!(
                    "MESSAGE\nsubscription:0\nmessage-id:1\ndestination:{destination}\n\n{body}\0"
                );
                for (_, hears) in self
                    .subscriptions
                    .clone()
                    .iter()
                    .filter(|(heard, _)| heard == destination)
                {
                    self.tell(hears, &message)?;
                }
            } else {
                let subscription = (destination.to_owned(), session.to_owned());
                self.subscriptions.push(subscription);
            }
        }
        if let Some(receipt) = header("receipt:") {
            self.tell(session, &format!("RECEIPT\nreceipt-id:{receipt}\n\n\0"))?;
        }
        Some(())
    }

    fn tell(&mut self, session: &str, frame: &str) -> Option<()> {
        let session = self.sessions.get_mut(session)?;
        session.waiting.push(frame.to_owned());
        Some(())
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let url = head.split(' ').nth(1)?;
    let (session, transport) = url.rsplit_once('/')?;
    let (_, length) = head.split_once("\r\nContent-Length: ")?;
    let mut body = vec![0; length.split("\r\n").next()?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        session: session.to_owned(),
        transport: transport.to_owned(),
        head: head.clone(),
        body,
    })
}

fn head(session: &str, length: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nSet-Cookie: s={session}; Path=/; HttpOnly\r\n{length}\r\n\r\n")
}

fn chunk(writer: &mut TcpStream, data: &str) -> Option<()> {
    write(writer, &format!("{:x}\r\n{data}\r\n", data.len()))
}

fn refuse(writer: &mut TcpStream) -> Option<()> {
    write(
        writer,
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    )
}

fn write(writer: &mut TcpStream, text: &str) -> Option<()> {
    writer.write_all(text.as_bytes()).ok()
}

#[test]
fn every_delivery_over_http_is_verified() {
    // Three messages in flight are at most three in a frame, of less than 700 bytes.
    for (transport, least_responses) in [("xhr-streaming", 400 / 6), ("xhr-polling", 400 / 3)] {
        let (peer, url) = Peer::start();
        let line = format!(
            "pairs --users 4 --depth 3 --messages 100 --warm-up 0 --transport {transport} {url}"
        );
        let (outcome, report) = report(&line).expect("figures");
        assert_eq!(outcome, Outcome::Passed, "{transport}: {report}");
        assert_eq!(
            (&report["deliveries"], &report["transport"]),
            (&400.into(), &transport.into())
        );
        let responses = peer.state().responses;
        assert!(
            responses >= least_responses,
            "{transport}: {responses} responses"
        );
    }
}

#[test]
fn idle_sessions_are_counted_and_beat() {
    for transport in ["xhr-streaming", "xhr-polling"] {
        let (peer, url) = Peer::start();
        let line = format!(
            "connect --connections 20 --heart-beat 0.1 --idle 0.5 --transport {transport} {url}"
        );
        let (outcome, report) = report(&line).expect("figures");
        assert_eq!(
            (outcome, &report["alive"]),
            (Outcome::Passed, &20.into()),
            "{report}"
        );
        let beats = peer.state().beats;
        assert!(beats >= 20, "{transport}: {beats} beats");
    }
}

#[test]
fn a_server_without_the_transport_is_an_error_that_says_so() {
    let (_peer, url) = Peer::start();
    let refused = |line: &str| {
        let error = report(line).map(|_| ()).expect_err("no figures");
        error.to_string()
    };
    let text = refused(&format!("latency --transport sockjs-websocket {url}"));
    assert!(
        text.contains("failed at the WebSocket handshake: end of stream"),
        "{text}"
    );
    let text = refused("latency --transport xhr-polling --url tcp://127.0.0.1:9");
    assert!(text.contains("not spoken over TCP"), "{text}");
    let text = refused(&format!("compare --transport xhr-polling {url}"));
    assert!(text.contains("the floor speaks no SockJS"), "{text}");
}
