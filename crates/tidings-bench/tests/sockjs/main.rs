//! Whole measurements over SockJS against a scripted peer: short responses, cookies that must be shown, heart-beats.

mod peer;

use clap::Parser;
use serde_json::Value;
use tidings_bench::{BenchCommand, BenchError, Outcome, run};

use peer::Peer;

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
        let responses = peer.responses();
        assert!(
            responses >= least_responses,
            "{transport}: {responses} responses"
        );
    }
}

#[test]
fn transports_are_compared_with_websocket() {
    let (_peer, url) = Peer::start();
    let pid = std::process::id();
    let line =
        format!("transports --runs 1 --subscribers 3 --messages 20 --warm-up 0 {url} --pid {pid}");
    let (outcome, report) = report(&line).expect("figures");
    assert_eq!(outcome, Outcome::Passed, "{report}");
    let rows = report["transports"].as_array().expect("rows");
    let names: Vec<_> = rows
        .iter()
        .map(|row| (row["depth"].as_u64(), row["transport"].as_str()))
        .collect();
    let each = [
        "websocket",
        "sockjs-websocket",
        "xhr-streaming",
        "xhr-polling",
    ];
    let expected: Vec<_> = [1, 16]
        .into_iter()
        .flat_map(|depth| each.map(|name| (Some(depth), Some(name))))
        .collect();
    assert_eq!(names, expected);
    for row in rows {
        assert_eq!(row["runs"][0]["deliveries"], 60, "{row}");
        assert_eq!(row["runs"][0]["transport"], row["transport"]);
        assert!(row["server_cpu_us"].is_number(), "{row}");
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
        let beats = peer.beats();
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
    let text = refused(&format!("latency --transport xhr-polling {url}/nowhere"));
    assert!(text.contains("404 Not Found"), "{text}");
    let text = refused("latency --transport xhr-polling --url tcp://127.0.0.1:9");
    assert!(text.contains("not spoken over TCP"), "{text}");
    let text = refused(&format!("compare --transport xhr-polling {url}"));
    assert!(text.contains("the floor speaks no SockJS"), "{text}");
}
