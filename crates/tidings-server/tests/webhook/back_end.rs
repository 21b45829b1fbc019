//! A back end that does what a test tells it, a thread for each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use socket2::{Domain, Socket, Type};

pub(crate) const SECRET: &str = "a secret of more than 16 characters";

/// A request as it came.
pub(crate) struct Seen {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What a test has a back end do.
pub(crate) enum Reply {
    /// Status line, headers and body as they are, then the next request.
    Whole(Vec<u8>),
    /// These bytes, then the end of the connection.
    Then(Vec<u8>),
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map_or("", |(_, value)| value)
    }

    /// Whether the signature is that of the secret over all that it has to cover.
    pub(crate) fn is_genuine(&self) -> bool {
        let mut text = String::new();
        for name in [
            "tidings-timestamp",
            "tidings-request-id",
            "tidings-kind",
            "tidings-destination",
            "tidings-session",
            "tidings-user",
            "tidings-stomp-headers",
        ] {
            text += self.header(name);
            text += "\n";
        }
        text += &self.body;
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.update(text.as_bytes());
        let digits: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.header("tidings-signature") == format!("sha256={digits}")
    }

    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut seen = Self {
            path,
            headers,
            body: String::new(),
        };
        let length = seen.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        seen.body = String::from_utf8(body).ok()?;
        Some(seen)
    }
}

/// An answer with a length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
    Reply::Whole(format!("{head}{body}").into_bytes())
}

/// A port that refuses connections as long as the socket is there.
pub(crate) fn taken_by_nobody() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a free port");
    let address = socket.local_addr().expect("it is bound").as_socket();
    (socket, address.expect("an address").port())
}

/// Listens until the process ends.
pub(crate) fn start(script: impl Fn(Seen) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    serve(listener, script);
    address
}

/// Answers on this listener until the process ends.
pub(crate) fn serve(listener: TcpListener, script: impl Fn(Seen) -> Reply + Send + Sync + 'static) {
    let script = Arc::new(script);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            thread::spawn(move || converse(stream, &*script));
        }
    });
}

fn converse(mut stream: TcpStream, script: &dyn Fn(Seen) -> Reply) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    while let Some(seen) = Seen::read(&mut reader) {
        match script(seen) {
            Reply::Whole(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Reply::Then(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
        }
    }
}
