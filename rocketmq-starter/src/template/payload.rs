//! What can be sent.

use crate::extract::{Raw, Text};
use bytes::Bytes;
use serde::Serialize;

/// A body: anything that can be serialised, as JSON; [`Text`] and [`Raw`] as they are.
///
/// A `&str` is sent as a JSON string, quotes included: that is what `Json<String>` reads. Listeners written in
/// Java usually expect [`Text`].
pub trait Payload {
    /// The bytes to send.
    ///
    /// # Errors
    /// When the value has no JSON form, such as a map whose keys are no text.
    fn into_body(self) -> Result<Bytes, serde_json::Error>;
}

impl<T: Serialize> Payload for T {
    fn into_body(self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(&self).map(Bytes::from)
    }
}

impl Payload for Text {
    fn into_body(self) -> Result<Bytes, serde_json::Error> {
        Ok(self.0.into())
    }
}

impl Payload for Raw {
    fn into_body(self) -> Result<Bytes, serde_json::Error> {
        Ok(self.0)
    }
}
