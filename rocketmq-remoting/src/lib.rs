//! The Apache RocketMQ remoting protocol: converts bytes to types and back, without sockets or clocks.
//!
//! A connection carries frames in both directions. Either side may send a request. The response carries the number of
//! the request, its "opaque", and responses may come in any order.
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
//! # A send, from the producer to the broker and back
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use rocketmq_remoting::message::{Properties, names};
//! use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};
//! use rocketmq_remoting::{Answered, FrameLimits, Request, frame};
//!
//! // The producer writes SEND_MESSAGE_V2: header fields, properties and body.
//! let mut properties = Properties::new();
//! properties.set(names::UNIQ_KEY, "0A000005123418B4AAC20A4CB87B000A").set(names::TAGS, "created");
//! let header = SendMessageRequest {
//!     producer_group: "shop".into(),
//!     topic: "orders".into(),
//!     queue_id: 3,
//!     born_timestamp: 1_700_000_000_000,
//!     properties: Some(properties.encode()?),
//!     ..SendMessageRequest::default()
//! };
//! let mut request = header.command(&Bytes::from("42"))?;
//! request.opaque = 1; // a connection assigns it, see the feature `net`
//! let mut wire = BytesMut::new();
//! frame::encode(&request, &mut wire)?;
//!
//! // The broker reads it, and responds with the place of the message.
//! let limits = FrameLimits::default();
//! let received = frame::decode(&mut wire, &limits)?.expect("a whole frame");
//! let (header, body) = SendMessageRequest::read(&received)?;
//! assert_eq!((header.topic.as_str(), &body[..]), ("orders", &b"42"[..]));
//! let stored = SendMessageResponse { queue_id: 3, queue_offset: 7, ..SendMessageResponse::default() };
//! let response = Answered::from(stored).into_command()?.answer(received.opaque, received.codec);
//! frame::encode(&response, &mut wire)?;
//!
//! // The producer reads the response, or the broker's refusal as an error.
//! let received = frame::decode(&mut wire, &limits)?.expect("a whole frame");
//! assert_eq!(received.opaque, request.opaque);
//! let answered = SendMessageRequest::answer(received)?;
//! assert_eq!(answered.payload.queue_offset, 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to find Java's classes
//!
//! | Java | here |
//! |---|---|
//! | `RemotingCommand` | [`Command`] |
//! | `RequestCode`, `ResponseCode`, `LanguageCode`, `MQVersion` | [`code`], [`version`] |
//! | `RemotingCommand.encode`, `NettyDecoder` | [`frame`] |
//! | `CommandCustomHeader` and its classes | [`requests`], as [`Request`] and [`Header`] |
//! | `RemotingSerializable` and its classes | [`body`], read and written by [`fastjson`] |
//! | `MessageDecoder`, `MessageSysFlag`, `MessageConst` | [`message`] |
//! | `MessageClientIDSetter`, `MessageId` | [`message::UniqueIds`], [`message::OffsetMessageId`] |
//! | `CompressorFactory` | [`compress`] |
//! | `TopicRouteData`, `MessageQueue`, `PermName` | [`route`] |
//! | `FilterAPI`, `SubscriptionData` | [`subscription`] |
//! | `TopicValidator`, `Validators`, `MixAll` | [`names`] |
//! | `AclClientRPCHook` | [`signature`] |
//! | `ExtraInfoUtil`, `RecallMessageHandle` | [`receipt`], [`recall`] |
//! | `ResponseFuture` and its table | [`session`] |
//! | `NettyRemotingClient`, `NettyRemotingServer` | `net`, a connection for either side |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `zlib`, `lz4` | on | compression of bodies |
//! | `zstd-decode` | on | decompression of Zstandard, and compression at about level 1, in pure Rust |
//! | `zstd` | off | compression of Zstandard at every level; needs a C compiler |
//! | `net` | off | connections on tokio |
//! | `tls` | off | encrypted connections on rustls; needs a C compiler |

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
pub use rocketmq_syntax::{SyntaxError, names, spring, sql, tags};
