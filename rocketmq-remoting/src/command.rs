//! One request or response, in either form of its header.

use std::fmt;

use bytes::Bytes;

use crate::code::{LanguageCode, RequestCode, ResponseCode};
use crate::ext::ExtFields;
use crate::header::HeaderCodec;
use crate::version;

/// Bit 0 of the flag marks a response.
const FLAG_RESPONSE: i32 = 1;
/// Bit 1 of the flag marks a request without a response.
const FLAG_ONEWAY: i32 = 1 << 1;

/// A request or a response: the decoded content of one frame.
///
/// Both have the same shape on the wire, and bit 0 of the flag alone tells them apart. `code` is a [`RequestCode`] in a
/// request and a [`ResponseCode`] in a response.
///
/// ```
/// use rocketmq_remoting::{Command, RequestCode, ResponseCode};
///
/// let mut request = Command::request(RequestCode::GET_MAX_OFFSET);
/// request.ext.push("topic", "orders");
/// request.ext.push_int("queueId", 0);
/// request.opaque = 7; // a connection assigns it
///
/// let mut response = Command::response_to(&request, ResponseCode::SUCCESS);
/// response.ext.push_int("offset", 42);
/// assert!(response.is_response());
/// assert_eq!(response.opaque, 7);
/// ```
#[derive(Clone, PartialEq)]
pub struct Command {
    /// The request code or, in a response, the response code.
    pub code: i32,
    /// Language of the sender.
    pub language: LanguageCode,
    /// Version ordinal of the sender, see [`version`]. New commands carry [`version::CURRENT`].
    pub version: i32,
    /// Number that pairs a response with its request: the connection of the requester assigns it, the response repeats
    /// it.
    pub opaque: i32,
    /// Bit 0 marks a response, bit 1 a one-way request.
    pub flag: i32,
    /// Text for people. Most failures have one.
    pub remark: Option<String>,
    /// The fields of the custom header.
    pub ext: ExtFields,
    /// The bytes after the header, often none. A decoded body shares the memory of its read buffer.
    pub body: Bytes,
    /// The form of the header, as received or to be written.
    pub codec: HeaderCodec,
}

impl Command {
    /// Makes a request without header fields and body, with the default JSON header.
    pub fn request(code: RequestCode) -> Self {
        Self::new(code.0, 0)
    }

    /// Makes a response that does not belong to a request yet; the connection sets the opaque.
    pub fn response(code: ResponseCode) -> Self {
        Self::new(code.0, FLAG_RESPONSE)
    }

    /// Makes the response to `request`, with its opaque and its form of header.
    pub fn response_to(request: &Command, code: ResponseCode) -> Self {
        Self { opaque: request.opaque, codec: request.codec, ..Self::response(code) }
    }

    fn new(code: i32, flag: i32) -> Self {
        Self {
            code,
            language: LanguageCode::RUST,
            version: version::CURRENT,
            opaque: 0,
            flag,
            remark: None,
            ext: ExtFields::new(),
            body: Bytes::new(),
            codec: HeaderCodec::Json,
        }
    }

    /// Sets the remark.
    #[must_use]
    pub fn with_remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }

    /// Sets the header fields.
    #[must_use]
    pub fn with_ext(mut self, ext: ExtFields) -> Self {
        self.ext = ext;
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Marks the request as one-way: the receiver sends no response.
    #[must_use]
    pub fn oneway(mut self) -> Self {
        self.flag |= FLAG_ONEWAY;
        self
    }

    /// Returns true for a response, false for a request.
    pub fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// Returns true if the sender expects no response.
    pub fn is_oneway(&self) -> bool {
        self.flag & FLAG_ONEWAY != 0
    }

    /// Returns the code of a request.
    pub fn request_code(&self) -> RequestCode {
        RequestCode(self.code)
    }

    /// Returns the code of a response.
    pub fn response_code(&self) -> ResponseCode {
        ResponseCode(self.code)
    }

    /// Makes this the response to a request with this `opaque` and header form.
    pub fn answer(mut self, opaque: i32, codec: HeaderCodec) -> Self {
        self.flag |= FLAG_RESPONSE;
        self.opaque = opaque;
        self.codec = codec;
        self
    }
}

/// Shows a body by its length: bodies are often large, and need not be text.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Command");
        match self.is_response() {
            true => out.field("response", &self.response_code()),
            false => out.field("request", &self.request_code()),
        };
        out.field("opaque", &self.opaque)
            .field("flag", &self.flag)
            .field("language", &self.language)
            .field("version", &self.version)
            .field("remark", &self.remark)
            .field("ext", &self.ext)
            .field("body_len", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_carries_opaque_and_codec_of_its_request() {
        let mut request = Command::request(RequestCode::HEART_BEAT);
        request.opaque = 7;
        request.codec = HeaderCodec::Binary;
        let response = Command::response_to(&request, ResponseCode::SUCCESS);
        assert!(response.is_response() && !response.is_oneway());
        assert_eq!((response.opaque, response.codec), (7, HeaderCodec::Binary));
    }

    #[test]
    fn flags_have_the_bits_of_the_wire() {
        assert_eq!(Command::request(RequestCode::HEART_BEAT).flag, 0);
        assert_eq!(Command::request(RequestCode::HEART_BEAT).oneway().flag, 2);
        assert_eq!(Command::response(ResponseCode::SUCCESS).flag, 1);
    }
}
