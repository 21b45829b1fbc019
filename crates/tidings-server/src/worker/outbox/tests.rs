//! The outbox against a simple model of it.

use std::collections::HashMap as Map;

use proptest::prelude::*;

use super::*;

const POLICIES: [SlowConsumerPolicy; 3] = [
    SlowConsumerPolicy::Close,
    SlowConsumerPolicy::DropOldest,
    SlowConsumerPolicy::KeepLatest,
];

/// How a socket answers one call.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Takes(usize),
    Interrupted,
    Full,
    Broken,
}

#[derive(Debug, Clone)]
enum Step {
    Control(usize),
    Message(u64, usize),
    /// A head of its own and the tail that some earlier message of this turn may have written already.
    Split(u64, usize, usize),
    /// Something for another connection, so that spans do not touch.
    Foreign(usize),
    Flush(Vec<Answer>),
    WriteWaiting(Vec<Answer>),
    /// The bound as a share of what waits, in percent, and the policy.
    Limit(usize, SlowConsumerPolicy),
    DropMessages,
}

/// A unit that is not wholly out.
#[derive(Debug, Clone)]
struct Pending {
    bytes: Vec<u8>,
    out: usize,
    key: Option<u64>,
    /// Of the current turn, so not yet among what waits.
    fresh: bool,
}

impl Pending {
    fn weight(&self) -> usize {
        self.bytes.len() - self.out + PIECE_OVERHEAD
    }

    fn may_go(&self) -> bool {
        self.key.is_some() && self.out == 0 && !self.fresh
    }
}

/// The outbox and what it should do.
#[derive(Default)]
struct Run {
    outbox: Outbox,
    turn: Turn,
    /// The shared tail of this turn.
    tail: Option<(Span, Vec<u8>)>,
    pending: Vec<Pending>,
    filler: u8,
    broken: bool,
}

