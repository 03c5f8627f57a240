//! How handlers answer: with a command, or with a refusal that becomes one.

use std::fmt;

use rocketmq_remoting::Command;
use rocketmq_remoting::ExtFields;
use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::error::{DecodeError, EncodeError};
use rocketmq_remoting::fastjson;
use rocketmq_remoting::receipt::ReceiptError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a request is refused, in the code and words the client gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    code: ResponseCode,
    remark: String,
    ext: ExtFields,
}

/// The longest body that Java's clients take, with room for a header in its frame.
const LONGEST_BODY: usize = (16 << 20) - (64 << 10);
/// The longest remark, in bytes.
const LONGEST_REMARK: usize = 4096;

/// What a handler that answers at once returns.
pub type Reply = Result<Command, Refusal>;

impl Refusal {
    pub fn new(code: ResponseCode, remark: impl Into<String>) -> Self {
        Self { code, remark: remark.into(), ext: ExtFields::new() }
    }

    /// Code 1, Apache's answer to whatever went wrong inside.
    pub fn system(remark: impl fmt::Display) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, remark.to_string())
    }

    /// Code 29.
    pub fn invalid(remark: impl fmt::Display) -> Self {
        Self::new(ResponseCode::INVALID_PARAMETER, remark.to_string())
    }

    /// Code 17 with the words every request uses.
    pub fn no_topic(topic: &str) -> Self {
        let remark = format!("topic[{topic}] not exist, apply first please!");
        Self::new(ResponseCode::TOPIC_NOT_EXIST, remark)
    }

    /// Code 26.
    pub fn no_group(group: &str) -> Self {
        let remark = format!("subscription group [{group}] does not exist, create it first please!");
        Self::new(ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST, remark)
    }

    /// Code 16.
    pub fn forbidden(remark: impl Into<String>) -> Self {
        Self::new(ResponseCode::NO_PERMISSION, remark)
    }

    /// Code 3: nobody here answers such a request.
    pub fn unsupported(code: RequestCode) -> Self {
        // The leading blank is Apache's.
        let remark = format!(" request type {} not supported", code.0);
        Self::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark)
    }

    #[must_use]
    pub fn with_ext(mut self, name: &str, value: &str) -> Self {
        self.ext.push(name, value);
        self
    }

    /// Java clients read the numbers of an answer from refusals too.
    #[must_use]
    pub fn with_zeros(self, fields: &[&str]) -> Self {
        fields.iter().fold(self, |refusal, field| refusal.with_ext(field, "0"))
    }

    pub fn remark(&self) -> &str {
        &self.remark
    }

    pub fn code(&self) -> ResponseCode {
        self.code
    }

    /// Whether the message is refused for what it is, so that another try is of no use.
    pub fn is_final(&self) -> bool {
        self.code == ResponseCode::MESSAGE_ILLEGAL
    }

    pub fn into_command(self) -> Command {
        Command::response(self.code).with_remark(cut(self.remark)).with_ext(self.ext)
    }
}

/// Remarks are for people, and may repeat what a peer sent.
fn cut(mut remark: String) -> String {
    if remark.len() > LONGEST_REMARK {
        let end = (0..=LONGEST_REMARK).rev().find(|at| remark.is_char_boundary(*at));
        remark.truncate(end.unwrap_or(0));
        remark.push('…');
    }
    remark
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.remark)
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::system(error)
    }
}

impl From<ReceiptError> for Refusal {
    fn from(error: ReceiptError) -> Self {
        Self::system(format_args!("extraInfo {error}"))
    }
}

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        Self::system(error)
    }
}

/// Success with nothing to say.
pub fn ok() -> Command {
    Command::response(ResponseCode::SUCCESS)
}

/// Success with header fields.
pub fn ok_header<H: Serialize>(header: &H) -> Reply {
    Ok(ok().with_ext(ExtFields::from_header(header)?))
}

/// Success with a JSON body in the form Java reads.
pub fn ok_json<B: Serialize>(body: &B) -> Reply {
    let body = json(body)?;
    if body.len() > LONGEST_BODY {
        let remark =
            format!("the answer has {} bytes, the limit is {LONGEST_BODY}; ask for a part of it", body.len());
        return Err(Refusal::system(remark));
    }
    Ok(ok().with_body(body))
}

/// A body in the form Java reads.
pub fn json<B: Serialize>(body: &B) -> Result<Vec<u8>, Refusal> {
    fastjson::to_vec(body).map_err(Refusal::system)
}

/// The JSON body of a request; code 1 when there is none or it cannot be read.
pub fn body_of<B: DeserializeOwned>(command: &Command) -> Result<B, Refusal> {
    fastjson::from_slice(&command.body).map_err(Refusal::system)
}
