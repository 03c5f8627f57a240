//! Headers of all requests and responses, one family in each file. They are plain structs, and serde gives them Java's
//! names.
//!
//! A field without `default` is required: Java fails without it too, but later and less clearly. A field that Java
//! fills in or never reads is optional.
//!
//! Each request type is a [`Request`](crate::Request): it names its code, its body and its response.
//!
//! ```
//! use rocketmq_remoting::Request;
//! use rocketmq_remoting::requests::offset::SearchOffsetRequest;
//!
//! let asked = SearchOffsetRequest {
//!     topic: "orders".into(),
//!     queue_id: 0,
//!     timestamp: 1_700_000_000_000,
//!     boundary_type: None,
//! };
//! let command = asked.command(&())?;
//! assert_eq!(command.request_code(), SearchOffsetRequest::CODE);
//! assert_eq!(command.ext.get("timestamp"), Some("1700000000000"));
//! # Ok::<(), rocketmq_remoting::EncodeError>(())
//! ```

pub mod admin;
pub mod broker;
pub mod group;
pub mod heartbeat;
pub mod lock;
pub mod offset;
pub mod pop;
pub mod pull;
pub mod query;
pub mod reply;
pub mod route;
pub mod routing;
pub mod send;
pub mod topic;
pub mod transaction;

use std::str::FromStr;

use crate::error::DecodeError;

/// Parses a number of a frequent header. Java refuses such a request too if a number does not parse; in other headers
/// it does not.
fn parse_field<N: FromStr>(name: &str, value: &str) -> Result<N, DecodeError> {
    value.parse().map_err(|_| DecodeError::bad_field(name, value, std::any::type_name::<N>()))
}

/// Declares exchanges: `Header = CODE [, body] => response [, codes of the response]`. The header has serde's
/// conversions.
macro_rules! exchanges {
    ($($request:ty = $code:ident $(, $body:ty)? => $response:ty $(, $($answer:ident)|+)?;)*) => {
        $(
            impl $crate::payload::Header for $request {}
            $crate::requests::exchange!($request = $code $(, $body)? => $response $(, $($answer)|+)?);
        )*
    };
}
use exchanges;

/// Declares one exchange whose header has conversions of its own.
macro_rules! exchange {
    ($request:ty = $code:ident => $response:ty $(, $($answer:ident)|+)?) => {
        $crate::requests::exchange!($request = $code, () => $response $(, $($answer)|+)?);
    };
    ($request:ty = $code:ident, $body:ty => $response:ty $(, $($answer:ident)|+)?) => {
        impl $crate::request::Request for $request {
            const CODE: $crate::code::RequestCode = $crate::code::RequestCode::$code;
            type Body = $body;
            type Response = $response;
            $(const ANSWERS: &'static [$crate::code::ResponseCode] = &[$($crate::code::ResponseCode::$answer),+];)?
        }
    };
}
use exchange;

/// Declares headers of responses, with serde's conversions.
macro_rules! headers {
    ($($header:ty),* $(,)?) => {
        $(impl $crate::payload::Header for $header {})*
    };
}
use headers;

#[cfg(test)]
mod tests {
    use crate::error::DecodeError;
    use crate::ext::ExtFields;
    use crate::payload::Header;

    use super::heartbeat::{HeartbeatResponse, UnregisterClientRequest};
    use super::lock::LockBatchRequest;
    use super::offset::{QueryConsumerOffsetRequest, UpdateConsumerOffsetRequest};
    use super::query::QueryMessageRequest;
    use super::reply::PushReplyMessageRequest;
    use super::route::{GetRouteInfoRequest, RegisterBrokerRequest};
    use super::transaction::EndTransactionRequest;

    fn ext(fields: &[(&str, &str)]) -> ExtFields {
        let mut ext = ExtFields::new();
        for (name, value) in fields {
            ext.push(name, value);
        }
        ext
    }

    /// Reads the fields, writes them again and compares, whatever the order.
    fn same<R: Header>(fields: &[(&str, &str)]) -> R {
        let request = R::from_fields(&ext(fields)).unwrap();
        let written = request.to_fields().unwrap();
        let mut written: Vec<_> = written.iter().collect();
        let mut expected = fields.to_vec();
        written.sort_unstable();
        expected.sort_unstable();
        assert_eq!(written, expected);
        request
    }

    #[test]
    fn captured_headers_read_and_write_unchanged() {
        same::<EndTransactionRequest>(&[
            ("producerGroup", "PGT"),
            ("commitLogOffset", "3202"),
            ("topic", "TT"),
            ("msgId", "FD00"),
            ("tranStateTableOffset", "0"),
            ("commitOrRollback", "8"),
            ("transactionId", "FD00"),
            ("fromTransactionCheck", "false"),
        ]);
        same::<GetRouteInfoRequest>(&[("topic", "T1"), ("acceptStandardJsonOnly", "true")]);
        same::<UnregisterClientRequest>(&[("clientID", "c"), ("producerGroup", "p")]);
        same::<RegisterBrokerRequest>(&[
            ("brokerName", "b"),
            ("brokerAddr", "127.0.0.1:10911"),
            ("clusterName", "C"),
            ("haServerAddr", "127.0.0.1:10912"),
            ("brokerId", "0"),
            ("compressed", "false"),
            ("bodyCrc32", "7"),
        ]);
        let query = same::<QueryMessageRequest>(&[
            ("topic", "T"),
            ("key", "k"),
            ("maxNum", "32"),
            ("beginTimestamp", "0"),
            ("endTimestamp", "9223372036854775807"),
            ("_UNIQUE_KEY_QUERY", "true"),
        ]);
        assert_eq!(query.unique_key_query, Some(true));
    }

    #[test]
    fn a_heartbeat_answer_may_be_empty() {
        let empty = HeartbeatResponse::from_fields(&ExtFields::new()).unwrap();
        assert_eq!(empty, HeartbeatResponse::default());
        let full = ext(&[("IS_SUPPORT_HEART_BEAT_V2", "true"), ("IS_SUB_CHANGE", "TRUE")]);
        let full = HeartbeatResponse::from_fields(&full).unwrap();
        assert!(full.is_support_heart_beat_v2 && full.is_sub_change);
    }

    #[test]
    fn a_missing_or_wrong_field_is_named() {
        let missing = QueryConsumerOffsetRequest::from_fields(&ext(&[("topic", "T"), ("queueId", "1")]));
        assert_eq!(missing, Err(DecodeError::MissingField("consumerGroup")));
        let fields = [("consumerGroup", "g"), ("topic", "T"), ("queueId", "1"), ("commitOffset", "x")];
        assert_eq!(
            UpdateConsumerOffsetRequest::from_fields(&ext(&fields)).unwrap_err().at(),
            Some("commitOffset")
        );
    }

    #[test]
    fn headers_without_fields_ignore_what_hooks_add() {
        LockBatchRequest::from_fields(&ext(&[("AccessKey", "a"), ("Signature", "s")])).unwrap();
        assert!(LockBatchRequest {}.to_fields().unwrap().is_empty());
        let reply = ext(&[("topic", "C_REPLY_TOPIC"), ("queueId", "0"), ("bornHost", "1.2.3.4:5")]);
        assert_eq!(PushReplyMessageRequest::from_fields(&reply).unwrap().born_host, "1.2.3.4:5");
    }
}