impl Run {
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let bytes = (0..len).map(|at| self.filler.wrapping_add(at as u8));
        let bytes = bytes.collect();
        self.filler = self.filler.wrapping_mul(31).wrapping_add(len as u8);
        bytes
    }

    fn append(&mut self, unit: Unit, bytes: &[u8]) -> Span {
        self.turn.append(unit, |out| out.extend_from_slice(bytes))
    }

    fn expect(&mut self, bytes: Vec<u8>, key: Option<u64>) {
        self.pending.push(Pending {
            bytes,
            out: 0,
            key,
            fresh: true,
        });
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Control(len) => {
                let bytes = self.bytes(len);
                let span = self.append(Unit::Control, &bytes);
                self.outbox.push(span);
                self.expect(bytes, None);
            }
            Step::Message(key, len) => {
                let bytes = self.bytes(len);
                let span = self.append(Unit::Message { key }, &bytes);
                self.outbox.push(span);
                self.expect(bytes, Some(key));
            }
            Step::Split(key, head, tail) => self.split(key, head, tail),
            Step::Foreign(len) => {
                let bytes = self.bytes(len);
                self.append(Unit::Message { key: 0 }, &bytes);
            }
            Step::Flush(answers) => self.flush(&answers),
            Step::WriteWaiting(answers) => self.write_waiting(&answers),
            Step::Limit(percent, policy) => self.limit(percent, policy),
            Step::DropMessages => {
                self.outbox.drop_messages();
                self.pending.retain(|unit| !unit.may_go());
            }
        }
    }

    fn split(&mut self, key: u64, head: usize, tail: usize) {
        let (tail, tail_bytes) = match self.tail.take() {
            Some(shared) => shared,
            None => {
                let bytes = self.bytes(tail);
                (self.append(Unit::Tail, &bytes), bytes)
            }
        };
        let head_bytes = self.bytes(head);
        let head = self.append(Unit::Head { key }, &head_bytes);
        self.outbox.push(head);
        self.outbox.push(tail);
        self.tail = Some((tail, tail_bytes.clone()));
        self.expect([head_bytes, tail_bytes].concat(), Some(key));
    }

    /// As the worker's flush.
    fn flush(&mut self, answers: &[Answer]) {
        let mut socket = Socket::new(answers);
        let result = self
            .outbox
            .write_turn(&self.turn, |slices| socket.write(slices));
        self.take(&socket.taken);
        match result {
            Ok(Progress::Out) => {
                assert!(
                    self.pending.iter().all(|unit| !unit.fresh),
                    "not all is out"
                );
                self.turn.clear();
            }
            Ok(_) => self.outbox.keep(&self.turn.freeze()),
            Err(_) => {
                self.broken = true;
                return;
            }
        }
        self.tail = None;
        self.pending.iter_mut().for_each(|unit| unit.fresh = false);
    }

    fn write_waiting(&mut self, answers: &[Answer]) {
        let mut socket = Socket::new(answers);
        let mut progress = false;
        let result = self
            .outbox
            .write_waiting(|slices| socket.write(slices), &mut progress);
        assert_eq!(progress, !socket.taken.is_empty());
        self.take(&socket.taken);
        match result {
            Ok(all) => assert_eq!(all, self.pending.iter().all(|unit| unit.fresh)),
            Err(_) => self.broken = true,
        }
    }

    /// What the socket took must be what is due, in order.
    fn take(&mut self, mut taken: &[u8]) {
        while let Some(unit) = self.pending.first_mut().filter(|_| !taken.is_empty()) {
            let due = &unit.bytes[unit.out..];
            let count = due.len().min(taken.len());
            assert_eq!(&taken[..count], &due[..count], "other bytes than those due");
            unit.out += count;
            taken = &taken[count..];
            if unit.out == unit.bytes.len() {
                self.pending.remove(0);
            }
        }
        assert!(taken.is_empty(), "more came out than went in");
    }

    fn limit(&mut self, percent: usize, policy: SlowConsumerPolicy) {
        let bound = self.waiting() * percent / 100;
        let before = self.pending.len();
        let doomed = match policy {
            _ if self.waiting() <= bound => Vec::new(),
            SlowConsumerPolicy::Close => Vec::new(),
            SlowConsumerPolicy::DropOldest => self.oldest_beyond(bound),
            SlowConsumerPolicy::KeepLatest => self.all_but_latest(),
        };
        let mut index = 0;
        self.pending.retain(|_| {
            index += 1;
            !doomed.contains(&(index - 1))
        });
        let expected = if self.waiting() <= bound {
            Overflow::Fits {
                dropped: before - self.pending.len(),
            }
        } else {
            Overflow::Close
        };
        assert_eq!(self.outbox.limit(bound, policy), expected);
    }

    /// The shortest run of the oldest messages without which the rest fits; all of them if it never does.
    fn oldest_beyond(&self, bound: usize) -> Vec<usize> {
        let all: Vec<usize> = (0..self.pending.len())
            .filter(|index| self.pending[*index].may_go())
            .collect();
        let weight = |some: &[usize]| -> usize {
            some.iter().map(|index| self.pending[*index].weight()).sum()
        };
        let enough = (0..=all.len()).find(|count| self.waiting() - weight(&all[..*count]) <= bound);
        all[..enough.unwrap_or(all.len())].to_vec()
    }

    fn all_but_latest(&self) -> Vec<usize> {
        let mut latest = Map::new();
        let mut doomed = Vec::new();
        for (index, unit) in self.pending.iter().enumerate() {
            if unit.may_go() {
                doomed.extend(latest.insert(unit.key, index));
            }
        }
        doomed
    }

    fn waiting(&self) -> usize {
        let waiting = self.pending.iter().filter(|unit| !unit.fresh);
        waiting.map(Pending::weight).sum()
    }

    fn check(&self) {
        assert_eq!(self.outbox.waiting_bytes(), self.waiting());
        let recomputed: usize = self.outbox.waiting.iter().map(Piece::weight).sum();
        assert_eq!(self.outbox.waiting_bytes(), recomputed);
        assert_eq!(
            self.outbox.is_blocked(),
            self.pending.iter().any(|unit| !unit.fresh)
        );
    }
}

/// A socket that answers as told, and then is full.
struct Socket<'a> {
    answers: std::slice::Iter<'a, Answer>,
    taken: Vec<u8>,
}

