//! The payloads of messages.

use crate::extract::{Raw, Text, is_text};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

/// A payload: a text such as `&str` or `String` is sent as it is, and every other type with `Serialize` as JSON. [`Text`] and
/// [`Raw`] are sent as they are.
///
/// Listeners read a text with [`Text`] or `Json<String>`, and those in Java as a `String`.
///
/// ```no_run
/// use rocketmq_starter::{Raw, RocketmqTemplate, SendError, Text};
///
/// # async fn run(template: &RocketmqTemplate) -> Result<(), SendError> {
/// template.send("orders", [1, 2]).await?; // [1,2], as JSON
/// template.send("orders", "seven").await?; // seven, 5 bytes
/// template.send("orders", Text("seven".into())).await?; // the same
/// template.send("orders", Raw("seven".into())).await?; // the same
/// # Ok(())
/// # }
/// ```
pub trait Payload {
    /// Returns the bytes to send.
    ///
    /// # Errors
    /// Fails for a value without a JSON form, such as a map whose keys are no text.
    fn into_body(self) -> Result<Bytes, serde_json::Error>;
}

impl<T: Serialize> Payload for T {
    fn into_body(self) -> Result<Bytes, serde_json::Error> {
        if is_text::<T>()
            && let Value::String(text) = serde_json::to_value(&self)?
        {
            return Ok(text.into());
        }
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[derive(Serialize)]
    enum State {
        Paid,
    }

    #[derive(Serialize)]
    struct Name(&'static str);

    fn body(payload: impl Payload) -> Bytes {
        payload.into_body().unwrap()
    }

    #[test]
    fn a_text_is_sent_as_it_is() {
        let owned = "say \"x\"\n".to_owned();
        let twice: &&str = &&*owned;
        let bodies = [body(owned.as_str()), body(&owned), body(twice), body(Cow::Borrowed(&*owned))];
        assert!(bodies.iter().all(|body| *body == owned.as_bytes()), "{bodies:?}");
        let bodies = [body(Box::<str>::from(&*owned)), body(Text(owned.clone())), body(owned.clone())];
        assert!(bodies.iter().all(|body| *body == owned.as_bytes()), "{bodies:?}");
        assert_eq!(body(""), "");
    }

    #[test]
    fn everything_else_is_sent_as_json_as_in_spring() {
        assert_eq!(body(State::Paid), r#""Paid""#);
        assert_eq!(body(Name("x")), r#""x""#);
        assert_eq!(body('x'), r#""x""#);
        assert_eq!(body(["x"]), r#"["x"]"#);
        assert_eq!(body(Some("x")), r#""x""#);
        assert_eq!(body(7), "7");
    }
}
