//! Whole measurements with small numbers: against the floor in this process, against the floor as a child process, and
//! against servers that misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use clap::Parser;
use serde_json::Value;
use tidings_bench::{BenchCommand, BenchError, Outcome, run, serve_floor};

#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: BenchCommand,
}

/// Runs a command line and gives its JSON report.
fn report(line: &str) -> Result<(Outcome, Value), BenchError> {
    report_of(&line.split(' ').collect::<Vec<_>>())
}

fn report_of(words: &[&str]) -> Result<(Outcome, Value), BenchError> {
    let words = ["bench"].iter().chain(words).chain(&["--json"]);
    let mut out = Vec::new();
    let outcome = run(Program::parse_from(words).command, &mut out)?;
    Ok((
        outcome,
        serde_json::from_slice(&out).expect("a report is JSON"),
    ))
}

/// The floor in a thread of this process, until dropped.
struct Floor {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Floor {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let ends = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ends);
        let thread = thread::spawn(move || serve_floor(listener, || ended.load(Ordering::Relaxed)));
        Self {
            address,
            ends,
            thread: Some(thread),
        }
    }

    fn websocket(&self) -> String {
        format!("--url ws://{}/ws", self.address)
    }

    fn tcp(&self) -> String {
        format!("--url tcp://{}", self.address)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(Ok(())))), "the floor failed");
    }
}

#[test]
fn every_delivery_through_the_floor_is_verified() {
    let floor = Floor::start();
    let pid = std::process::id();
    for url in [floor.websocket(), floor.tcp()] {
        for (line, deliveries) in [
            (
                "fanout --publishers 2 --subscribers 5 --depth 3 --messages 40 --warm-up 0",
                400,
            ),
            (
                "fanout --publishers 4 --subscribers 6 --destinations 2 --distinct-ids --messages 20 --warm-up 0",
                240,
            ),
            (
                "fanout --subscribers 2 --size 70000 --depth 8 --messages 20 --warm-up 0",
                40,
            ),
            ("pairs --users 10 --messages 30 --warm-up 0", 300),
            ("latency --messages 50 --warm-up 0", 50),
        ] {
            let (outcome, report) = report(&format!("{line} {url} --pid {pid}")).expect("figures");
            assert_eq!(outcome, Outcome::Passed, "{line}: {report}");
            assert_eq!(report["deliveries"], deliveries, "{line}: {report}");
            assert_eq!(
                report["verification"]["expected"], deliveries,
                "{line}: {report}"
            );
            assert!(
                report["latency"]["p50_us"].as_f64() > Some(0.0),
                "{line}: {report}"
            );
            assert!(
                report["server_cost"]["cpu_us_per_delivery"].is_number(),
                "{line}: {report}"
            );
        }
    }
}

#[test]
fn a_rate_is_kept_and_stalled_subscribers_catch_up() {
    let floor = Floor::start();
    let url = floor.websocket();
    let line = format!("rate --per-second 200 --subscribers 3 --warm-up 0 --messages 40 {url}");
    let (outcome, report_of_rate) = report(&line).expect("figures");
    assert_eq!(
        (outcome, &report_of_rate["falls_behind"]),
        (Outcome::Passed, &Value::Bool(false))
    );
    assert_eq!(report_of_rate["deliveries"], 120);
    assert!(
        report_of_rate["seconds"].as_f64() > Some(0.19),
        "40 messages at 200/s: {report_of_rate}"
    );

    let line = format!("stalled --fast 2 --stalled 2 --per-second 500 --duration 0.4 {url}");
    let (outcome, report) = report(&line).expect("figures");
    assert_eq!(outcome, Outcome::Passed, "{report}");
    assert_eq!(
        (&report["stalled"]["open"], &report["stalled"]["lost"]),
        (&2.into(), &0.into())
    );
    assert!(report["stalled"]["expected"].as_u64() > Some(0), "{report}");
}

