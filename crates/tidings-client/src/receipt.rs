//! The server's word that a frame was processed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::ReceiptError;
use crate::shared::Shared;

/// Ready when the server has processed the frame, has refused it, or has not answered in time. Drop it to forget it; the
/// frame goes its way.
#[derive(Debug)]
#[must_use = "a receipt tells nothing unless it is awaited"]
pub struct Receipt {
    id: u64,
    shared: Arc<Shared>,
    answer: oneshot::Receiver<Answer>,
    deadline: Pin<Box<Sleep>>,
}

pub(crate) type Answer = Result<(), ReceiptError>;

impl Receipt {
    pub(crate) fn new(id: u64, shared: Arc<Shared>, answer: oneshot::Receiver<Answer>) -> Self {
        let deadline = Box::pin(sleep_until(
            Instant::now() + shared.settings.receipt_timeout,
        ));
        Self {
            id,
            shared,
            answer,
            deadline,
        }
    }
}

impl Future for Receipt {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if let Poll::Ready(answer) = Pin::new(&mut self.answer).poll(cx) {
            // The other end goes without a word only where the whole client does.
            return Poll::Ready(answer.unwrap_or(Err(ReceiptError::ConnectionLost)));
        }
        self.deadline
            .as_mut()
            .poll(cx)
            .map(|()| Err(ReceiptError::TimedOut(self.shared.settings.receipt_timeout)))
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.shared.state().forget_receipt(self.id);
    }
}
