//! A RocketMQ name server and broker in Rust: as programs (`mqnamesrv`, `mqbroker`), and inside your process.
//!
//! [`Embedded`] is a whole cluster for a test. It listens on loopback ports that the system chooses, keeps its store in a temporary
//! folder, and starts within milliseconds. Any RocketMQ client can use it, Java's too.
//!
//! ```
//! use std::time::Duration;
//! use rocketmq_server::Embedded;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
//! // Settings have Apache's names.
//! let cluster = Embedded::builder().brokers(2).set("transactionCheckMax", 3).start().await?;
//! println!("export NAMESRV_ADDR={}", cluster.name_server());
//!
//! // Time is a value: a message with a delay of two hours is delivered now.
//! cluster.advance(Duration::from_secs(2 * 60 * 60));
//!
//! // A broker stops, or crashes, and comes back on the same port with the same messages.
//! cluster.broker().kill().await;
//! cluster.broker().restart().await?;
//!
//! cluster.shutdown().await
//! # }
//! ```
//!
//! A client of this project connects with `rocketmq_client::connect(cluster.name_server())`; an application of rocketmq-starter has a
//! cluster of its own with its feature `embedded`.
//!
//! # From the programs to the parts
//!
//! | you want | you use |
//! |---|---|
//! | a cluster in a test | [`Embedded`] |
//! | a broker with a configuration of its own, on its own port | [`Node`] with a [`config::BrokerConfig`] |
//! | a name server alone | [`namesrv::NameServer`] with a [`config::NamesrvConfig`] |
//! | a broker without sockets | [`broker::Broker`] |
//! | the message store alone, on Apache's files | [`store::Store`] |
//! | time that a test moves | [`clock::Manual`], [`clock::Shifted`] |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tls` | on | TLS on the ports of name server and broker; needs a C compiler |

#![warn(missing_docs)]
#![warn(unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod broker;
#[cfg(feature = "tls")]
mod certificates;
pub mod clock;
mod complaint;
pub mod config;
mod embedded;
mod exchange;
mod faults;
pub mod filter;
pub mod namesrv;
pub mod net;
mod node;
pub mod program;
pub mod registration;
pub mod store;

#[cfg(feature = "tls")]
pub use certificates::Certificates;
pub use embedded::{
    Embedded, EmbeddedBroker, EmbeddedBuilder, EmbeddedError, EmbeddedNameServer, StoredMessage,
};
pub use faults::Fault;
pub use node::{Node, NodeError};
