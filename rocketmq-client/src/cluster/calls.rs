//! Typed calls: an exchange goes in, its answer comes out.

use std::fmt::Display;
use std::time::Duration;

use rocketmq_remoting::{AnswerError, Answered, Command, DecodeError, Request, ResponseCode};

use super::Cluster;
use crate::error::{BrokerRefusal, CallError, CallErrorKind};

/// The server to ask, and what its refusal names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) address: &'a str,
    /// The broker's name, or its address where no name is known.
    pub(crate) broker: &'a str,
    /// Empty when the request is about no topic.
    pub(crate) topic: &'a str,
}

impl<'a> Target<'a> {
    /// Makes the target of a broker of which only the address is known.
    pub(crate) fn address(address: &'a str) -> Self {
        Self { address, broker: address, topic: "" }
    }
}

impl Cluster {
    /// Asks a server and reads its answer. A server that goes away meanwhile is called once more.
    ///
    /// # Errors
    /// The request cannot be written, there is no answer, or the answer is a refusal or cannot be read.
    pub(crate) async fn call<R: Request>(
        &self,
        target: Target<'_>,
        request: &R,
        body: R::Body,
        limit: Duration,
    ) -> Result<R::Response, CallError> {
        Ok(self.exchange(target, request, &body, limit).await?.payload)
    }

    /// Does the same as [`call`](Self::call), and also returns the code of the answer, for an exchange that has several.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub(crate) async fn exchange<R: Request>(
        &self,
        target: Target<'_>,
        request: &R,
        body: &R::Body,
        limit: Duration,
    ) -> Result<Answered<R::Response>, CallError> {
        let command = request.command(body).map_err(unwritable)?;
        read::<R>(self.call_raw(target.address, command, limit).await?, target)
    }

    /// Sends any command and returns the answer, whatever its code.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) async fn call_raw(
        &self,
        address: &str,
        command: Command,
        limit: Duration,
    ) -> Result<Command, CallError> {
        self.rpc.call(address, command, limit).await.map_err(|error| error.at(address))
    }
}

/// Reads an answer.
///
/// # Errors
/// It is a refusal or cannot be read.
pub(crate) fn read<R: Request>(
    answer: Command,
    target: Target<'_>,
) -> Result<Answered<R::Response>, CallError> {
    R::answer(answer).map_err(|error| match error {
        AnswerError::Refused { code, remark } => CallError::refused_by(BrokerRefusal {
            code,
            remark,
            broker: target.broker.to_owned(),
            topic: target.topic.to_owned(),
        }),
        error => CallError::new(CallErrorKind::Malformed, error.to_string()).with_source(error),
    })
}

/// Tells whether the broker refused with this code.
pub(crate) fn is_refusal(error: &CallError, code: ResponseCode) -> bool {
    error.refusal().is_some_and(|refusal| refusal.code == code)
}

/// Makes the error of an answer that cannot be read.
pub(crate) fn malformed(error: DecodeError) -> CallError {
    CallError::new(CallErrorKind::Malformed, error.to_string()).with_source(error)
}

/// Makes the error of a request that cannot be written.
pub(crate) fn unwritable(error: impl Display) -> CallError {
    CallError::new(CallErrorKind::InvalidRequest, error.to_string())
}
