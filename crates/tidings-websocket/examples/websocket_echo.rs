//! A server that sends every message back, with compression where the client offers it.
//!
//! ```text
//! cargo run -p tidings-websocket --example websocket_echo -- --listen 127.0.0.1:9001
//! ```
//!
//! Port 0 takes a free port; the first line of output tells the address. Autobahn's test suite talks to this program:
//! see `e2e/autobahn/run`.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::BytesMut;
use tidings_websocket::{
    Accepted, CloseCode, Closing, Decoder, Deflater, Event, HandshakeError, Limits, MessageKind,
    RequestHead, Role, close_frame, message_frame, negotiate, pong_frame,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const READ_BUFFER: usize = 64 * 1024;
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// How long a client may take to close its side after the server closed its own.
const LINGER: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen_address()?).await?;
    let address = listener.local_addr()?;
    #[expect(
        clippy::print_stdout,
        reason = "whoever starts this program reads the port from here"
    )]
    {
        println!("listening on ws://{address}");
    }
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("{peer}: {error:#}");
            }
        });
    }
}

fn listen_address() -> anyhow::Result<String> {
    let mut arguments = std::env::args().skip(1);
    match (
        arguments.next().as_deref(),
        arguments.next(),
        arguments.next(),
    ) {
        (None, _, _) => Ok("127.0.0.1:0".to_owned()),
        (Some("--listen"), Some(address), None) => Ok(address),
        _ => bail!("usage: websocket_echo [--listen ADDRESS:PORT]"),
    }
}

async fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BytesMut::new();
    let Some(accepted) = accept(&mut stream, &mut input).await? else {
        return Ok(());
    };
    let mut echo = Echo::new(&accepted);
    loop {
        let mut output = Vec::new();
        let open = echo.handle(&mut input, &mut output);
        stream.write_all(&output).await?;
        if !open {
            return finish(stream).await;
        }
        input.reserve(READ_BUFFER);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// Sends our end of stream and waits for theirs: closing with unread input would reset the connection and could destroy
/// the close frame on its way.
async fn finish(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.shutdown().await?;
    let mut rest = vec![0; READ_BUFFER];
    let drain = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    // A client that never closes is cut off.
    timeout(LINGER, drain).await.ok();
    Ok(())
}

/// One connection's conversation.
struct Echo {
    decoder: Decoder,
    deflater: Option<Deflater>,
    closing: Closing,
    message: Vec<u8>,
}

impl Echo {
    fn new(accepted: &Accepted) -> Self {
        // Autobahn's largest message has 16 MiB, in as many as 262,144 fragments.
        let limits = Limits {
            max_frame_bytes: 16 << 20,
            max_message_bytes: 16 << 20,
            max_fragments: 1 << 20,
        };
        Self {
            decoder: Decoder::new(Role::Server, limits, accepted.deflate),
            // A server with many connections would share one per worker and window.
            deflater: accepted
                .deflate
                .map(|params| Deflater::new(1, params.server_max_window_bits)),
            closing: Closing::new(),
            message: Vec::new(),
        }
    }

    /// Answers what arrived; `false` once the conversation is over.
    fn handle(&mut self, input: &mut BytesMut, output: &mut Vec<u8>) -> bool {
        loop {
            match self.decoder.decode(input) {
                Ok(Some(event)) => self.answer(event, output),
                Ok(None) => return !self.closing.is_complete(),
                Err(error) => {
                    if self.closing.send() {
                        output.extend_from_slice(&close_frame(
                            Some(error.close_code()),
                            &error.to_string(),
                            None,
                        ));
                    }
                    return false;
                }
            }
        }
    }

    fn answer(&mut self, event: Event, output: &mut Vec<u8>) {
        match event {
            Event::Data { kind, payload, end } => {
                self.message.extend_from_slice(&payload);
                if end {
                    self.send_back(kind, output);
                }
            }
            Event::Ping(payload) => output.extend_from_slice(&pong_frame(&payload, None)),
            Event::Pong(_) => {}
            Event::Close { code, .. } => {
                if self.closing.receive() {
                    let code = code.unwrap_or(CloseCode::NORMAL);
                    output.extend_from_slice(&close_frame(Some(code), "", None));
                }
            }
        }
    }

    fn send_back(&mut self, kind: MessageKind, output: &mut Vec<u8>) {
        let frame = match &mut self.deflater {
            Some(deflater) => deflater.message_frame(kind, &self.message, None),
            None => message_frame(kind, &self.message, None),
        };
        output.extend_from_slice(&frame);
        self.message.clear();
    }
}

/// Reads the request and answers it. `None` if it was refused; what follows the request stays in `input`.
async fn accept(stream: &mut TcpStream, input: &mut BytesMut) -> anyhow::Result<Option<Accepted>> {
    let head = loop {
        if let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break input.split_to(end + 4);
        }
        if input.len() > MAX_HEAD || stream.read_buf(input).await? == 0 {
            bail!("the request ended early or is too long");
        }
    };
    let answer = judge(&head)?;
    stream.write_all(response(&answer).as_bytes()).await?;
    Ok(answer.ok())
}

fn judge(head: &[u8]) -> anyhow::Result<Result<Accepted, HandshakeError>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).context("the request is no HTTP")?;
    let value = |name: &str| {
        let named = request
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        let values: Vec<_> = named
            .map(|header| String::from_utf8_lossy(header.value))
            .collect();
        values.join(", ")
    };
    let [upgrade, connection, key] = ["upgrade", "connection", "sec-websocket-key"].map(value);
    let [version, extensions] = ["sec-websocket-version", "sec-websocket-extensions"].map(value);
    let request = RequestHead {
        method: request.method.unwrap_or_default(),
        http_1_1: request.version == Some(1),
        upgrade: &upgrade,
        connection: &connection,
        key: &key,
        version: &version,
        protocols: "",
        extensions: &extensions,
    };
    Ok(negotiate(&request, &[], true))
}

fn response(answer: &Result<Accepted, HandshakeError>) -> String {
    match answer {
        Ok(accepted) => {
            let extensions = match &accepted.deflate {
                Some(params) => {
                    format!("Sec-WebSocket-Extensions: {}\r\n", params.response_header())
                }
                None => String::new(),
            };
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {}\r\n{extensions}\r\n",
                accepted.accept
            )
        }
        Err(error) => {
            let headers: String = error
                .headers()
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let body = format!("{error}\n");
            format!(
                "HTTP/1.1 {} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
                 Connection: close\r\n{headers}\r\n{body}",
                error.status(),
                body.len()
            )
        }
    }
}
