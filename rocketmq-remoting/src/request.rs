//! Exchanges: a request with its response.

use crate::code::{RequestCode, ResponseCode};
use crate::command::Command;
use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;
use crate::payload::{Body, Header, Payload};

/// One exchange. The implementing type is the header of the request; the trait adds its code, its body and its
/// response.
///
/// A client writes a [`command`](Self::command) and reads the [`answer`](Self::answer). A server [`read`](Self::read)s
/// the request and writes an [`Answered`]. The types of two exchanges cannot be mixed up.
///
/// ```
/// use rocketmq_remoting::requests::offset::{GetMaxOffsetRequest, OffsetResponse};
/// use rocketmq_remoting::{Answered, Request};
///
/// let asked = GetMaxOffsetRequest { topic: "orders".into(), queue_id: 0, committed: None };
/// let command = asked.command(&())?;
/// assert_eq!(GetMaxOffsetRequest::read(&command)?, (asked, ()));
///
/// let command = Answered::from(OffsetResponse { offset: 7 }).into_command()?;
/// let answered = GetMaxOffsetRequest::answer(command)?;
/// assert_eq!(answered.payload.offset, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The response of another exchange does not compile:
///
/// ```compile_fail,E0308
/// use rocketmq_remoting::Request;
/// use rocketmq_remoting::requests::offset::{GetMaxOffsetRequest, TimestampResponse};
///
/// fn respond() -> <GetMaxOffsetRequest as Request>::Response {
///     TimestampResponse { timestamp: 7 }
/// }
/// ```
pub trait Request: Header {
    /// Code of the request.
    const CODE: RequestCode;

    /// Body of the request.
    type Body: Body;

    /// Content of the response.
    type Response: Payload;

    /// Codes of responses with a [`Response`](Self::Response). Every other code is a refusal.
    const ANSWERS: &'static [ResponseCode] = &[ResponseCode::SUCCESS];

    /// Writes the request.
    ///
    /// # Errors
    /// Fails if header or body cannot be written.
    fn command(&self, body: &Self::Body) -> Result<Command, EncodeError> {
        Ok(Command::request(Self::CODE).with_ext(self.to_fields()?).with_body(body.to_bytes()?))
    }

    /// Reads header and body of a request.
    ///
    /// # Errors
    /// Fails if a required field is missing, if a field does not parse as its type, or if the body does not have its
    /// form.
    fn read(command: &Command) -> Result<(Self, Self::Body), DecodeError> {
        Ok((Self::from_fields(&command.ext)?, Self::Body::from_bytes(command.body.clone())?))
    }

    /// Reads the response.
    ///
    /// # Errors
    /// Fails if the peer refuses, or if its response cannot be read.
    fn answer(answer: Command) -> Result<Answered<Self::Response>, AnswerError> {
        let code = answer.response_code();
        if !Self::ANSWERS.contains(&code) {
            return Err(AnswerError::Refused { code, remark: answer.remark.unwrap_or_default() });
        }
        let payload = Self::Response::from_parts(&answer.ext, answer.body)?;
        Ok(Answered { code, remark: answer.remark, payload })
    }

    /// Reads the header alone.
    ///
    /// # Errors
    /// Fails like [`Header::from_fields`].
    fn from_ext(ext: &ExtFields) -> Result<Self, DecodeError> {
        Self::from_fields(ext)
    }

    /// Writes the request without its body.
    ///
    /// # Errors
    /// Fails like [`Header::to_fields`].
    fn to_command(&self) -> Result<Command, EncodeError> {
        Ok(Command::request(Self::CODE).with_ext(self.to_fields()?))
    }
}

/// A response that is no refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<P> {
    /// The code, one of [`Request::ANSWERS`].
    pub code: ResponseCode,
    /// Text for people.
    pub remark: Option<String>,
    /// The header and the body.
    pub payload: P,
}

impl<P> Answered<P> {
    /// Makes a response with another code than SUCCESS.
    pub fn with_code(code: ResponseCode, payload: P) -> Self {
        Self { code, remark: None, payload }
    }

    /// Sets the remark.
    #[must_use]
    pub fn with_remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }
}

impl<P: Payload> Answered<P> {
    /// Writes the response. The connection adds the opaque.
    ///
    /// # Errors
    /// Fails if header or body cannot be written.
    pub fn into_command(self) -> Result<Command, EncodeError> {
        let (ext, body) = self.payload.to_parts()?;
        Ok(Command { remark: self.remark, ..Command::response(self.code).with_ext(ext).with_body(body) })
    }
}

impl<P> From<P> for Answered<P> {
    fn from(payload: P) -> Self {
        Self::with_code(ResponseCode::SUCCESS, payload)
    }
}

/// Tells why there is no response to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The peer refused the request.
    #[error("refused with {code}: {remark}")]
    Refused {
        /// The reason, as a code.
        code: ResponseCode,
        /// The reason, for people; empty if the peer gave none.
        remark: String,
    },
    /// The response lacks a field, or a part of it does not have its form.
    #[error("unreadable answer: {0}")]
    Malformed(#[from] DecodeError),
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::body::{LockBatchBody, LockBatchResult};
    use crate::payload::Json;
    use crate::requests::lock::LockBatchRequest;
    use crate::requests::offset::GetMinOffsetRequest;
    use crate::requests::pull::{PullMessageRequest, PullMessageResponse};

    #[test]
    fn bodies_travel_with_their_headers() {
        let body = Json(LockBatchBody { consumer_group: "g".into(), ..LockBatchBody::default() });
        let command = LockBatchRequest {}.command(&body).unwrap();
        assert_eq!(command.request_code(), RequestCode::LOCK_BATCH_MQ);
        assert_eq!(LockBatchRequest::read(&command).unwrap(), (LockBatchRequest {}, body));
        let answer = Answered::from(Json(LockBatchResult::default())).into_command().unwrap();
        assert_eq!(LockBatchRequest::answer(answer).unwrap().payload, Json(LockBatchResult::default()));
    }

    #[test]
    fn a_code_outside_the_answers_is_a_refusal() {
        let refused = Command::response(ResponseCode::TOPIC_NOT_EXIST).with_remark("no topic");
        let error = GetMinOffsetRequest::answer(refused).unwrap_err();
        let (code, remark) = (ResponseCode::TOPIC_NOT_EXIST, "no topic".to_owned());
        assert_eq!(error, AnswerError::Refused { code, remark });
        let empty = Command::response(ResponseCode::SUCCESS);
        let error = GetMinOffsetRequest::answer(empty).unwrap_err();
        assert_eq!(error, AnswerError::Malformed(DecodeError::MissingField("offset")));
    }

    #[test]
    fn an_exchange_may_have_several_codes() {
        let payload = (PullMessageResponse { next_begin_offset: 5, ..Default::default() }, Bytes::new());
        let moved = Answered::with_code(ResponseCode::PULL_OFFSET_MOVED, payload).with_remark("RESET");
        let read = PullMessageRequest::answer(moved.clone().into_command().unwrap());
        assert_eq!(read.unwrap(), moved);
    }
}
