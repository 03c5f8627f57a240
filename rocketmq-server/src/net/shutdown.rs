//! The gate in front of a handler: what happens to requests while a server is held or is stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_remoting::Command;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::{Answer, CloseReason, Connection, Handler, Refusal};
use rocketmq_remoting::version;
use tokio::sync::{Notify, watch};

/// The ways in which a server treats requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Requests are kept until the server runs again, as if its process were frozen.
    Held,
    /// New peers are sent away; the old, who would not understand that, are still served.
    Stopping,
}

/// Requests whose answers are still being worked on.
#[derive(Debug, Default)]
struct InFlight {
    count: AtomicUsize,
    done: Notify,
}

/// Passes requests on according to the phase.
pub(super) struct Gate {
    inner: Arc<dyn Handler>,
    phase: watch::Sender<Phase>,
    in_flight: Arc<InFlight>,
}

impl Gate {
    pub(super) fn new(inner: Arc<dyn Handler>) -> Self {
        Self { inner, phase: watch::Sender::new(Phase::Running), in_flight: Arc::default() }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Completes when nothing is being worked on any more, or after `patience`.
    pub(super) async fn drained(&self, patience: Duration) {
        let all_done = async {
            loop {
                let done = self.in_flight.done.notified();
                if self.in_flight.count.load(Ordering::Acquire) == 0 {
                    return;
                }
                done.await;
            }
        };
        let _ = tokio::time::timeout(patience, all_done).await;
    }

    fn counted(&self, answer: Answer) -> Answer {
        let enter = || self.in_flight.clone().enter();
        match answer {
            Answer::Later(work) => {
                let guard = enter();
                Answer::Later(Box::pin(async move {
                    let _guard = guard;
                    work.await
                }))
            }
            Answer::Blocking(work) => {
                let guard = enter();
                Answer::Blocking(Box::new(move || {
                    let _guard = guard;
                    work()
                }))
            }
            at_once => at_once,
        }
    }

    fn hold(&self, connection: &Connection, command: Command) -> Answer {
        let (inner, connection) = (self.inner.clone(), connection.clone());
        let mut phase = self.phase.subscribe();
        Answer::Later(Box::pin(async move {
            phase.wait_for(|phase| *phase != Phase::Held).await.ok()?;
            let answer = inner.handle(&connection, command);
            settle(&*inner, &connection, answer).await
        }))
    }
}

impl Handler for Gate {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        let phase = *self.phase.borrow();
        match phase {
            Phase::Running => self.counted(self.inner.handle(connection, command)),
            Phase::Held => self.hold(connection, command),
            Phase::Stopping if understands_go_away(&command) => {
                let answer = Command::response_to(&command, ResponseCode::GO_AWAY);
                Answer::Now(answer.with_remark("this server is stopping; use another or come back later"))
            }
            Phase::Stopping => self.counted(self.inner.handle(connection, command)),
        }
    }

    fn commit(&self, connection: &Connection) -> Result<(), Refusal> {
        self.inner.commit(connection)
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        self.inner.closed(connection, reason);
    }
}

fn understands_go_away(command: &Command) -> bool {
    command.version > version::V5_3_1 && !command.is_oneway()
}

/// The command an answer comes to, outside the round of requests that it would have been part of.
pub(crate) async fn settle(
    handler: &dyn Handler,
    connection: &Connection,
    answer: Answer,
) -> Option<Command> {
    match answer {
        Answer::None => None,
        Answer::Now(command) => Some(command),
        Answer::Committed(command) => match handler.commit(connection) {
            Ok(()) => Some(command),
            Err(refusal) => Some(Command::response(refusal.code).with_remark(refusal.remark)),
        },
        Answer::Later(work) => work.await,
        Answer::Blocking(work) => tokio::task::spawn_blocking(work).await.ok().flatten(),
    }
}

impl InFlight {
    fn enter(self: Arc<Self>) -> Guard {
        self.count.fetch_add(1, Ordering::AcqRel);
        Guard(self)
    }
}

/// Counts down even when the connection drops the answer half-way.
struct Guard(Arc<InFlight>);

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.done.notify_waiters();
        }
    }
}
