//! Headers and bodies: the two parts of a request, and of its answer.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::TargetOffsets;
use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;
use crate::fastjson;

/// The header of a request or of a response. Its serde names are the names of the fields on the wire.
///
/// Serde does the conversions by default; the frequent headers (send, pull) replace them.
pub trait Header: Serialize + DeserializeOwned + Send + 'static {
    /// Writes the header as fields.
    ///
    /// # Errors
    /// Fails for a header with a nested value, whatever its content.
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        ExtFields::from_header(self)
    }

    /// Reads the header from fields. Ignores unknown fields.
    ///
    /// # Errors
    /// Fails if a required field is missing, or if a field does not parse as its type.
    fn from_fields(fields: &ExtFields) -> Result<Self, DecodeError> {
        fields.header()
    }
}

/// A header without fields.
impl Header for () {}

/// The bytes after a header, in a form that the type knows.
pub trait Body: Sized + Send + 'static {
    /// Writes the body.
    ///
    /// # Errors
    /// Fails if the value has no form on the wire.
    fn to_bytes(&self) -> Result<Bytes, EncodeError>;

    /// Reads the body.
    ///
    /// # Errors
    /// Fails if the bytes do not have this form.
    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError>;
}

/// No body. Bytes of a peer are ignored, as in Java.
impl Body for () {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        Ok(Bytes::new())
    }

    fn from_bytes(_: Bytes) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// Bytes that this crate does not interpret, such as messages.
impl Body for Bytes {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        Ok(self.clone())
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        Ok(bytes)
    }
}

/// Text, such as a configuration.
impl Body for String {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        Ok(Bytes::copy_from_slice(self.as_bytes()))
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(&bytes);
        text.map(str::to_owned).map_err(|error| DecodeError::new("the body", format!("UTF-8 text, {error}")))
    }
}

/// A body that may be absent: no bytes read as `None`.
impl<B: Body> Body for Option<B> {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        self.as_ref().map_or_else(|| Ok(Bytes::new()), Body::to_bytes)
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.is_empty() { Ok(None) } else { B::from_bytes(bytes).map(Some) }
    }
}

/// A body in Java's JSON, see [`fastjson`].
///
/// ```
/// use rocketmq_remoting::body::TopicList;
/// use rocketmq_remoting::{Body, Json};
///
/// let list = TopicList { topic_list: vec!["orders".into()], broker_addr: None };
/// let bytes = Json(list.clone()).to_bytes()?;
/// let Json(read): Json<TopicList> = Json::from_bytes(bytes)?;
/// assert_eq!(read, list);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + DeserializeOwned + Send + 'static> Body for Json<T> {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        fastjson::to_vec(&self.0).map(Bytes::from)
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        fastjson::from_slice(&bytes).map(Self)
    }
}

/// The content of a successful response: a header, a body, both as `(header, body)`, or nothing as `()`.
pub trait Payload: Sized + Send + 'static {
    /// Writes header and body.
    ///
    /// # Errors
    /// Fails if one of them cannot be written.
    fn to_parts(&self) -> Result<(ExtFields, Bytes), EncodeError>;

    /// Reads header and body.
    ///
    /// # Errors
    /// Fails if one of them cannot be read.
    fn from_parts(fields: &ExtFields, body: Bytes) -> Result<Self, DecodeError>;
}

impl<H: Header> Payload for H {
    fn to_parts(&self) -> Result<(ExtFields, Bytes), EncodeError> {
        Ok((self.to_fields()?, Bytes::new()))
    }

    fn from_parts(fields: &ExtFields, _: Bytes) -> Result<Self, DecodeError> {
        Self::from_fields(fields)
    }
}

impl<H: Header, B: Body> Payload for (H, B) {
    fn to_parts(&self) -> Result<(ExtFields, Bytes), EncodeError> {
        Ok((self.0.to_fields()?, self.1.to_bytes()?))
    }

    fn from_parts(fields: &ExtFields, body: Bytes) -> Result<Self, DecodeError> {
        Ok((H::from_fields(fields)?, B::from_bytes(body)?))
    }
}

/// Declares that a body alone is a payload, with a header without fields.
macro_rules! bodies {
    ($(($($of:ident)?) $body:ty;)*) => {
        $(impl$(<$of: Serialize + DeserializeOwned + Send + 'static>)? Payload for $body {
            fn to_parts(&self) -> Result<(ExtFields, Bytes), EncodeError> {
                Ok((ExtFields::new(), self.to_bytes()?))
            }

            fn from_parts(_: &ExtFields, body: Bytes) -> Result<Self, DecodeError> {
                Self::from_bytes(body)
            }
        })*
    };
}

bodies! {
    () Bytes;
    () String;
    () TargetOffsets;
    (T) Json<T>;
    (T) Option<Json<T>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::offset::OffsetResponse;

    #[test]
    fn a_payload_has_a_header_a_body_both_or_nothing() {
        let header = OffsetResponse { offset: 7 };
        let (fields, body) = header.to_parts().unwrap();
        assert_eq!((fields.get("offset"), body.len()), (Some("7"), 0));
        assert_eq!(OffsetResponse::from_parts(&fields, body).unwrap(), header);

        let both = (header, Bytes::from_static(b"records"));
        let (fields, body) = both.to_parts().unwrap();
        assert_eq!(<(OffsetResponse, Bytes)>::from_parts(&fields, body).unwrap(), both);

        let (fields, body) = Json(vec![1, 2]).to_parts().unwrap();
        assert_eq!((fields.len(), &body[..]), (0, &b"[1,2]"[..]));
        assert_eq!(().to_parts().unwrap(), (ExtFields::new(), Bytes::new()));
    }

    #[test]
    fn no_bytes_read_as_none_only_where_a_body_may_be_absent() {
        assert_eq!(Option::<Json<Vec<i32>>>::from_bytes(Bytes::new()).unwrap(), None);
        assert_eq!(None::<Json<Vec<i32>>>.to_bytes().unwrap(), Bytes::new());
        assert_eq!(Option::from_bytes(Bytes::from_static(b"[1]")).unwrap(), Some(Json(vec![1])));
        assert!(Json::<Vec<i32>>::from_bytes(Bytes::new()).is_err());
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let error = String::from_bytes(Bytes::from_static(b"\xff")).unwrap_err().to_string();
        assert!(error.starts_with("cannot decode the body: expected UTF-8 text"), "{error}");
    }
}
