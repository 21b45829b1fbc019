//! The binary from outside: what it prints, where, and how it exits.

mod access;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A process that neither answers nor ends for so long fails its test.
const DEADLINE: Duration = Duration::from_secs(30);

/// The binary with an environment of its own.
fn tidings(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command
        .args(arguments)
        .env_remove("TIDINGS_LOG")
        .env_remove("COLUMNS")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    finish(&mut tidings(arguments))
}

/// Runs a command that is expected to end by itself.
fn finish(command: &mut Command) -> Output {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    end_of(child)
}

/// Runs a command that reads `input`.
fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = tidings(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    // It may have ended without reading all.
    let _ = std::io::Write::write_all(&mut pipe, input);
    drop(pipe);
    end_of(child)
}

fn end_of(child: Child) -> Output {
    let watchdog = Watchdog::new(child.id());
    let output = child.wait_with_output().expect("its output is read");
    drop(watchdog);
    output
}

/// Kills a process at the deadline, unless it is dropped before.
struct Watchdog(#[expect(dead_code, reason = "dropping it is the message")] mpsc::Sender<()>);

impl Watchdog {
    fn new(process: u32) -> Self {
        let (alive, ended) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill")
                    .args(["-s", "KILL", &process.to_string()])
                    .status();
            }
        });
        Self(alive)
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is text")
}

/// A configuration file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("the temporary folder can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("the path is text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

