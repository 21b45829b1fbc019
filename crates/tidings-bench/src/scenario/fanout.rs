//! `fanout`, `pairs`, `latency` and `rate`: the same run with different plans and paces.

use std::io::Write;

use super::Scenario;
use crate::Outcome;
use crate::command::{FanoutArgs, LatencyArgs, PairsArgs, RateArgs};
use crate::error::BenchError;
use crate::load::Pace;
use crate::plan::Plan;

/// Publishers to many subscribers of the same destinations.
pub(crate) fn fanout(args: &FanoutArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    if args.destinations > args.subscribers {
        return Err(BenchError::Usage(
            "more --destinations than --subscribers: some would have none",
        ));
    }
    let plan = Plan::fanout(
        args.publishers as usize,
        args.subscribers as usize,
        args.destinations as usize,
        args.distinct_ids,
    );
    let pace = Pace::Closed {
        depth: args.depth.into(),
    };
    let mut scenario = Scenario::new("fanout", plan, pace, &args.target, &args.load);
    scenario.distinct_ids = args.distinct_ids;
    scenario.run(&args.target, out)
}

/// Users in pairs.
pub(crate) fn pairs(args: &PairsArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let pace = Pace::Closed {
        depth: args.depth.into(),
    };
    let plan = Plan::pairs(args.users as usize);
    Scenario::new("pairs", plan, pace, &args.target, &args.load).run(&args.target, out)
}

/// One publisher, one subscriber, one message in flight.
pub(crate) fn latency(args: &LatencyArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let plan = Plan::fanout(1, 1, 1, false);
    let pace = Pace::Closed { depth: 1 };
    Scenario::new("latency", plan, pace, &args.target, &args.load).run(&args.target, out)
}

/// A fixed rate, whatever the server does.
pub(crate) fn rate(args: &RateArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let plan = Plan::fanout(1, args.subscribers as usize, 1, false);
    let pace = Pace::Open {
        per_second: args.per_second,
    };
    Scenario::new("rate", plan, pace, &args.target, &args.load).run(&args.target, out)
}
