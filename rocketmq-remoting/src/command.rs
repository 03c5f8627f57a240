//! One request or response, whatever header form it travels in.

use std::fmt;

use bytes::Bytes;

use crate::code::{LanguageCode, RequestCode, ResponseCode};
use crate::ext::ExtFields;
use crate::header::HeaderCodec;
use crate::version;

/// Bit 0 of the flag: this answers a request of the same opaque.
const FLAG_RESPONSE: i32 = 1;
/// Bit 1 of the flag: nobody waits for an answer.
const FLAG_ONEWAY: i32 = 1 << 1;

/// A request or a response.
///
/// The two share one shape on the wire; the flag alone tells them apart, and `code` is a [`RequestCode`] in one and a
/// [`ResponseCode`] in the other.
#[derive(Clone, PartialEq)]
pub struct Command {
    /// Request or response code, by the direction of the flag.
    pub code: i32,
    /// Language of the sender.
    pub language: LanguageCode,
    /// Version ordinal of the sender, see [`version`].
    pub version: i32,
    /// Chosen by the requester, echoed by the answer. A connection assigns it.
    pub opaque: i32,
    /// Bit 0: response; bit 1: one-way.
    pub flag: i32,
    /// Text for people, mostly on failures.
    pub remark: Option<String>,
    /// The custom header.
    pub ext: ExtFields,
    /// What follows the header; empty when there is nothing. A decoded body shares the memory of its read buffer.
    pub body: Bytes,
    /// How the header came, or is to be written.
    pub codec: HeaderCodec,
}

impl Command {
    /// A request without header fields and body.
    pub fn request(code: RequestCode) -> Self {
        Self::new(code.0, 0)
    }

    /// A response that is not tied to its request yet; the connection fills in the opaque.
    pub fn response(code: ResponseCode) -> Self {
        Self::new(code.0, FLAG_RESPONSE)
    }

    /// The response to `request`: same opaque, same header form.
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

    /// Marks the request as one that is not answered.
    #[must_use]
    pub fn oneway(mut self) -> Self {
        self.flag |= FLAG_ONEWAY;
        self
    }

    /// Whether this answers a request. The only thing that tells the directions apart.
    pub fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// Whether nobody waits for an answer.
    pub fn is_oneway(&self) -> bool {
        self.flag & FLAG_ONEWAY != 0
    }

    /// The code of a request.
    pub fn request_code(&self) -> RequestCode {
        RequestCode(self.code)
    }

    /// The code of a response.
    pub fn response_code(&self) -> ResponseCode {
        ResponseCode(self.code)
    }

    /// Makes this the answer to a request of `opaque` that came with a header in `codec`.
    pub fn answer(mut self, opaque: i32, codec: HeaderCodec) -> Self {
        self.flag |= FLAG_RESPONSE;
        self.opaque = opaque;
        self.codec = codec;
        self
    }
}

/// Bodies are shown by their length: they are often large, and never text one can count on.
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
    fn flags_are_those_of_the_wire() {
        assert_eq!(Command::request(RequestCode::HEART_BEAT).flag, 0);
        assert_eq!(Command::request(RequestCode::HEART_BEAT).oneway().flag, 2);
        assert_eq!(Command::response(ResponseCode::SUCCESS).flag, 1);
    }
}
