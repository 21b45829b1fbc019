//! The queue against a model: lists, scanned from the start at each step.

use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::prelude::*;
use tidings_core::message::MessageId;
use tidings_core::queue::{
    Account, DeadLetterReason, NotOutstanding, Queue, QueueLimits, Settlement,
};

use super::expiring;

const MAX_BYTES: u64 = 5_000;
const MAX_AGE_MS: u64 = 50;
const MAX_DELIVERIES: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Waiting,
    Held(u8),
    Settled,
    Dead(DeadLetterReason),
    Buried,
    Expired,
}

/// Its index in the model is its id and its place in the queue.
struct Known {
    state: State,
    weight: u64,
    expires_at_ms: u64,
    deliveries: u32,
}

struct Consumer {
    name: u8,
    prefetch: usize,
    held: Vec<usize>,
}

#[derive(Default)]
struct Model {
    messages: Vec<Known>,
    consumers: Vec<Consumer>,
    /// Consumers with credit, the next one first.
    turns: Vec<u8>,
    dead: Vec<usize>,
}

impl Model {
    fn count(&self, which: impl Fn(State) -> bool) -> usize {
        self.messages
            .iter()
            .filter(|known| which(known.state))
            .count()
    }

    fn bytes(&self) -> u64 {
        let here = |state| matches!(state, State::Waiting | State::Held(_) | State::Dead(_));
        let messages = self.messages.iter().filter(|known| here(known.state));
        messages.map(|known| known.weight).sum()
    }

    fn expire(&mut self, now: u64) -> usize {
        let before = self.count(|state| state == State::Expired);
        for known in &mut self.messages {
            if known.state == State::Waiting && known.expires_at_ms <= now {
                known.state = State::Expired;
            }
        }
        self.count(|state| state == State::Expired) - before
    }

    fn next_expiry(&self) -> Option<u64> {
        let waiting = self
            .messages
            .iter()
            .filter(|known| known.state == State::Waiting);
        waiting.map(|known| known.expires_at_ms).min()
    }

    fn enqueue(&mut self, now: u64, weight: u64, expires_at_ms: Option<u64>) -> bool {
        self.expire(now);
        let fits = self.bytes() + weight <= MAX_BYTES;
        // A message that was refused takes an id too, and was never here.
        self.messages.push(Known {
            state: if fits { State::Waiting } else { State::Settled },
            weight,
            expires_at_ms: expires_at_ms.unwrap_or(now + MAX_AGE_MS),
            deliveries: 0,
        });
        fits
    }

    fn consumer(&mut self, name: u8) -> Option<&mut Consumer> {
        self.consumers
            .iter_mut()
            .find(|consumer| consumer.name == name)
    }

    fn subscribe(&mut self, name: u8, prefetch: usize) {
        match self.consumer(name) {
            Some(consumer) => consumer.prefetch = prefetch,
            None => self.consumers.push(Consumer {
                name,
                prefetch,
                held: Vec::new(),
            }),
        }
        self.update_turn(name);
    }

    fn update_turn(&mut self, name: u8) {
        let credit = self
            .consumer(name)
            .is_some_and(|consumer| consumer.held.len() < consumer.prefetch);
        if !credit {
            self.turns.retain(|turn| *turn != name);
        } else if !self.turns.contains(&name) {
            self.turns.push(name);
        }
    }

    fn unsubscribe(&mut self, name: u8) -> usize {
        let Some(index) = self
            .consumers
            .iter()
            .position(|consumer| consumer.name == name)
        else {
            return 0;
        };
        let held = self.consumers.remove(index).held;
        self.turns.retain(|turn| *turn != name);
        for id in &held {
            self.come_back(*id, DeadLetterReason::Abandoned);
        }
        held.len()
    }

    fn come_back(&mut self, id: usize, reason: DeadLetterReason) {
        if self.messages[id].deliveries < MAX_DELIVERIES {
            self.messages[id].state = State::Waiting;
        } else {
            self.messages[id].state = State::Dead(reason);
            self.dead.push(id);
        }
    }

    fn settle(&mut self, name: u8, id: usize, how: Settlement, cumulative: bool) -> Option<usize> {
        let consumer = self.consumer(name)?;
        let index = consumer.held.iter().position(|held| *held == id)?;
        let first = if cumulative { 0 } else { index };
        let settled: Vec<usize> = consumer.held.drain(first..=index).collect();
        for id in &settled {
            match how {
                Settlement::Ack => self.messages[*id].state = State::Settled,
                Settlement::Nack => self.come_back(*id, DeadLetterReason::Rejected),
            }
        }
        self.update_turn(name);
        Some(settled.len())
    }

    fn poll_delivery(&mut self, now: u64) -> Option<(u8, u64, u32)> {
        self.expire(now);
        let id = self
            .messages
            .iter()
            .position(|known| known.state == State::Waiting)?;
        let name = *self.turns.first()?;
        self.turns.remove(0);
        let known = &mut self.messages[id];
        known.state = State::Held(name);
        known.deliveries += 1;
        let delivery = (name, id as u64, known.deliveries);
        self.consumer(name).expect("it had a turn").held.push(id);
        self.update_turn(name);
        Some(delivery)
    }

