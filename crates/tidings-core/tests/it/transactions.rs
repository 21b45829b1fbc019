use std::collections::HashMap;

use proptest::prelude::*;
use tidings_core::disconnect::Reason;
use tidings_core::transaction::{TransactionLimits, Transactions};

const LIMITS: TransactionLimits = TransactionLimits {
    max_open: 3,
    max_actions: 5,
    max_bytes: 100,
};

#[derive(Debug, Clone)]
enum Step {
    Begin(u8),
    Push(u8, usize),
    Commit(u8),
    Abort(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..5u8;
    prop_oneof![
        2 => id.clone().prop_map(Step::Begin),
        5 => (id.clone(), 0..40usize).prop_map(|(id, bytes)| Step::Push(id, bytes)),
        1 => id.clone().prop_map(Step::Commit),
        1 => id.prop_map(Step::Abort),
    ]
}

/// What [`Transactions`] should do, with sums taken anew at each step.
#[derive(Default)]
struct Model(HashMap<u8, Vec<(usize, usize)>>);

impl Model {
    fn begin(&mut self, id: u8) -> Result<(), Reason> {
        if self.0.contains_key(&id) {
            return Err(Reason::TransactionExists);
        }
        if self.0.len() == LIMITS.max_open {
            return Err(Reason::TooManyTransactions);
        }
        self.0.insert(id, Vec::new());
        Ok(())
    }

    fn push(&mut self, id: u8, action: usize, bytes: usize) -> Result<(), Reason> {
        let held: Vec<_> = self.0.values().flatten().collect();
        let sum: usize = held.iter().map(|(_, bytes)| bytes).sum();
        let full = held.len() == LIMITS.max_actions || sum + bytes > LIMITS.max_bytes;
        let transaction = self.0.get_mut(&id).ok_or(Reason::UnknownTransaction)?;
        if full {
            return Err(Reason::TransactionTooLarge);
        }
        transaction.push((action, bytes));
        Ok(())
    }

    fn end(&mut self, id: u8) -> Result<Vec<usize>, Reason> {
        let actions = self.0.remove(&id).ok_or(Reason::UnknownTransaction)?;
        Ok(actions.into_iter().map(|(action, _)| action).collect())
    }
}

proptest! {
    #[test]
    fn transactions_do_what_the_model_does(steps in prop::collection::vec(step(), 0..80)) {
        let mut model = Model::default();
        let mut transactions = Transactions::new(LIMITS);
        for (action, step) in steps.into_iter().enumerate() {
            match step {
                Step::Begin(id) => {
                    let done = transactions.begin(&id.to_string()).map_err(|e| e.reason());
                    prop_assert_eq!(done, model.begin(id));
                }
                Step::Push(id, bytes) => {
                    let done = transactions.push(&id.to_string(), action, bytes).map_err(|e| e.reason());
                    prop_assert_eq!(done, model.push(id, action, bytes));
                }
                Step::Commit(id) => {
                    let done = transactions.commit(&id.to_string()).map_err(|e| e.reason());
                    prop_assert_eq!(done, model.end(id));
                }
                Step::Abort(id) => {
                    let done = transactions.abort(&id.to_string()).map_err(|e| e.reason());
                    prop_assert_eq!(done, model.end(id));
                }
            }
            prop_assert_eq!(transactions.len(), model.0.len());
            for id in 0..5u8 {
                prop_assert_eq!(transactions.contains(&id.to_string()), model.0.contains_key(&id));
            }
        }
    }
}
