//! The program under test as a child process.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::{Http, PATIENCE, Peer, Response, SockJs, Transport, Version, WebSocket};

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    directory: PathBuf,
    output: Receiver<String>,
    errors: Arc<(Mutex<String>, Condvar)>,
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) admin: SocketAddr,
}

const LISTEN: &str = "127.0.0.1:0";

/// The name of the configuration.
const CONFIG: &str = "tidings.toml";

impl Server {
    /// In development mode: every default.
    pub(crate) fn start() -> Self {
        Self::spawn(
            &["--listen", LISTEN, "--tcp", LISTEN, "--admin", LISTEN],
            &[],
        )
    }

    /// Without the demo, whose ticker sends to topics by itself.
    pub(crate) fn quiet() -> Self {
        Self::configured("")
    }

    /// With these tables in the configuration file; `http`, `tcp` and `admin` are filled in.
    pub(crate) fn configured(tables: &str) -> Self {
        Self::with_files(tables, &[])
    }

    /// As [`Server::configured`], with these files beside the configuration.
    pub(crate) fn with_files(tables: &str, files: &[(&str, &str)]) -> Self {
        let text = with_listeners(tables);
        let files = [&[(CONFIG, &*text)], files].concat();
        Self::spawn(&["serve", "--config", CONFIG], &files)
    }

    /// Writes the configuration anew.
    pub(crate) fn reconfigure(&self, tables: &str) {
        self.write(CONFIG, &with_listeners(tables));
    }

