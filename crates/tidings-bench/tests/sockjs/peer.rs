//! A SockJS server with one thread for each connection, and the simplest broker behind it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use serde_json::Value;

/// A streaming response ends with the frame that reaches it.
const STREAM_BYTES: usize = 700;

/// The answer to the handshake; the generator's key is always the same.
const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The server.
#[derive(Default)]
pub(crate) struct Peer {
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
    /// A peer on a free port, and the option by which it is reached.
    pub(crate) fn start() -> (Arc<Self>, String) {
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

    /// Requests to receive so far.
    pub(crate) fn responses(&self) -> usize {
        self.state().responses
    }

    /// STOMP heart-beats received so far.
    pub(crate) fn beats(&self) -> usize {
        self.state().beats
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Requests until the client leaves.
    fn serve(self: Arc<Self>, stream: TcpStream) -> Option<()> {
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let request = read_request(&mut reader)?;
            if request.head.contains("\r\nUpgrade: websocket\r\n") {
                return self.serve_websocket(&request, reader, writer);
            }
            let cookie = format!("Cookie: s={}\r\n", request.session);
            let known = self.state().sessions.contains_key(&request.session);
            match request.transport.as_str() {
                _ if known && !request.head.contains(&cookie) => refuse(&mut writer)?,
                "xhr_send" if known => self.take_post(&request, &mut writer)?,
                _ if request.session.contains("nowhere") => refuse(&mut writer)?,
                "xhr_streaming" => self.stream(&request.session, &mut writer)?,
                "xhr" => self.answer(&request.session, &mut writer)?,
                _ => refuse(&mut writer)?,
            }
        }
    }

    fn serve_websocket(
        self: Arc<Self>,
        request: &Request,
        mut reader: BufReader<TcpStream>,
        mut writer: TcpStream,
    ) -> Option<()> {
        let sockjs = request.transport == "websocket";
        let session = if sockjs {
            request.session.clone()
        } else {
            format!("plain-{}", writer.peer_addr().ok()?)
        };
        write(&mut writer, UPGRADED)?;
        let plain = Session {
            opened: !sockjs,
            waiting: Vec::new(),
        };
        self.state().sessions.insert(session.clone(), plain);
        let (peer, reads) = (Arc::clone(&self), session.clone());
        thread::spawn(move || -> Option<()> {
            loop {
                let payload = read_websocket(&mut reader)?;
                let strings = if sockjs {
                    serde_json::from_slice(&payload).ok()?
                } else {
                    vec![String::from_utf8(payload).ok()?]
                };
                peer.take(&reads, &strings)?;
            }
        });
        loop {
            let frame = self.next_frame(&session);
            let payload = match frame.strip_prefix('a') {
                Some(array) if !sockjs => {
                    let frames: Vec<String> = serde_json::from_str(array).ok()?;
                    frames.concat()
                }
                _ => frame.trim_end().to_owned(),
            };
            let length = u16::try_from(payload.len()).ok()?.to_be_bytes();
            // Short lengths have a form of their own (RFC 6455, section 5.2).
            let header = match length {
                [0, short @ 0..126] => vec![0x81, short],
                [high, low] => vec![0x81, 126, high, low],
            };
            writer
                .write_all(&[&header, payload.as_bytes()].concat())
                .ok()?;
        }
    }

    fn take(&self, session: &str, strings: &[String]) -> Option<()> {
        let mut state = self.state();
        for string in strings {
            state.on_string(session, string)?;
        }
        drop(state);
        self.changed.notify_all();
        Some(())
    }

    fn take_post(&self, request: &Request, writer: &mut TcpStream) -> Option<()> {
        let strings: Vec<String> = serde_json::from_slice(&request.body).ok()?;
        self.take(&request.session, &strings)?;
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
    let length = match head.split_once("\r\nContent-Length: ") {
        Some((_, length)) => length.split("\r\n").next()?.parse().ok()?,
        None => 0,
    };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        session: session.to_owned(),
        transport: transport.to_owned(),
        head: head.clone(),
        body,
    })
}

/// The payload of a client's frame.
fn read_websocket(reader: &mut impl Read) -> Option<Vec<u8>> {
    let mut header = [0; 2];
    reader.read_exact(&mut header).ok()?;
    let mut length = usize::from(header[1] & 0x7F);
    if length == 126 {
        let mut long = [0; 2];
        reader.read_exact(&mut long).ok()?;
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut mask = [0; 4];
    reader.read_exact(&mut mask).ok()?;
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).ok()?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some(payload)
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
