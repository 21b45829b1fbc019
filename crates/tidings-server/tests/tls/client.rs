//! A client of STOMP, HTTP and WebSocket over TLS.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::server::PATIENCE;

/// What clients take in before they are read, where they are slow: less than one record.
const SMALL: usize = 4096;

/// Sizes one of which ends where the sockets to a narrow client are full, within what is encrypted and not out yet.
pub(crate) fn sizes_that_fill_sockets() -> impl Iterator<Item = usize> {
    const STEP: usize = 50_000;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let _narrow = narrow(listener.local_addr().expect("it is bound"));
    let (mut socket, _) = listener.accept().expect("it connects");
    socket.set_nonblocking(true).expect("a socket");
    let mut held = 0;
    while let Ok(count) = socket.write(&[0; 16 * 1024]) {
        held += count;
    }
    (0..16).map(move |step| (held + step * STEP).saturating_sub(8 * STEP))
}

fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("one");
    socket.set_recv_buffer_size(SMALL).expect("an option");
    socket.connect(&address.into()).expect("it listens");
    socket.into()
}

pub(crate) struct Client {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        let socket = TcpStream::connect(address).expect("it listens");
        Self::on(socket, config)
    }

    /// One whose socket takes little.
    pub(crate) fn narrow(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self::on(narrow(address), config)
    }

    fn on(socket: TcpStream, config: Arc<ClientConfig>) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(config, name).expect("a client");
        Self {
            stream: BufReader::new(StreamOwned::new(connection, socket)),
        }
    }

    pub(crate) fn tls(&mut self) -> &mut ClientConnection {
        &mut self.stream.get_mut().conn
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.stream.get_ref().sock
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stream = self.stream.get_mut();
        stream.write_all(bytes.as_ref()).expect("it reads");
        stream.flush().expect("it reads");
    }

    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("bytes come");
        bytes
    }

    pub(crate) fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.stream.read(&mut byte)? == 1).then_some(byte[0]))
    }

    /// All that comes until the server says by TLS that nothing more will.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// A line without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            line.push(self.byte().expect("a line comes").expect("no end within"));
        }
        let line = String::from_utf8(line).expect("text");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The head of an answer of HTTP, in lower case.
    pub(crate) fn head(&mut self) -> String {
        let lines = std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty()));
        lines.collect::<Vec<_>>().join("\n").to_lowercase()
    }

    /// An answer of known length.
    pub(crate) fn answer(&mut self) -> (String, String) {
        let head = self.head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = self.exactly(length.unwrap_or(0));
        (head, String::from_utf8(body).expect("text"))
    }

    /// One chunk of an answer.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let length = usize::from_str_radix(&self.line(), 16).expect("a length");
        let mut chunk = self.exactly(length + 2);
        chunk.truncate(length);
        chunk
    }

    pub(crate) fn connect(&mut self) {
        self.write("CONNECT\naccept-version:1.2\nhost:x\n\n\0");
        let (head, _) = self.frame();
        assert!(head.starts_with("CONNECTED\n"), "{head}");
    }

    /// Returns once the subscription is live.
    pub(crate) fn subscribe(&mut self, destination: &str) {
        self.write(format!(
            "SUBSCRIBE\nid:0\ndestination:{destination}\nreceipt:s\n\n\0"
        ));
        let (head, _) = self.frame();
        assert!(head.starts_with("RECEIPT\n"), "{head}");
    }

    pub(crate) fn send(&mut self, destination: &str, headers: &str, body: &[u8]) {
        let head = format!(
            "SEND\ndestination:{destination}\n{headers}content-length:{}\n\n",
            body.len()
        );
        self.write([head.as_bytes(), body, b"\0"].concat());
    }

    /// The next frame: its head and its body.
    pub(crate) fn frame(&mut self) -> (String, Vec<u8>) {
        let head = loop {
            let head = std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty()));
            let head = head.collect::<Vec<_>>().join("\n");
            // Line feeds between frames.
            if !head.is_empty() {
                break head;
            }
        };
        let length: Option<usize> = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.parse().ok());
        let body = match length {
            Some(length) => {
                let mut body = self.exactly(length + 1);
                assert_eq!(body.pop(), Some(0));
                body
            }
            None => std::iter::from_fn(|| self.byte().expect("a body").filter(|byte| *byte != 0))
                .collect(),
        };
        (head, body)
    }
}