    /// Puts a file in the place of another, at once.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.directory.join("new");
        std::fs::write(&new, text).expect("the file is written");
        std::fs::rename(new, self.directory.join(name)).expect("the file is put in its place");
    }

    /// Waits until the log has said `what` so many times.
    #[track_caller]
    pub(crate) fn await_log(&self, what: &str, times: usize) {
        let (log, more) = &*self.errors;
        let lacks = |log: &mut String| log.matches(what).count() < times;
        let log = log.lock().expect("no holder panics");
        let waited = more.wait_timeout_while(log, PATIENCE, lacks);
        let (log, result) = waited.expect("no holder panics");
        assert!(
            !result.timed_out(),
            "{what:?} was not logged {times} times:\n{log}"
        );
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("HUP");
    }

    /// With this many workers; connections go to them in turn.
    pub(crate) fn with_workers(count: usize) -> Self {
        Self::configured(&format!("[server]\nworkers = {count}\n"))
    }

    fn spawn(arguments: &[&str], files: &[(&str, &str)]) -> Self {
        let directory = fresh_directory();
        for (name, text) in files {
            std::fs::write(directory.join(name), text).expect("the file is written");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(arguments)
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let errors = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let log = lines(child.stderr.take().expect("stderr is piped"));
        let sink = Arc::clone(&errors);
        thread::spawn(move || {
            for line in log {
                let (text, more) = &*sink;
                let mut text = text.lock().expect("no holder panics");
                text.push_str(&line);
                text.push('\n');
                more.notify_all();
            }
        });
        let output = lines(child.stdout.take().expect("stdout is piped"));
        // Built before the wait for its listeners, so that a server that does not come up is ended too.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self {
            child,
            directory,
            output,
            errors,
            http: nowhere,
            tcp: nowhere,
            admin: nowhere,
        };
        server.await_listeners();
        server
    }

    /// Reads `listening http://127.0.0.1:41234 (HTTP, WebSocket at /ws)` and the two other lines.
    fn await_listeners(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let mut missing = 3;
        while missing > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.output.recv_timeout(left) else {
                panic!(
                    "the server did not name {missing} of its listeners; on stderr:\n{}",
                    self.log()
                );
            };
            let Some((_, url)) = line.split_once("listening ") else {
                continue;
            };
            let (url, purpose) = url.split_once(' ').unwrap_or((url, ""));
            let address = url
                .split_once("://")
                .and_then(|(_, address)| address.parse().ok());
            let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
            match purpose {
                http if http.starts_with("(HTTP, WebSocket at ") => self.http = address,
                "(STOMP)" => self.tcp = address,
                "(admin)" => self.admin = address,
                _ => panic!("a listener of unknown purpose: {line:?}"),
            }
            missing -= 1;
        }
    }

    fn log(&self) -> String {
        self.errors.0.lock().expect("no holder panics").clone()
    }

    /// A TCP link on which nothing has been said.
    pub(crate) fn tcp(&self) -> Peer {
        Peer::over_tcp(self.tcp_stream())
    }

    pub(crate) fn tcp_stream(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tcp).expect("the TCP listener accepts");
        stream.set_nodelay(true).expect("Nagle can be switched off");
        stream
    }

    /// A STOMP session over TCP.
    pub(crate) fn connect(&self, version: Version) -> Peer {
        let mut peer = self.tcp();
        peer.connect(version);
        peer
    }

    /// A STOMP 1.2 session over TCP.
    pub(crate) fn session(&self) -> Peer {
        self.connect(Version::V12)
    }

    /// A connection to the HTTP listener on which nothing has been said.
    pub(crate) fn http_stream(&self) -> TcpStream {
        super::websocket::connect(self.http)
    }

    /// A WebSocket link on which nothing has been said.
    pub(crate) fn websocket(&self) -> Peer {
        Peer::over_websocket(self.raw_websocket())
    }

    pub(crate) fn raw_websocket(&self) -> WebSocket {
        WebSocket::open(self.http, &[])
            .unwrap_or_else(|refusal| panic!("the handshake failed: {refusal:?}"))
    }

    /// A STOMP 1.2 session over WebSocket.
    pub(crate) fn websocket_session(&self) -> Peer {
        let mut peer = self.websocket();
        peer.connect(Version::V12);
        peer
    }

    /// An HTTP client on a connection of its own.
    pub(crate) fn http(&self) -> Http {
        Http::connect(self.http)
    }

    /// A session of SockJS on which nothing has been said.
    pub(crate) fn sockjs(&self, transport: Transport) -> Peer {
        Peer::over_sockjs(SockJs::open(self.http, transport))
    }

    /// A STOMP 1.2 session over SockJS.
    pub(crate) fn sockjs_session(&self, transport: Transport) -> Peer {
        let mut peer = self.sockjs(transport);
        peer.connect(Version::V12);
        peer
    }

    /// GETs a page of the admin listener.
    pub(crate) fn admin_page(&self, path: &str) -> (u16, String) {
        Response::get(self.admin, path)
    }

    /// The value of one sample of the metrics, such as `tidings_connections{link="tcp"}`; 0 while it is not there.
    #[track_caller]
    pub(crate) fn metric(&self, sample: &str) -> i64 {
        let (status, text) = self.admin_page("/metrics");
        assert_eq!(status, 200, "{text}");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.map_or(0, |value| {
            value
                .parse()
                .unwrap_or_else(|_| panic!("{value:?} is no number"))
        })
    }

    /// Asks the metrics again and again until a sample holds.
    #[track_caller]
    pub(crate) fn await_metric(&self, sample: &str, holds: impl Fn(i64) -> bool) {
        self.poll_metrics(sample, || holds(self.metric(sample)));
    }

    /// How many connections ended for `reason`, by the metrics.
    pub(crate) fn disconnects(&self, reason: &str) -> u64 {
        let label = format!("reason=\"{reason}\"");
        self.ends(|labels| labels.contains(&label))
    }

    fn ends(&self, counts: impl Fn(&str) -> bool) -> u64 {
        let (status, text) = self.admin_page("/metrics");
        assert_eq!(status, 200, "{text}");
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("tidings_disconnects_total{"));
        let samples = lines.filter_map(|line| line.split_once("} "));
        let values = samples
            .filter(|(labels, _)| counts(labels))
            .map(|(_, value)| value);
        values
            .map(|value| {
                value
                    .parse::<u64>()
                    .unwrap_or_else(|_| panic!("{value:?} is no counter"))
            })
            .sum()
    }

    /// Asks the metrics again and again until `count` connections ended for `reason`.
    #[track_caller]
    pub(crate) fn await_disconnects(&self, reason: &str, count: u64) {
        self.poll_metrics(&format!("{count} disconnects for {reason}"), || {
            self.disconnects(reason) >= count
        });
    }

    /// Asks the metrics again and again until `count` connections ended, for whatever reason.
    #[track_caller]
    pub(crate) fn await_ends(&self, count: u64) {
        self.poll_metrics(&format!("{count} disconnects"), || {
            self.ends(|_| true) >= count
        });
    }

    #[track_caller]
    fn poll_metrics(&self, expectation: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            let late = Instant::now() >= deadline;
            assert!(
                !late,
                "{expectation} did not come; the metrics:\n{}",
                self.admin_page("/metrics").1
            );
        }
    }

    /// GETs an admin page again and again until its status and text hold.
    #[track_caller]
    pub(crate) fn await_page(&self, path: &str, holds: impl Fn(u16, &str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, text) = self.admin_page(path);
            if holds(status, &text) {
                return;
            }
            let late = Instant::now() >= deadline;
            assert!(!late, "{path} stays at {status} {text}");
        }
    }

    /// Threads of the process.
    pub(crate) fn threads(&self) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        tasks.expect("the process runs").count()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Stops the process as it is, until [`Server::proceed`].
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn proceed(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end of the process, which shows as the end of its stdout.
    pub(crate) fn exit(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server did not exit"),
            }
        }
        self.child.wait().expect("the child can be waited for")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the child is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
        let log = self.log();
        if thread::panicking() {
            eprintln!("the server said on stderr:\n{log}");
        } else {
            assert!(!log.contains("panicked"), "traffic never panics:\n{log}");
        }
    }
}

fn with_listeners(tables: &str) -> String {
    let listen = |table: &str| format!("{table}.listen = \"{LISTEN}\"\n");
    ["http", "tcp", "admin"].map(listen).concat() + tables
}

fn fresh_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!(
        "tidings-conformance-{}-{count}",
        std::process::id()
    ));
    std::fs::create_dir_all(&directory).expect("a temporary directory can be made");
    directory
}

/// The lines of a pipe, read by a thread of their own so that the child never waits for us.
fn lines(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // A test that has stopped listening still needs the pipe emptied.
            let _ = sender.send(line);
        }
    });
    receiver
}
