//! Answers that are kept, so that a request that comes twice is done once.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashMap};

use super::problem::{Kind, Problem};
use crate::node::lock;

/// Longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// What an answer costs besides itself and its key: its places in the map and in the order, and three allocations.
const OVERHEAD: usize = 256;

/// Of whom, and the key that they chose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// The digest of its key.
    application: [u8; 32],
    key: Box<str>,
}

/// The name that the header `idempotency-key` gives a request, where there is one.
pub(super) fn name(application: [u8; 32], headers: &HeaderMap) -> Result<Option<Name>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| {
        (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match key {
        Some(key) => Ok(Some(Name {
            application,
            key: key.into(),
        })),
        None => Err(Problem::new(
            Kind::InvalidIdempotencyKey,
            format!("write 1 to {MAX_KEY_BYTES} visible characters of ASCII, such as a UUID"),
        )),
    }
}

/// The answers that are kept.
pub(super) struct Memory {
    time: Duration,
    max_bytes: usize,
    /// Tells one request from another.
    hasher: DefaultHashBuilder,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Arc<Name>, Entry>,
    /// The names of all that is answered, in the order in which they expire.
    order: VecDeque<(Instant, Arc<Name>)>,
    bytes: usize,
}

struct Entry {
    request: u64,
    /// None while it is being done.
    answer: Option<Bytes>,
}

/// How a request with a name goes on.
pub(super) enum Begun<'a> {
    /// It was answered before.
    Before(Bytes),
    /// It is to be done.
    Now(Permit<'a>),
}

/// The right to do a request. If it is dropped, the request may come again.
pub(super) struct Permit<'a> {
    memory: &'a Memory,
    name: Arc<Name>,
}

impl Memory {
    pub(super) fn new(time: Duration, max_bytes: usize) -> Self {
        Self {
            time,
            max_bytes,
            hasher: DefaultHashBuilder::default(),
            kept: Mutex::default(),
        }
    }

    /// Begins a request, unless it was done or is being done.
    pub(super) fn begin(
        &self,
        name: Name,
        request: &impl Hash,
        now: Instant,
    ) -> Result<Begun<'_>, Problem> {
        let request = self.hasher.hash_one(request);
        let mut kept = lock(&self.kept);
        kept.forget(|expires, _| expires <= now);
        let name = Arc::new(name);
        match kept.entries.get(&name) {
            Some(entry) if entry.request != request => Err(Problem::new(
                Kind::IdempotencyKeyReused,
                "take a new key for each request, and the same one only to repeat it",
            )),
            Some(Entry { answer: None, .. }) => Err(Problem::new(
                Kind::IdempotencyKeyInUse,
                "wait for the answer to the first request, or ask again a little later",
            )),
            Some(Entry {
                answer: Some(answer),
                ..
            }) => Ok(Begun::Before(answer.clone())),
            None => {
                let entry = Entry {
                    request,
                    answer: None,
                };
                kept.entries.insert(Arc::clone(&name), entry);
                Ok(Begun::Now(Permit { memory: self, name }))
            }
        }
    }
}

impl Permit<'_> {
    /// Keeps the answer, as long as there is room.
    pub(super) fn keep(self, answer: &Bytes, now: Instant) {
        let memory = self.memory;
        let mut kept = lock(&memory.kept);
        if let Some(entry) = kept.entries.get_mut(&self.name) {
            entry.answer = Some(answer.clone());
            kept.bytes += cost(&self.name, answer);
            kept.order
                .push_back((now + memory.time, Arc::clone(&self.name)));
        }
        kept.forget(|_, bytes| bytes > memory.max_bytes);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut kept = lock(&self.memory.kept);
        let is_undone = |entry: &Entry| entry.answer.is_none();
        if kept.entries.get(&self.name).is_some_and(is_undone) {
            kept.entries.remove(&self.name);
        }
    }
}

impl Kept {
    /// Forgets the oldest while `goes` says so, of its time and of the bytes that are kept.
    fn forget(&mut self, goes: impl Fn(Instant, usize) -> bool) {
        while let Some((expires, name)) = self.order.front() {
            if !goes(*expires, self.bytes) {
                return;
            }
            if let Some(answer) = self.entries.remove(name).and_then(|entry| entry.answer) {
                self.bytes -= cost(name, &answer);
            }
            self.order.pop_front();
        }
    }
}

fn cost(name: &Name, answer: &Bytes) -> usize {
    OVERHEAD + name.key.len() + answer.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn name(application: u8, key: &str) -> Name {
        Name {
            application: [application; 32],
            key: key.into(),
        }
    }

    /// Asks; says what was answered before, if anything was.
    fn ask(memory: &Memory, name: Name, answer: &'static str, now: Instant) -> Option<Bytes> {
        match memory
            .begin(name, &"request", now)
            .expect("the same request")
        {
            Begun::Before(answer) => Some(answer),
            Begun::Now(permit) => {
                permit.keep(&Bytes::from(answer), now);
                None
            }
        }
    }

    #[test]
    fn an_answer_is_kept_for_its_time_and_its_application() {
        let memory = Memory::new(MINUTE, 4_096);
        let start = Instant::now();
        assert_eq!(ask(&memory, name(0, "k"), "first", start), None);
        assert_eq!(ask(&memory, name(1, "k"), "other", start), None);
        let late = start + MINUTE - Duration::from_millis(1);
        let again = ask(&memory, name(0, "k"), "second", late);
        assert_eq!(again.as_deref(), Some(&b"first"[..]));
        assert_eq!(ask(&memory, name(0, "k"), "third", start + MINUTE), None);
        let again = ask(&memory, name(0, "k"), "fourth", start + MINUTE);
        assert_eq!(again.as_deref(), Some(&b"third"[..]));
    }

    #[test]
    fn the_oldest_answer_goes_when_there_are_too_many_bytes() {
        let memory = Memory::new(MINUTE, 2 * (OVERHEAD + 2));
        let now = Instant::now();
        for key in ["a", "b", "c"] {
            assert_eq!(ask(&memory, name(0, key), "x", now), None, "{key}");
        }
        assert!(ask(&memory, name(0, "c"), "y", now).is_some());
        assert!(ask(&memory, name(0, "b"), "y", now).is_some());
        assert_eq!(ask(&memory, name(0, "a"), "y", now), None);
        let kept = lock(&memory.kept);
        assert_eq!(
            (kept.entries.len(), kept.order.len(), kept.bytes),
            (2, 2, 2 * (OVERHEAD + 2))
        );
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let memory = Memory::new(MINUTE, 0);
        let now = Instant::now();
        for _ in 0..2 {
            assert_eq!(ask(&memory, name(0, "k"), "x", now), None);
        }
        assert_eq!(lock(&memory.kept).bytes, 0);
    }

    #[test]
    fn a_request_that_is_being_done_waits_and_one_that_failed_may_come_again() {
        let memory = Memory::new(MINUTE, 4_096);
        let now = Instant::now();
        let begin = |request: &str| {
            let begun = memory.begin(name(0, "k"), &request, now);
            begun.map_err(|problem| problem.into_response().status().as_u16())
        };
        let first = begin("request");
        assert!(matches!(first, Ok(Begun::Now(_))));
        assert_eq!(begin("request").err(), Some(409));
        assert_eq!(begin("another").err(), Some(422));
        drop(first);
        assert!(matches!(begin("another"), Ok(Begun::Now(_))));
    }
}
