//! Configuration: Spring's keys, read by figment.
//!
//! Layers, a later one winning: built-in defaults, `application.toml`, `application-{profile}.toml`, environment
//! variables (`ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT` is `rocketmq.producer.send-message-timeout`), and what
//! the program sets with [`App::set`](crate::App::set).

mod client;
mod properties;
pub(crate) mod reader;
mod secret;
pub(crate) mod sources;
mod tls;
mod trace;
mod tuning;

pub use client::ClientProperties;
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
