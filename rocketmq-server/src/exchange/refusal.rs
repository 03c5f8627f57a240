//! Refusals: the answer to a request that is not served.

use std::fmt;

use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::error::{DecodeError, EncodeError};
use rocketmq_remoting::receipt::ReceiptError;
use rocketmq_remoting::{Command, ExtFields, Header};

/// A refusal: its code, its words, and sometimes fields that clients read all the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    code: ResponseCode,
    remark: String,
    ext: ExtFields,
}

/// The longest remark, in bytes.
const LONGEST_REMARK: usize = 4096;

impl Refusal {
    pub(crate) fn new(code: ResponseCode, remark: impl Into<String>) -> Self {
        Self { code, remark: remark.into(), ext: ExtFields::new() }
    }

    /// Code 1, Apache's answer to whatever went wrong inside.
    pub(crate) fn system(remark: impl fmt::Display) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, remark.to_string())
    }

    /// Code 29.
    pub(crate) fn invalid(remark: impl fmt::Display) -> Self {
        Self::new(ResponseCode::INVALID_PARAMETER, remark.to_string())
    }

    /// Code 17 with the words every request uses.
    pub(crate) fn no_topic(topic: &str) -> Self {
        let remark = format!("topic[{topic}] not exist, apply first please!");
        Self::new(ResponseCode::TOPIC_NOT_EXIST, remark)
    }

    /// Code 26.
    pub(crate) fn no_group(group: &str) -> Self {
        let remark = format!("subscription group [{group}] does not exist, create it first please!");
        Self::new(ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST, remark)
    }

    /// Code 16.
    pub(crate) fn forbidden(remark: impl Into<String>) -> Self {
        Self::new(ResponseCode::NO_PERMISSION, remark)
    }

    /// Code 3: nobody here answers such a request.
    pub(crate) fn unsupported(code: RequestCode) -> Self {
        // The leading blank is Apache's.
        let remark = format!(" request type {} not supported", code.0);
        Self::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark)
    }

    /// Adds a header that clients read from refusals too.
    #[must_use]
    pub(crate) fn with_header(mut self, header: &impl Header) -> Self {
        match header.to_fields() {
            Ok(fields) => self.ext = fields,
            Err(error) => tracing::error!(%error, "a refusal goes without its header"),
        }
        self
    }

    /// The words.
    pub(crate) fn remark(&self) -> &str {
        &self.remark
    }

    /// The code.
    pub(crate) fn code(&self) -> ResponseCode {
        self.code
    }

    /// Returns true if the message itself is the reason, so that another try is of no use.
    pub(crate) fn is_final(&self) -> bool {
        self.code == ResponseCode::MESSAGE_ILLEGAL
    }

    /// The refusal as it is sent.
    pub(crate) fn into_command(self) -> Command {
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
