//! Heart-beats: what is offered, what is agreed, when the next is due.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use thiserror::Error;

/// What one side offers in its `heart-beat` header (STOMP 1.2, "Heart-beating"). Whole milliseconds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeartBeat {
    /// The shortest interval at which this side can send; zero = it can't.
    pub send: Duration,
    /// The interval at which this side wants to hear from the other; zero = it doesn't care.
    pub receive: Duration,
}

impl HeartBeat {
    /// No heart-beats either way: what an absent header means.
    pub const NONE: Self = Self {
        send: Duration::ZERO,
        receive: Duration::ZERO,
    };

    /// What both sides have agreed on, seen from this one: none in a direction where either says zero, else the longer
    /// of the two intervals.
    #[must_use]
    pub fn agreed_with(self, peer: Self) -> Self {
        let agree = |one: Duration, other: Duration| {
            if one.is_zero() || other.is_zero() {
                Duration::ZERO
            } else {
                one.max(other)
            }
        };
        Self {
            send: agree(self.send, peer.receive),
            receive: agree(self.receive, peer.send),
        }
    }
}

/// Writes the value of the header: two numbers of milliseconds.
impl fmt::Display for HeartBeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", millis(self.send), millis(self.receive))
    }
}

/// Reads the value of the header. An interval of more than 49 days becomes 49 days.
impl FromStr for HeartBeat {
    type Err = HeartBeatError;

    fn from_str(value: &str) -> Result<Self, HeartBeatError> {
        let (send, receive) = value.split_once(',').ok_or(HeartBeatError)?;
        Ok(Self {
            send: parse_millis(send)?,
            receive: parse_millis(receive)?,
        })
    }
}

/// A `heart-beat` header that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("heart-beat header is not two numbers; write milliseconds as in \"10000,10000\"")]
pub struct HeartBeatError;

/// What a heart-beat timer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing was written for half the interval: write an end of line.
    Due,
    /// Nothing was heard for twice the interval: the peer is gone.
    Missed,
}

/// The agreed heart-beats of an open connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulse {
    sent_at: Instant,
    heard_at: Instant,
    /// Zero = never.
    send_millis: u32,
    /// Zero = never.
    receive_millis: u32,
}

impl Pulse {
    pub(crate) fn new(agreed: HeartBeat, now: Instant) -> Self {
        Self {
            sent_at: now,
            heard_at: now,
            send_millis: millis(agreed.send),
            receive_millis: millis(agreed.receive),
        }
    }

    pub(crate) fn sent(&mut self, now: Instant) {
        self.sent_at = now;
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.send_millis > 0
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        [self.due_at(), self.missed_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is due by now. A beat that is due counts as sent.
    pub(crate) fn check(&mut self, now: Instant) -> Option<Beat> {
        if self.missed_at().is_some_and(|at| at <= now) {
            return Some(Beat::Missed);
        }
        if self.due_at().is_some_and(|at| at <= now) {
            self.sent_at = now;
            return Some(Beat::Due);
        }
        None
    }

    /// Half the interval: clients that allow one and a half never see a gap.
    fn due_at(&self) -> Option<Instant> {
        (self.send_millis > 0)
            .then(|| self.sent_at + Duration::from_micros(u64::from(self.send_millis) * 500))
    }

    /// Twice the interval: the margin that the specification asks the receiver to give.
    fn missed_at(&self) -> Option<Instant> {
        (self.receive_millis > 0)
            .then(|| self.heard_at + Duration::from_millis(u64::from(self.receive_millis) * 2))
    }
}

fn millis(interval: Duration) -> u32 {
    u32::try_from(interval.as_millis()).unwrap_or(u32::MAX)
}

fn parse_millis(digits: &str) -> Result<Duration, HeartBeatError> {
    let digits = digits.trim_ascii();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HeartBeatError);
    }
    Ok(Duration::from_millis(
        digits.parse::<u32>().unwrap_or(u32::MAX).into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(send: u64, receive: u64) -> HeartBeat {
        HeartBeat {
            send: Duration::from_millis(send),
            receive: Duration::from_millis(receive),
        }
    }

    #[test]
    fn longer_interval_wins_and_zero_switches_a_direction_off() {
        for (ours, peers, agreed) in [
            (offer(10_000, 10_000), offer(0, 0), offer(0, 0)),
            (
                offer(10_000, 10_000),
                offer(4_000, 30_000),
                offer(30_000, 10_000),
            ),
            (offer(0, 5), offer(7, 9), offer(0, 7)),
            (offer(5, 0), offer(7, 3), offer(5, 0)),
        ] {
            assert_eq!(ours.agreed_with(peers), agreed, "{ours} and {peers}");
        }
    }

    #[test]
    fn header_value_is_read_and_written() {
        for (value, expected) in [
            ("0,0", Ok(offer(0, 0))),
            ("10000,500", Ok(offer(10_000, 500))),
            ("1, 2", Ok(offer(1, 2))),
            ("99999999999999999999,1", Ok(offer(u64::from(u32::MAX), 1))),
            ("", Err(HeartBeatError)),
            ("10000", Err(HeartBeatError)),
            ("-1,0", Err(HeartBeatError)),
            ("+1,0", Err(HeartBeatError)),
            ("1,2,3", Err(HeartBeatError)),
            ("a,b", Err(HeartBeatError)),
        ] {
            assert_eq!(value.parse(), expected, "{value:?}");
        }
        assert_eq!(offer(10_000, 500).to_string(), "10000,500");
    }
}