impl<'a> Socket<'a> {
    fn new(answers: &'a [Answer]) -> Self {
        Self {
            answers: answers.iter(),
            taken: Vec::new(),
        }
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(slices.len() <= PIECES, "more pieces than one call takes");
        let offered = gathered(slices);
        assert!(!offered.is_empty(), "nothing to write");
        match self.answers.next().unwrap_or(&Answer::Full) {
            Answer::Takes(most) => {
                let count = offered.len().min(*most);
                self.taken.extend_from_slice(&offered[..count]);
                Ok(count)
            }
            Answer::Interrupted => Err(io::ErrorKind::Interrupted.into()),
            Answer::Full => Err(io::ErrorKind::WouldBlock.into()),
            Answer::Broken => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

fn gathered(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices
        .iter()
        .flat_map(|slice| slice.iter().copied())
        .collect()
}

const ALL: [Answer; 16] = [Answer::Takes(usize::MAX); 16];

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let answer = prop_oneof![
        6 => (0usize..60).prop_map(Answer::Takes),
        1 => Just(Answer::Takes(usize::MAX)),
        1 => Just(Answer::Interrupted),
        2 => Just(Answer::Full),
    ];
    let all = prop::collection::vec(answer, 0..6);
    (all, prop::bool::weighted(0.02)).prop_map(|(mut all, breaks)| {
        if breaks {
            all.push(Answer::Broken);
        }
        all
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1usize..40).prop_map(Step::Control),
        4 => (0u64..4, 1usize..40).prop_map(|(key, len)| Step::Message(key, len)),
        3 => (0u64..4, 1usize..20, 1usize..40).prop_map(|(key, head, tail)| Step::Split(key, head, tail)),
        1 => (1usize..400).prop_map(Step::Foreign),
        3 => answers().prop_map(Step::Flush),
        2 => answers().prop_map(Step::WriteWaiting),
        2 => (0usize..130, prop::sample::select(&POLICIES[..])).prop_map(|(percent, policy)| Step::Limit(percent, policy)),
        1 => Just(Step::DropMessages),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The model: a list of whole units, from which bytes are taken in order and whole messages in the middle.
    #[test]
    fn whole_units_come_out_in_order_and_the_account_is_exact(steps in prop::collection::vec(step(), 1..60)) {
        let mut run = Run::default();
        for step in steps {
            run.step(step);
            if run.broken {
                return Ok(());
            }
            run.check();
        }
        run.flush(&ALL);
        run.write_waiting(&ALL);
        run.check();
        prop_assert!(run.pending.is_empty(), "{:?} never came out", run.pending);
        prop_assert_eq!(run.outbox.waiting_bytes(), 0);
        prop_assert_eq!(run.outbox.waiting.capacity(), 0);
        prop_assert!(!run.outbox.spans.spilled());
    }
}

#[test]
fn more_spans_than_one_call_takes_go_out_in_several() {
    for all in [true, false] {
        let mut run = Run::default();
        for _ in 0..PIECES * 3 {
            run.step(Step::Message(1, 5));
            run.step(Step::Foreign(3));
        }
        if all {
            run.flush(&ALL);
        } else {
            run.flush(&[]);
            run.write_waiting(&ALL);
        }
        run.check();
        assert!(run.pending.is_empty());
    }
}

#[test]
fn only_the_first_push_of_a_turn_asks_for_the_flush_list() {
    let mut outbox = Outbox::default();
    let mut turn = Turn::default();
    for _ in 0..2 {
        let mut push = || outbox.push(turn.append(Unit::Control, |out| out.push(b'x')));
        assert!(push());
        assert!(!push());
        let written = outbox.write_turn(&turn, |slices| Ok(gathered(slices).len()));
        assert!(matches!(written, Ok(Progress::Out)));
        turn.clear();
    }
}

#[test]
fn a_blocked_outbox_is_not_all_out_though_the_turn_has_nothing_for_it() {
    let mut run = Run::default();
    run.step(Step::Control(5));
    run.flush(&[Answer::Takes(2)]);
    let written = run
        .outbox
        .write_turn(&run.turn, |_| panic!("its writer task does that"));
    assert!(matches!(written, Ok(Progress::Left)));
}

#[test]
fn after_an_error_no_span_of_the_turn_is_left() {
    let mut outbox = Outbox::default();
    let mut turn = Turn::default();
    outbox.push(turn.append(Unit::Control, |out| out.extend_from_slice(b"lost")));
    let written = outbox.write_turn(&turn, |_| Err(io::ErrorKind::BrokenPipe.into()));
    assert!(written.is_err());
    turn.clear();
    outbox.push(turn.append(Unit::Control, |out| out.push(b'x')));
    let mut taken = Vec::new();
    let written = outbox.write_turn(&turn, |slices| {
        taken = gathered(slices);
        Ok(taken.len())
    });
    assert!(matches!(written, Ok(Progress::Out)));
    assert_eq!(taken, b"x");
}

#[test]
fn all_that_a_turn_has_for_a_connection_goes_out_in_one_call_as_one_piece() {
    let (mut turn, mut outbox) = (Turn::default(), Outbox::default());
    let mut expected = Vec::new();
    for key in 0..16 {
        let body = key.to_string().into_bytes();
        expected.extend_from_slice(&body);
        let span = turn.append(Unit::Message { key }, |out| out.extend_from_slice(&body));
        assert_eq!(outbox.push(span), key == 0, "on the flush list once");
    }
    let mut calls = Vec::new();
    let done = outbox.write_turn(&turn, |slices| {
        calls.push(
            slices
                .iter()
                .map(|slice| slice.to_vec())
                .collect::<Vec<_>>(),
        );
        Ok(slices.iter().map(|slice| slice.len()).sum())
    });
    assert_eq!(done.expect("the socket takes all"), Progress::Out);
    assert_eq!(calls, [[expected]]);
}
