//! `stalled`: subscribers that stop to read, beside others that do not.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::{Scenario, finish};
use crate::Outcome;
use crate::command::{LoadArgs, StalledArgs};
use crate::error::{BenchError, Ending};
use crate::load::{Load, Pace};
use crate::plan::Plan;
use crate::report::{LoadReport, StalledFate};
use crate::server::{Pinned, Server};

/// How long nothing more may come before a connection that reads again is taken to have caught up.
const QUIET: Duration = Duration::from_secs(1);

/// Longest time for catching up.
const CATCH_UP: Duration = Duration::from_secs(30);

pub(crate) fn stalled(args: &StalledArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let pace = Pace::Open {
        per_second: args.per_second,
    };
    let load = LoadArgs {
        size: args.size,
        duration: args.duration,
        warm_up: Duration::ZERO,
        messages: None,
    };
    let (fast, stalled) = (args.fast as usize, args.stalled as usize);
    let scenario = Scenario::new(
        "stalled",
        Plan::stalled(fast, stalled),
        pace,
        &args.target,
        &load,
    );
    let _pinned = args.target.pin.then(Pinned::generator).transpose()?;
    let server = Server::start(&args.target)?;
    let mut load = scenario.open(&server, &args.target)?;
    let measured = load.measure()?;
    let mut report = LoadReport::new(scenario.setup(&server), &measured);
    report.stalled = Some(catch_up(&mut load, fast..fast + stalled)?);
    finish(&report, &args.target, out)
}

/// Lets the stalled connections read again and says what they find.
fn catch_up(
    load: &mut Load<'_>,
    stalled: std::ops::Range<usize>,
) -> Result<StalledFate, BenchError> {
    for link in stalled.clone() {
        let board = &mut load.board;
        load.fleet
            .resume(link, &mut |link, frame, subscription, now| {
                board.on_message(link, frame, subscription, now);
            });
    }
    let start = Instant::now();
    let mut lost = (u64::MAX, start);
    while lost.1.elapsed() < QUIET && start.elapsed() < CATCH_UP {
        load.turn(QUIET / 10)?;
        let now_lost = load.board.verify(true, 0).lost;
        if now_lost != lost.0 {
            lost = (now_lost, Instant::now());
        }
    }
    let mut endings = BTreeMap::new();
    let links = &load.fleet.links()[stalled.clone()];
    for ending in links.iter().filter_map(|link| link.ending()) {
        *endings.entry(Ending::to_string(ending)).or_insert(0) += 1;
    }
    let found = load.board.verify(true, 0);
    Ok(StalledFate {
        subscribers: links.len(),
        open: links.iter().filter(|link| link.ending().is_none()).count(),
        endings: endings.into_iter().collect(),
        expected: found.expected,
        lost: found.lost,
    })
}
