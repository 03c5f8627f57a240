//! The ways in which a handler answers.

use std::fmt;

use futures_util::future::BoxFuture;
use rocketmq_remoting::frame::MAX_BODY;
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::{Answered, Command, Payload, Request};

use super::Refusal;

/// The response of `R`, or a refusal: the answer of a handler that always answers at once.
pub(crate) type Response<R> = Result<<R as Request>::Response, Refusal>;

/// The answer of a handler whose response is `P`. A handler that always answers at once returns a
/// [`Response`] instead.
pub(crate) enum Reply<P> {
    /// At once.
    Now(Result<Answered<P>, Refusal>),
    /// Once the messages that the request put are handed to the kernel.
    Committed(Result<Answered<P>, Refusal>),
    /// When the future is done.
    Later(BoxFuture<'static, Result<Answered<P>, Refusal>>),
    /// When work is done that may wait for the disk. It returns `None` where the answer is [held](Self::Held).
    Blocking(Box<dyn FnOnce() -> Option<Result<Answered<P>, Refusal>> + Send>),
    /// With the answer of another client, which was asked the same.
    PassedOn(BoxFuture<'static, Result<Command, Refusal>>),
    /// Not by this handler: a [`ReplyTo`](super::ReplyTo) was kept, or the protocol knows no answer.
    Held,
}

impl<P> Reply<P> {
    /// An answer that follows later.
    pub(crate) fn later(answer: impl Future<Output = Result<Answered<P>, Refusal>> + Send + 'static) -> Self {
        Self::Later(Box::pin(answer))
    }

    /// An answer for which a file may have to be read or written.
    pub(crate) fn blocking(
        work: impl FnOnce() -> Option<Result<Answered<P>, Refusal>> + Send + 'static,
    ) -> Self {
        Self::Blocking(Box::new(work))
    }

    /// A refusal.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::Now(Err(refusal))
    }
}

impl<P: Payload> Reply<P> {
    /// The answer as the connection takes it.
    pub(crate) fn into_answer(self) -> Answer {
        match self {
            Self::Now(reply) => Answer::Now(written(reply)),
            Self::Committed(Ok(answered)) => Answer::Committed(written(Ok(answered))),
            Self::Committed(Err(refusal)) => Answer::Now(refusal.into_command()),
            Self::Later(reply) => Answer::Later(Box::pin(async move { Some(written(reply.await)) })),
            Self::Blocking(work) => Answer::Blocking(Box::new(move || work().map(written))),
            Self::PassedOn(command) => {
                Answer::Later(Box::pin(
                    async move { Some(command.await.unwrap_or_else(Refusal::into_command)) },
                ))
            }
            Self::Held => Answer::None,
        }
    }
}

fn written<P: Payload>(reply: Result<Answered<P>, Refusal>) -> Command {
    let command = reply.and_then(|answered| Ok(answered.into_command()?)).and_then(check_length);
    command.unwrap_or_else(Refusal::into_command)
}

/// Refuses an answer that is too long to be read. Messages have limits of their own, which their handlers keep.
fn check_length(answer: Command) -> Result<Command, Refusal> {
    let length = answer.body.len();
    let is_json = matches!(answer.body.first(), Some(b'{' | b'['));
    if length <= MAX_BODY || !is_json {
        return Ok(answer);
    }
    let remark = format!("the answer has {length} bytes, the limit is {MAX_BODY}; ask for a part of it");
    Err(Refusal::system(remark))
}

impl<P: fmt::Debug> fmt::Debug for Reply<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(reply) => f.debug_tuple("Now").field(reply).finish(),
            Self::Committed(reply) => f.debug_tuple("Committed").field(reply).finish(),
            Self::Later(_) => f.write_str("Later"),
            Self::Blocking(_) => f.write_str("Blocking"),
            Self::PassedOn(_) => f.write_str("PassedOn"),
            Self::Held => f.write_str("Held"),
        }
    }
}

/// The types that a handler may return for the response `P`: a [`Reply`], or a `Result` of the response or of an [`Answered`]
/// response.
pub(crate) trait IntoReply<P> {
    /// As a reply.
    fn into_reply(self) -> Reply<P>;
}

impl<P> IntoReply<P> for Reply<P> {
    fn into_reply(self) -> Reply<P> {
        self
    }
}

impl<P, A: Into<Answered<P>>> IntoReply<P> for Result<A, Refusal> {
    fn into_reply(self) -> Reply<P> {
        Reply::Now(self.map(Into::into))
    }
}
