//! What ties the types of one exchange together.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::code::RequestCode;
use crate::command::Command;
use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;

/// The header of a request, with its code and the header its successful answer carries.
///
/// The four conversions default to serde over the flat header fields. Hot headers (send, pull) override them by hand.
/// An answer without header fields has `Response = ()`.
pub trait Request: Serialize + DeserializeOwned {
    /// The code this header travels with.
    const CODE: RequestCode;

    /// Header of the successful answer.
    type Response: Serialize + DeserializeOwned;

    /// This header as fields.
    ///
    /// # Errors
    /// Only a header type with nested values fails, and it does so always.
    fn to_ext(&self) -> Result<ExtFields, EncodeError> {
        ExtFields::from_header(self)
    }

    /// This header out of fields; unknown fields are ignored.
    ///
    /// # Errors
    /// A required field is missing, or a field does not parse as its type.
    fn from_ext(ext: &ExtFields) -> Result<Self, DecodeError> {
        ext.header()
    }

    /// The answer's header as fields.
    ///
    /// # Errors
    /// As [`to_ext`](Self::to_ext).
    fn response_to_ext(response: &Self::Response) -> Result<ExtFields, EncodeError> {
        ExtFields::from_header(response)
    }

    /// The answer's header out of fields.
    ///
    /// # Errors
    /// As [`from_ext`](Self::from_ext).
    fn response_from_ext(ext: &ExtFields) -> Result<Self::Response, DecodeError> {
        ext.header()
    }

    /// A command with this code and header, and no body.
    ///
    /// # Errors
    /// As [`to_ext`](Self::to_ext).
    fn to_command(&self) -> Result<Command, EncodeError> {
        Ok(Command::request(Self::CODE).with_ext(self.to_ext()?))
    }
}