#[test]
fn idle_connections_are_counted() {
    let floor = Floor::start();
    let pid = std::process::id();
    let line = format!(
        "connect --connections 300 --idle 0.1 {} --pid {pid}",
        floor.websocket()
    );
    let (outcome, report) = report(&line).expect("figures");
    assert_eq!(
        (outcome, &report["alive"]),
        (Outcome::Passed, &300.into()),
        "{report}"
    );
    assert!(
        report["memory_idle"]["rss_kib"].as_u64() > Some(0),
        "{report}"
    );
}

#[test]
fn a_started_server_is_killed_at_the_end() {
    let floor = env!("CARGO_BIN_EXE_tidings-bench");
    let output = std::process::Command::new(floor)
        .args([
            "bench",
            "latency",
            "--messages",
            "20",
            "--warm-up",
            "0",
            "--json",
            "--server-command",
        ])
        .arg(format!("{floor} floor --lifetime 60"))
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report is JSON");
    let url = report["server"].as_str().expect("its address");
    let address = url.trim_start_matches("ws://").trim_end_matches("/ws");
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens at {address} any more"
    );
}

#[test]
fn a_server_that_says_no_address_is_an_error_with_its_last_words() {
    let words = ["latency", "--server-command", "ls /no/such/folder"];
    let error = report_of(&words).map(|_| ()).expect_err("no address");
    let text = error.to_string();
    assert!(
        matches!(error, BenchError::NoAddress { .. }) && text.contains("/no/such/folder"),
        "{text}"
    );
    assert_eq!(
        format!("{:?}", ExitCode::from(Outcome::Failed)),
        format!("{:?}", ExitCode::FAILURE)
    );
}

#[test]
fn handlers_are_measured_only_on_a_server_that_is_named() {
    let error = report_of(&["handler"]).map(|_| ()).expect_err("no server");
    assert!(
        matches!(error, BenchError::Usage(what) if what.contains("--server-command")),
        "{error}"
    );
}

/// A server over TCP for one subscriber and one publisher; `deliver` says what becomes of each message.
fn misbehaving(deliver: fn(&str) -> String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        let mut subscriber = None;
        for stream in listener.incoming().take(2).map_while(Result::ok) {
            let mut writer = stream.try_clone().expect("a second handle");
            let mut frames = BufReader::new(stream).split(0).map_while(Result::ok);
            let _connect = frames.next();
            let _ = writer.write_all(b"CONNECTED\nversion:1.2\n\n\0");
            let Some(to) = &mut subscriber else {
                let _subscribe = frames.next();
                let _ = writer.write_all(b"RECEIPT\nreceipt-id:subscribed\n\n\0");
                subscriber = Some(writer);
                continue;
            };
            for send in frames {
                let send = String::from_utf8_lossy(&send).into_owned();
                let Some((_, body)) = send.split_once("\n\n") else {
                    return;
                };
                if to.write_all(deliver(body).as_bytes()).is_err() {
                    return;
                }
            }
        }
    });
    format!("--url tcp://{address}")
}

fn message(body: &str) -> String {
    format!("MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/topic/bench-0\n\n{body}\0")
}

#[test]
fn a_server_that_repeats_changes_or_cuts_fails_the_run() {
    let twice: fn(&str) -> String = |body| message(body).repeat(2);
    let changed: fn(&str) -> String = |body| message(body) + &message(&body.to_lowercase());
    let error: fn(&str) -> String = |_| "ERROR\nmessage:no more\n\n\0".to_owned();
    for (deliver, fault) in [
        (twice, "duplicated"),
        (changed, "corrupt"),
        (error, "disconnected"),
    ] {
        let line = format!(
            "fanout --subscribers 1 --messages 3 --warm-up 0 {}",
            misbehaving(deliver)
        );
        let (outcome, report) = report(&line).expect("figures");
        assert_eq!(outcome, Outcome::Failed, "{fault}: {report}");
        assert!(
            report["verification"][fault].as_u64() > Some(0),
            "{fault}: {report}"
        );
    }
}