#[test]
fn version_is_name_version_and_target() {
    let output = run(&["--version"]);
    let text = stdout(&output);
    let words: Vec<_> = text.split_whitespace().collect();
    assert_eq!(words[..2], ["tidings", env!("CARGO_PKG_VERSION")]);
    assert!(
        words[2].starts_with('(') && words[2].contains(std::env::consts::ARCH),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_is_what_the_page_says() {
    let path = docs("command-line.md");
    let mut page = std::fs::read_to_string(&path).expect("the page is there");
    for command in [
        "tidings --help",
        "tidings serve --help",
        "tidings check-config --help",
        "tidings token --help",
        "tidings hash --help",
        "tidings explain --help",
        "tidings bench --help",
    ] {
        let arguments: Vec<_> = command.split(' ').skip(1).collect();
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0));
        let opening = format!("```text\n$ {command}\n");
        let (before, rest) = page
            .split_once(&opening)
            .expect("the page shows the command");
        let (shown, after) = rest.split_once("```").expect("the block ends");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            page = format!("{before}{opening}{}```{after}", stdout(&output));
            std::fs::write(&path, &page).expect("the page can be written");
        } else {
            assert_eq!(
                shown,
                stdout(&output),
                "stale; refresh it with: UPDATE_DOCS=1 cargo test -p tidings-cli --test command"
            );
        }
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["frobnicate"][..],
        &["serve", "--listn", "x"],
        &["--listen", "127.0.0.1:0", "serve"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(
            stderr(&output).starts_with("error: "),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn check_config_accepts_the_example() {
    let path = docs("tidings.example.toml");
    let path = path.to_str().expect("the path is text");
    let output = run(&["check-config", "--config", path]);
    let expected = format!(
        "ok: {path}\n  http   127.0.0.1:8080, WebSocket at /ws\n  tcp    off\n  admin  off\n"
    );
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (expected, String::new())
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn check_config_tells_what_differs_and_what_deserves_a_word() {
    let file = File::new(
        "differs.toml",
        "[security]\nauthenticator = 'trust-login'\n[tcp]\nlisten = '0.0.0.0:61613'\n[websocket]\npath = '/live'\n",
    );
    let output = finish(
        tidings(&[
            "check-config",
            "--config",
            file.path(),
            "--admin",
            "127.0.0.1:9090",
        ])
        .env("TIDINGS__SERVER__WORKERS", "2"),
    );
    let expected = format!(
        "ok: {}\n  http   127.0.0.1:8080, WebSocket at /live\n  tcp    0.0.0.0:61613\n  admin  127.0.0.1:9090\n\
         differs from the defaults:\n  server.workers = 2\n  security.authenticator = \"trust-login\"\n  \
         websocket.path = \"/live\"\n  tcp.listen = \"0.0.0.0:61613\"\n  admin.listen = \"127.0.0.1:9090\"\n\
         warning: `tcp.listen` is 0.0.0.0:61613: everyone who reaches it can be any user, no login is proven\n",
        file.path()
    );
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (expected, String::new())
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn check_config_tells_everything_that_is_wrong() {
    let file = File::new(
        "wrong.toml",
        "[outbox]\nmax_byte = '2MiB'\npolicy = 'drop'\n",
    );
    let output = run(&["check-config", "--config", file.path()]);
    let expected = format!(
        "error: 2 problems in the configuration\n  \
         - unknown key `outbox.max_byte` at {0}:2; did you mean `outbox.max_bytes`?\n  \
         - `outbox.policy` at {0}:3 is 'drop'; allowed: `close`, `drop-oldest` or `keep-latest`\n",
        file.path()
    );
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (String::new(), expected)
    );
    assert_eq!(output.status.code(), Some(2));

    let served = run(&["serve", "--config", file.path()]);
    assert_eq!(
        (stderr(&served), served.status.code()),
        (stderr(&output), Some(2))
    );
}

#[test]
fn development_mode_refuses_to_be_reached_by_others() {
    for flag in ["--listen", "--tcp", "--admin"] {
        let output = run(&[flag, "0.0.0.0:0"]);
        let text = stderr(&output);
        assert_eq!(
            (stdout(&output), output.status.code()),
            (String::new(), Some(2)),
            "{text}"
        );
        assert!(
            text.contains(&format!(
                "given by {flag} is 0.0.0.0:0, which others can reach"
            )),
            "{text}"
        );
        assert!(
            text.contains("start `tidings serve --config FILE`"),
            "{text}"
        );
    }
}

#[test]
fn development_mode_refuses_variables_that_it_would_overlook() {
    let output = finish(tidings(&["--listen", "127.0.0.1:0"]).env("TIDINGS__SERVER__WORKERS", "2"));
    assert_eq!(
        stderr(&output),
        "error: TIDINGS__SERVER__WORKERS is set, but development mode reads no environment; start `tidings serve`, or \
         unset it\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_wrong_log_filter_is_refused() {
    let output = finish(tidings(&["--listen", "127.0.0.1:0"]).env("TIDINGS_LOG", "a=b=c"));
    assert!(
        stderr(&output).starts_with("error: TIDINGS_LOG is `a=b=c`: "),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_taken_port_exits_with_1_and_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    let output = run(&["--listen", &address]);
    let text = stderr(&output);
    assert_eq!(
        (stdout(&output), output.status.code()),
        (String::new(), Some(1)),
        "{text}"
    );
    assert!(
        text.contains(&address) && text.contains("--listen"),
        "{text}"
    );
}

/// A server that is killed with the test.
struct Running {
    child: Child,
    _watchdog: Watchdog,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Starts and waits for `listeners` lines of stdout.
    fn start(arguments: &[&str], listeners: usize) -> (Self, Vec<String>) {
        let mut child = tidings(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let watchdog = Watchdog::new(child.id());
        let mut lines = Vec::new();
        for _ in 0..listeners {
            let mut line = String::new();
            out.read_line(&mut line).expect("stdout is text");
            lines.push(line);
        }
        (
            Self {
                child,
                _watchdog: watchdog,
                out,
            },
            lines,
        )
    }

    #[cfg(unix)]
    fn send(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is installed").success());
    }

    /// Waits until stderr says `what`.
    #[cfg(unix)]
    fn wait_for(&mut self, what: &str) {
        let mut said = Vec::new();
        let err = self.child.stderr.as_mut().expect("stderr is piped");
        while !String::from_utf8_lossy(&said).contains(what) {
            let mut byte = [0];
            err.read_exact(&mut byte).expect("stderr goes on");
            said.extend(byte);
        }
    }

    /// Sends a signal and tells the rest of stdout, stderr and the exit code.
    #[cfg(unix)]
    fn signal(mut self, name: &str) -> (String, String, Option<i32>) {
        self.send(name);
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).expect("stdout is text");
        self.child
            .stderr
            .take()
            .expect("stderr is piped")
            .read_to_string(&mut err)
            .expect("stderr is text");
        (out, err, self.child.wait().expect("it ends").code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of `listening scheme://127.0.0.1:PORT (what)`, if the line has that shape and somebody listens there.
fn port_of(line: &str, scheme: &str, what: &str) -> u16 {
    let rest = line
        .strip_prefix(&format!("listening {scheme}://127.0.0.1:"))
        .expect(line);
    let port = rest
        .strip_suffix(&format!(" ({what})\n"))
        .expect(line)
        .parse()
        .expect(line);
    std::net::TcpStream::connect(("127.0.0.1", port)).expect("the listener is ready");
    port
}

#[cfg(unix)]
#[test]
fn stdout_has_one_line_for_each_listener_and_a_signal_ends_with_0() {
    for (signal, number) in [("TERM", "SIGTERM"), ("INT", "SIGINT")] {
        let free = [
            "--listen",
            "127.0.0.1:0",
            "--tcp",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ];
        let (running, lines) = Running::start(&free, 3);
        let http = port_of(&lines[0], "http", "HTTP, WebSocket at /ws");
        let tcp = port_of(&lines[1], "tcp", "STOMP");
        let admin = port_of(&lines[2], "http", "admin");

        let (out, err, code) = running.signal(signal);
        assert_eq!((out.as_str(), code), ("", Some(0)), "{err}");
        for expected in [
            "Any login is taken as that user's name".to_owned(),
            "Nothing is kept after exit".to_owned(),
            "tidings serve --config".to_owned(),
            format!("http://127.0.0.1:{http}/\n"),
            format!("ws://127.0.0.1:{http}/ws\n"),
            format!("127.0.0.1:{tcp}\n"),
            format!("http://127.0.0.1:{admin}/\n"),
            number.to_owned(),
        ] {
            assert!(err.contains(&expected), "{expected} is not in {err}");
        }
        assert!(
            !err.contains('\u{1b}'),
            "colour outside of a terminal: {err}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_free_http_port_leaves_tcp_off_in_development_mode() {
    let (running, lines) = Running::start(&["--listen", "127.0.0.1:0"], 1);
    port_of(&lines[0], "http", "HTTP, WebSocket at /ws");
    let (out, err, code) = running.signal("TERM");
    assert_eq!((out.as_str(), code), ("", Some(0)), "{err}");
}

#[cfg(unix)]
#[test]
fn serve_has_no_banner_and_writes_json_where_asked() {
    let file = File::new(
        "serve.toml",
        "[http]\nlisten = '127.0.0.1:1'\n[websocket]\npath = '/live'\n",
    );
    let arguments = [
        "serve",
        "--config",
        file.path(),
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ];
    let (running, lines) = Running::start(&arguments, 1);
    port_of(&lines[0], "http", "HTTP, WebSocket at /live");
    let (out, err, code) = running.signal("TERM");
    assert_eq!((out.as_str(), code), ("", Some(0)), "{err}");
    assert!(
        !err.is_empty() && err.lines().all(|line| line.starts_with("{\"timestamp\"")),
        "{err}"
    );
}

#[cfg(unix)]
#[test]
fn the_demo_leaves_the_application_to_any_webhook() {
    for key in ["connect_url", "subscribe_url", "events_url"] {
        let text = format!(
            "[http]\nlisten = '127.0.0.1:0'\ndemo = true\n[webhook]\n{key} = 'http://127.0.0.1:9/'\n\
             secret = '0123456789abcdef'\n"
        );
        let file = File::new(&format!("{key}.toml"), &text);
        let (running, _) = Running::start(&["serve", "--config", file.path()], 1);
        let (_, err, code) = running.signal("TERM");
        assert_eq!(code, Some(0), "{key}: {err}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_does_not_wait_for_the_drain() {
    let arguments = ["--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0"];
    let (mut running, lines) = Running::start(&arguments, 2);
    let port = port_of(&lines[1], "tcp", "STOMP");
    let mut stays = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    std::io::Write::write_all(&mut stays, b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        .expect("sent");
    let mut answer = [0; 9];
    stays.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"CONNECTED");

    running.send("TERM");
    running.wait_for("a second signal stops at once");
    let (_, err, code) = running.signal("INT");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("stopped before the drain was done"), "{err}");
}
