//! Any order of events, against a model of few words.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tidings_sockjs::{Attached, Options, Session, Timeout};

use super::ask::{options, receiver_named, split_head};

const LIMIT: usize = 40;
const HEARTBEAT: u64 = 25;
const DELAY: u64 = 5;

#[derive(Debug, Clone, Copy)]
enum Step {
    Listen {
        streaming: bool,
    },
    Write,
    /// The response that has just ended takes a while to go out.
    End,
    Ended,
    Close,
    Finish,
    Hush,
    Wait(u64),
}

/// What a session must remember.
#[derive(Default)]
struct Model {
    now: u64,
    since: u64,
    opened: bool,
    closed: bool,
    hushed: bool,
    ending: bool,
    /// Whether the receiver streams, and how many bytes its frames had.
    receiver: Option<(bool, usize)>,
}

impl Model {
    /// The frames that a new receiver gets, and how it fares.
    fn listen(&mut self, streaming: bool) -> (Vec<&'static str>, &'static str) {
        const CLOSE: &str = r#"c[3000,"bye"]"#;
        if self.receiver.is_some() || self.ending {
            let other = r#"c[2010,"Another connection still open"]"#;
            return (vec![if self.closed { CLOSE } else { other }], "refused");
        }
        self.since = self.now;
        let opens = !self.opened;
        self.opened = true;
        match (opens, self.closed, streaming) {
            (true, _, false) => (vec!["o"], "ended"),
            (true, true, true) => (vec!["o", CLOSE], "ended"),
            (false, true, _) => (vec![CLOSE], "ended"),
            (_, false, _) => {
                self.receiver = Some((streaming, if opens { 2 } else { 0 }));
                (if opens { vec!["o"] } else { vec![] }, "waits")
            }
        }
    }

    /// Whether the frame is written, and ends the response.
    fn write(&mut self, frame: &str) -> (bool, bool) {
        let Some((streaming, bytes)) = self.receiver else {
            return (false, false);
        };
        self.since = self.now;
        let bytes = bytes + frame.len() + 1;
        let ends = !streaming || bytes >= LIMIT;
        self.receiver = (!ends).then_some((streaming, bytes));
        (true, ends)
    }

    fn timeout(&self) -> Option<u64> {
        match (&self.receiver, self.hushed) {
            (Some(_), true) => None,
            (Some(_), false) => Some(self.since + HEARTBEAT),
            (None, _) => (!self.ending).then_some(self.since + DELAY),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|streaming| Step::Listen { streaming }),
        4 => Just(Step::Write),
        1 => Just(Step::End),
        2 => Just(Step::Ended),
        1 => Just(Step::Close),
        1 => Just(Step::Finish),
        1 => Just(Step::Hush),
        4 => (0_u64..30).prop_map(Step::Wait),
    ]
}

/// The frames in what was written, whatever the transport.
fn frames(out: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(out).expect("text");
    let body = match text.starts_with("HTTP") {
        true => split_head(text).1,
        false => text,
    };
    let is_frame = |line: &&str| {
        matches!(line.as_bytes().first(), Some(b'o' | b'h')) && line.len() == 1
            || line.starts_with("a[")
            || line.starts_with("c[")
    };
    body.lines().filter(is_frame).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn a_session_does_what_the_model_says(steps in prop::collection::vec(step(), 0..60)) {
        let options = Options {
            stream_bytes_limit: LIMIT,
            heartbeat_time: Duration::from_secs(HEARTBEAT),
            disconnect_delay: Duration::from_secs(DELAY),
            ..options()
        };
        let start = Instant::now();
        let mut session = Session::new(&options, start);
        let mut model = Model::default();
        for step in steps {
            check(&options, &mut session, &mut model, start, step)?;
            prop_assert_eq!(session.is_closed(), model.closed);
            prop_assert_eq!(session.receiver().is_some(), model.receiver.is_some());
            let due = model.timeout().map(|due| start + Duration::from_secs(due));
            prop_assert_eq!(session.poll_timeout(), due);
        }
    }
}

fn check(
    options: &Options,
    session: &mut Session,
    model: &mut Model,
    start: Instant,
    step: Step,
) -> Result<(), TestCaseError> {
    let now = start + Duration::from_secs(model.now);
    let mut out = Vec::new();
    match step {
        Step::Listen { streaming } => {
            let name = if streaming { "xhr_streaming" } else { "xhr" };
            let fared = match session.attach(now, receiver_named(options, name), &mut out) {
                Attached::Waits => "waits",
                Attached::Ended(_) => "ended",
                Attached::Refused(_) => "refused",
            };
            let (expected, expected_fared) = model.listen(streaming);
            prop_assert_eq!(fared, expected_fared);
            prop_assert_eq!(frames(&out), expected);
            let ended = out.ends_with(b"\r\n0\r\n\r\n");
            prop_assert_eq!(ended, streaming && fared != "waits");
        }
        Step::Write => {
            let frame = "a[\"message\"]";
            let ended = session.write(now, frame.as_bytes(), &mut out).is_some();
            let (written, expected_ended) = model.write(frame);
            prop_assert_eq!(frames(&out), if written { vec![frame] } else { vec![] });
            prop_assert_eq!(ended, expected_ended);
        }
        Step::End if session.receiver().is_none() => {
            session.ends();
            model.ending = true;
        }
        Step::End => {}
        Step::Ended if model.ending => {
            session.ended(now);
            model.ending = false;
            model.since = model.now;
        }
        Step::Ended => {}
        Step::Close => {
            session.close(3000, "bye");
            model.closed = true;
        }
        Step::Finish => {
            let finished = session.finish(now, &mut out).is_some();
            let expected = model.closed && model.receiver.is_some();
            prop_assert_eq!(finished, expected);
            prop_assert_eq!(frames(&out).len(), usize::from(expected));
            if expected {
                model.receiver = None;
                model.since = model.now;
            }
        }
        Step::Hush => {
            session.hush();
            model.hushed = true;
        }
        Step::Wait(seconds) => {
            model.now += seconds;
            let now = start + Duration::from_secs(model.now);
            let is_due = model.timeout().is_some_and(|due| due <= model.now);
            let expected = is_due.then_some(match model.receiver {
                Some(_) => Timeout::Heartbeat,
                None => Timeout::Disconnect,
            });
            prop_assert_eq!(session.handle_timeout(now), expected);
        }
    }
    Ok(())
}
