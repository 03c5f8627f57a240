//! Typed calls: an exchange goes in, its answer comes out.

use std::time::Duration;

use rocketmq_remoting::{AnswerError, Answered, EncodeError, Request};

use super::rpc::Rpc;
use crate::error::{BrokerRefusal, CallError, CallErrorKind};

/// The broker to ask, and what its refusal names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) address: &'a str,
    /// The broker's name, or its address where no name is known.
    pub(crate) broker: &'a str,
    /// Empty when the request is about no topic.
    pub(crate) topic: &'a str,
}

impl<'a> Target<'a> {
    /// A broker of which only the address is known.
    pub(crate) fn address(address: &'a str) -> Self {
        Self { address, broker: address, topic: "" }
    }
}

impl Rpc {
    /// Calls and reads the answer. A server that goes away meanwhile is called once more, see [`Rpc::call`].
    ///
    /// # Errors
    /// The request cannot be written, there is no answer, or the answer is a refusal or cannot be read.
    pub(crate) async fn exchange<R: Request>(
        &self,
        target: Target<'_>,
        request: &R,
        body: &R::Body,
        budget: Duration,
    ) -> Result<Answered<R::Response>, CallError> {
        let command = request.command(body).map_err(unwritable)?;
        let answer = self.call(target.address, command, budget).await;
        let answer = answer.map_err(|error| error.at(target.address))?;
        R::answer(answer).map_err(|error| unanswered(error, target))
    }
}

fn unwritable(error: EncodeError) -> CallError {
    CallError::new(CallErrorKind::InvalidRequest, error.to_string()).with_source(error)
}

fn unanswered(error: AnswerError, target: Target<'_>) -> CallError {
    match error {
        AnswerError::Refused { code, remark } => CallError::refused_by(BrokerRefusal {
            code,
            remark,
            broker: target.broker.to_owned(),
            topic: target.topic.to_owned(),
        }),
        error => CallError::new(CallErrorKind::Malformed, error.to_string()).with_source(error),
    }
}
