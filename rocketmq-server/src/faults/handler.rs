//! The faults of requests, in front of a broker's handler.

use std::sync::Arc;

use rocketmq_remoting::net::{Answer, CloseReason, Connection, Handler, Refusal};
use rocketmq_remoting::{Command, RequestCode};

use super::Faults;
use crate::net::settle;

/// A handler with faults.
pub(super) struct Faulty {
    inner: Arc<dyn Handler>,
    faults: Faults,
}

impl Faulty {
    pub(super) fn new(inner: Arc<dyn Handler>, faults: Faults) -> Self {
        Self { inner, faults }
    }

    /// Refuses a send before the broker sees it.
    fn refused(&self, command: &Command) -> Option<Answer> {
        let code = self.faults.refusal()?;
        let answer = Command::response_to(command, code).with_remark("refused by the test: refuse_next_send");
        Some(if command.is_oneway() { Answer::None } else { Answer::Now(answer) })
    }
}

impl Handler for Faulty {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        if self.faults.cuts_off() {
            connection.abort();
            return Answer::None;
        }
        let is_send = is_send(command.request_code());
        if let Some(refused) = is_send.then(|| self.refused(&command)).flatten() {
            return refused;
        }
        let (wait, lost) = (self.faults.wait(), is_send && self.faults.loses_reply());
        if wait.is_none() && !lost {
            return self.inner.handle(connection, command);
        }
        let (inner, connection) = (self.inner.clone(), connection.clone());
        Answer::Later(Box::pin(async move {
            if let Some(wait) = wait {
                wait.passed().await;
            }
            let answer = inner.handle(&connection, command);
            let answer = settle(&*inner, &connection, answer).await;
            if !lost {
                return answer;
            }
            connection.abort();
            None
        }))
    }

    fn commit(&self, connection: &Connection) -> Result<(), Refusal> {
        self.inner.commit(connection)
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        self.inner.closed(connection, reason);
    }
}

/// Returns true for a request that stores messages of a producer.
fn is_send(code: RequestCode) -> bool {
    let sends = [RequestCode::SEND_MESSAGE, RequestCode::SEND_MESSAGE_V2, RequestCode::SEND_BATCH_MESSAGE];
    sends.contains(&code)
}