    fn poll_dead_letter(&mut self) -> Option<(u64, DeadLetterReason, u32)> {
        let id = (!self.dead.is_empty()).then(|| self.dead.remove(0))?;
        let known = &mut self.messages[id];
        let State::Dead(reason) = known.state else {
            panic!("a dead letter is {:?}", known.state);
        };
        known.state = State::Buried;
        Some((id as u64, reason, known.deliveries))
    }
}

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        bytes: usize,
        lives_ms: Option<u64>,
    },
    Subscribe(u8, u32),
    Unsubscribe(u8),
    /// Of a message that is held, counted from the first; or, past the last, of one that is not.
    Settle(usize, Settlement, bool),
    SettleOfAnother(u8, u64),
    Deliver,
    Bury,
    Expire,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop::sample::select(vec![Settlement::Ack, Settlement::Nack, Settlement::Nack]);
    prop_oneof![
        6 => (0..200usize, prop::option::of(0..60u64))
            .prop_map(|(bytes, lives_ms)| Step::Enqueue { bytes, lives_ms }),
        2 => (0..4u8, 1..5u32).prop_map(|(name, prefetch)| Step::Subscribe(name, prefetch)),
        1 => (0..4u8).prop_map(Step::Unsubscribe),
        6 => (0..8usize, how, any::<bool>()).prop_map(|(nth, how, all)| Step::Settle(nth, how, all)),
        1 => (0..4u8, 0..30u64).prop_map(|(name, id)| Step::SettleOfAnother(name, id)),
        8 => Just(Step::Deliver),
        2 => Just(Step::Bury),
        1 => Just(Step::Expire),
        1 => (0..20u64).prop_map(Step::Wait),
    ]
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let total = Arc::new(Account::new(u64::MAX));
    let limits = QueueLimits {
        max_bytes: MAX_BYTES,
        max_age_ms: MAX_AGE_MS,
        max_deliveries: NonZeroU32::new(MAX_DELIVERIES).expect("not 0"),
    };
    let mut queue = Queue::new(limits, &total);
    let mut model = Model::default();
    let mut now = 1_000;
    for step in steps {
        match step {
            Step::Enqueue { bytes, lives_ms } => {
                let expires_at_ms = lives_ms.map(|ms| now + ms);
                let message = expiring(model.messages.len() as u64, bytes, expires_at_ms);
                let fits = model.enqueue(now, message.weight() as u64, expires_at_ms);
                prop_assert_eq!(queue.enqueue(now, message).is_ok(), fits);
            }
            Step::Subscribe(name, prefetch) => {
                model.subscribe(name, prefetch as usize);
                queue.subscribe(name, NonZeroU32::new(prefetch).expect("from 1"));
            }
            Step::Unsubscribe(name) => {
                prop_assert_eq!(queue.unsubscribe(name), model.unsubscribe(name))
            }
            Step::Settle(nth, how, cumulative) => {
                let held = model
                    .consumers
                    .iter()
                    .flat_map(|c| c.held.iter().map(move |id| (c.name, *id)));
                let (name, id) = held.clone().nth(nth).unwrap_or((0, 1_000));
                prop_assert_eq!(
                    queue.is_outstanding(name, MessageId(id as u64)),
                    id != 1_000
                );
                let done = queue.settle(name, MessageId(id as u64), how, cumulative);
                prop_assert_eq!(done.ok(), model.settle(name, id, how, cumulative));
            }
            Step::SettleOfAnother(name, id)
                if model.messages.get(id as usize).map(|k| k.state) != Some(State::Held(name)) =>
            {
                prop_assert_eq!(
                    queue.settle(name, MessageId(id), Settlement::Ack, true),
                    Err(NotOutstanding)
                );
            }
            Step::SettleOfAnother(..) => {}
            Step::Deliver => {
                let delivery = queue.poll_delivery(now);
                let delivery = delivery.map(|d| (d.consumer, d.message.id.0, d.delivery_count));
                prop_assert_eq!(delivery, model.poll_delivery(now));
            }
            Step::Bury => {
                let dead = queue.poll_dead_letter();
                let dead = dead.map(|d| (d.message.id.0, d.reason, d.delivery_count));
                prop_assert_eq!(dead, model.poll_dead_letter());
            }
            Step::Expire => prop_assert_eq!(queue.expire(now), model.expire(now)),
            Step::Wait(ms) => now += ms,
        }
        prop_assert_eq!(
            queue.waiting(),
            model.count(|state| state == State::Waiting)
        );
        prop_assert_eq!(
            queue.unsettled(),
            model.count(|state| matches!(state, State::Held(_)))
        );
        prop_assert_eq!(
            queue.expired() as usize,
            model.count(|state| state == State::Expired)
        );
        prop_assert_eq!(queue.consumers(), model.consumers.len());
        prop_assert_eq!(
            (queue.bytes(), total.used()),
            (model.bytes(), model.bytes())
        );
        prop_assert!(queue.bytes() <= MAX_BYTES);
        prop_assert_eq!(queue.next_expiry(), model.next_expiry());
        prop_assert_eq!(
            queue.is_idle(),
            model.consumers.is_empty() && model.bytes() == 0
        );
    }
    drop(queue);
    prop_assert_eq!(total.used(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn a_queue_does_what_the_model_does(steps in prop::collection::vec(step(), 1..150)) {
        run(steps)?;
    }
}
