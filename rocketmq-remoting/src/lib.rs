//! The Apache RocketMQ remoting protocol: bytes to types and back, without sockets or clocks.
//!
//! A connection carries frames in both directions. Either side may start a request; an answer carries the number
//! ("opaque") of its request and may come in any order.
//!
//! ```text
//!  0        4    5         8                  8 + header length
//! +--------+----+---------+------------------+-----------------+
//! | length |form| header  | header           | body            |
//! |        |    | length  | JSON or ROCKETMQ |                 |
//! +--------+----+---------+------------------+-----------------+
//!  counts   0/1  24 bits   code, opaque, flag,  messages, JSON
//!  the rest                remark, fields       or nothing
//! ```
//!
//! [`frame`] splits and joins frames, [`Command`] is one of them decoded, [`requests`] has a struct for each header,
//! [`body`] for each JSON body, [`message`] the record that brokers store and consumers pull. [`session`] keeps who waits
//! for which answer; only the feature `net` adds sockets.
//!
//! ```
//! use bytes::BytesMut;
//! use rocketmq_remoting::{Command, FrameLimits, RequestCode, frame};
//!
//! let mut request = Command::request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
//! request.ext.push("topic", "orders");
//! let mut wire = BytesMut::new();
//! frame::encode(&request, &mut wire)?;
//! assert_eq!(frame::decode(&mut wire, &FrameLimits::default())?, Some(request));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod body;
pub mod code;
mod command;
pub mod compress;
pub mod error;
mod ext;
pub mod fastjson;
pub mod frame;
mod header;
pub mod message;
pub mod names;
#[cfg(feature = "net")]
pub mod net;
mod payload;
pub mod recall;
pub mod receipt;
mod request;
pub mod requests;
pub mod route;
pub mod session;
pub mod signature;
pub mod subscription;
pub mod version;

pub use code::{LanguageCode, RequestCode, ResponseCode};
pub use command::Command;
pub use error::{DecodeError, EncodeError};
pub use ext::ExtFields;
pub use frame::FrameLimits;
pub use header::HeaderCodec;
pub use payload::{Body, Header, Json, Payload};
pub use request::{AnswerError, Answered, Request};
