//! Configuration: Spring's keys.
//!
//! Layers, a later one winning: built-in defaults, `application.toml`, `application-{profile}.toml`, environment
//! variables (`ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT` is `rocketmq.producer.send-message-timeout`), and what
//! the program sets with [`App::set`](crate::App::set).

mod client;
mod entry;
mod file;
pub(crate) mod origin;
pub(crate) mod parse;
mod properties;
pub(crate) mod schema;
mod secret;
pub(crate) mod section;
pub(crate) mod sources;
mod tls;
mod trace;
mod tuning;

pub use client::ClientProperties;
pub(crate) use properties::EMBEDDED;
pub use properties::{
    Access, ConsumerProperties, EmbeddedProperties, ProducerProperties, PullConsumerProperties,
    RocketmqProperties,
};
pub use secret::Secret;
pub use tls::TlsProperties;
pub use trace::MsgTrace;
pub use tuning::ProducerTuning;

/// What is not configured stays as it is.
pub(crate) fn set<T>(target: &mut T, configured: Option<T>) {
    if let Some(value) = configured {
        *target = value;
    }
}
