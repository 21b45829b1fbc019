//! The server that is measured: a child process, or one that runs already.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::TargetArgs;
use crate::endpoint::Endpoint;
use crate::error::BenchError;

/// From the start of the process to the line with its address. A broker on a virtual machine of its own takes longer,
/// but such a one is measured with `--url`.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// For the last words of a process that ended.
const WORDS_TIMEOUT: Duration = Duration::from_secs(1);

/// Lines of the server's standard error kept for the error message.
const LAST_WORDS: usize = 8;

/// A server to measure. A child process is killed, by its id, when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    /// Absent: a server elsewhere, whose cost cannot be read.
    pub(crate) pid: Option<u32>,
    /// Never read: it is here for its drop.
    _child: Option<ChildProcess>,
}

impl Server {
    /// The server that the arguments name; a child process unless they give `--url`.
    pub(crate) fn start(target: &TargetArgs) -> Result<Self, BenchError> {
        if let Some(endpoint) = &target.url {
            return Ok(Self {
                endpoint: endpoint.clone(),
                pid: target.pid,
                _child: None,
            });
        }
        Self::spawn(&target.server_words()?, !target.tcp, target.pin)
    }

    /// This executable with a configuration file.
    pub(crate) fn start_configured(target: &TargetArgs, file: &Path) -> Result<Self, BenchError> {
        let mut words = target.server_words()?;
        let serve = ["serve", "--config", &file.to_string_lossy()].map(str::to_owned);
        words.splice(1..1, serve);
        Self::spawn(&words, !target.tcp, target.pin)
    }

    /// The floor, from this same executable.
    pub(crate) fn start_floor(target: &TargetArgs) -> Result<Self, BenchError> {
        let mut words = vec![own_executable()?];
        words.extend(["bench", "floor", "--listen", "127.0.0.1:0"].map(str::to_owned));
        Self::spawn(&words, !target.tcp, target.pin)
    }

    fn spawn(words: &[String], websocket: bool, pin: bool) -> Result<Self, BenchError> {
        let pinned = ["taskset", "-c", SERVER_CORE].map(str::to_owned);
        let words: Vec<&String> = pinned.iter().filter(|_| pin).chain(words).collect();
        let child = ChildProcess::spawn(&words)?;
        let pid = child.child.id();
        let (child, endpoint) = child.wait_for_address(websocket)?;
        Ok(Self {
            endpoint,
            pid: Some(pid),
            _child: Some(child),
        })
    }
}

/// The path of this executable, which holds the server and the floor too.
pub(crate) fn own_executable() -> Result<String, BenchError> {
    Ok(std::env::current_exe()?.to_string_lossy().into_owned())
}

/// Core of the server when pinned.
const SERVER_CORE: &str = "0";

/// Core of the generator when pinned.
const GENERATOR_CORE: &str = "1";

/// Keeps this process on one core until dropped. By the command `taskset` of util-linux: the system call has no safe
/// form in the standard library.
#[derive(Debug)]
pub(crate) struct Pinned {
    all_cores: String,
}

impl Pinned {
    pub(crate) fn generator() -> Result<Self, BenchError> {
        let cores = thread::available_parallelism()?.get();
        if cores < 2 {
            return Err(BenchError::Pin("there is only one".to_owned()));
        }
        taskset(GENERATOR_CORE).map_err(BenchError::Pin)?;
        Ok(Self {
            all_cores: format!("0-{}", cores - 1),
        })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // A process that stays on one core gives worse figures, which a report shows; there is no one to tell here.
        let _ = taskset(&self.all_cores);
    }
}

fn taskset(cores: &str) -> Result<(), String> {
    let pid = std::process::id().to_string();
    let output = Command::new("taskset")
        .args(["-a", "-c", "-p", cores, &pid])
        .output()
        .map_err(|error| format!("taskset: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[derive(Debug)]
struct ChildProcess {
    child: Child,
    command: String,
    lines: mpsc::Receiver<String>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    /// Its other end is dropped when the standard error is read to its end.
    words_end: mpsc::Receiver<()>,
}

impl ChildProcess {
    fn spawn(words: &[&String]) -> Result<Self, BenchError> {
        let command = words
            .iter()
            .map(|word| word.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let (program, arguments) = words
            .split_first()
            .ok_or(BenchError::Usage("--server-command is empty"))?;
        let spawned = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(|cause| BenchError::Start {
            command: command.clone(),
            cause,
        })?;
        let (sender, lines) = mpsc::sync_channel(16);
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stdout) = child.stdout.take() {
            each_line(stdout, move |line| {
                // Only addresses matter, and nobody listens once the address is known.
                if line.contains("://") {
                    let _ = sender.try_send(line);
                }
            });
        }
        let (ender, words_end) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            let last_words = Arc::clone(&last_words);
            each_line(stderr, move |line| {
                let _until_the_end = &ender;
                remember(&last_words, line);
            });
        }
        Ok(Self {
            child,
            command,
            lines,
            last_words,
            words_end,
        })
    }

    fn wait_for_address(mut self, websocket: bool) -> Result<(Self, Endpoint), BenchError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(endpoint) = Endpoint::announced(&line, websocket) {
                        return Ok((self, endpoint));
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(self.no_address("said no address in time"));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(self.no_address("ended before it said its address"));
                }
            }
        }
    }

    fn no_address(&mut self, what: &'static str) -> BenchError {
        // Killed, so that its standard error ends; a grandchild may still hold it open.
        let _ = self.child.kill();
        let _ = self.words_end.recv_timeout(WORDS_TIMEOUT);
        let words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        BenchError::NoAddress {
            command: self.command.clone(),
            what,
            words: words.iter().cloned().collect::<Vec<_>>().join(" | "),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe to its end, so that the child never waits for someone to read it.
fn each_line(pipe: impl Read + Send + 'static, mut on_line: impl FnMut(String) + Send + 'static) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            on_line(line);
        }
    });
}

fn remember(last_words: &Mutex<VecDeque<String>>, line: String) {
    let mut last_words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
    if last_words.len() == LAST_WORDS {
        last_words.pop_front();
    }
    last_words.push_back(line);
}
