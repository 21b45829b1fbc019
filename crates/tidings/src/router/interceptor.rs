//! Interceptors: what stands in the way of frames and messages, whether they are for a handler or not.

use std::future::Future;
use std::sync::Arc;

use tidings_core::application::{Failure, InterceptFuture, Outgoing, Session};
use tidings_stomp::{Command, Frame};

pub(super) type OutgoingInterceptor =
    Arc<dyn Fn(&str, &mut Outgoing) -> Result<(), Failure> + Send + Sync>;

/// What frames of some commands have to pass.
#[derive(Clone)]
pub(super) struct Interceptor {
    commands: Arc<[Command]>,
    intercept: Arc<dyn Fn(Frame, Arc<Session>) -> InterceptFuture + Send + Sync>,
}

impl Interceptor {
    #[track_caller]
    pub(super) fn new<F, Fut>(commands: impl IntoIterator<Item = Command>, interceptor: F) -> Self
    where
        F: Fn(Frame, Arc<Session>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Frame, Failure>> + Send + 'static,
    {
        let commands = commands.into_iter().map(|command| {
            assert!(
                !command.is_from_server(),
                "{command} is a command of servers: name one of clients"
            );
            of_clients(command)
        });
        Self {
            commands: commands.collect(),
            intercept: Arc::new(move |frame, session| Box::pin(interceptor(frame, session))),
        }
    }

    pub(super) fn is_for(&self, command: Command) -> bool {
        self.commands.contains(&of_clients(command))
    }
}

/// STOMP is the same as CONNECT.
fn of_clients(command: Command) -> Command {
    match command {
        Command::Stomp => Command::Connect,
        other => other,
    }
}

/// Lets a frame pass one after the other.
pub(super) async fn pass(
    interceptors: Vec<Interceptor>,
    mut frame: Frame,
    session: Arc<Session>,
) -> Result<Frame, Failure> {
    for interceptor in interceptors {
        frame = (interceptor.intercept)(frame, Arc::clone(&session)).await?;
    }
    Ok(frame)
}
