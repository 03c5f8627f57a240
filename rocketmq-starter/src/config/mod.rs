//! The values of the configuration, under Spring's keys.
//!
//! The sources are, a later one winning: built-in defaults, `application.toml`, `application-{profile}.toml`, environment
//! variables (`ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT` is `rocketmq.producer.send-message-timeout`), and
//! [`App::set`](crate::App::set). [`App::configure`](crate::App::configure) changes the values after that.

mod client;
pub(crate) mod clusters;
mod entry;
mod file;
pub(crate) mod keys;
mod management;
pub(crate) mod origin;
pub(crate) mod parse;
pub(crate) mod properties;
pub(crate) mod report;
mod secret;
pub(crate) mod section;
pub(crate) mod sources;
mod tls;
mod trace;
pub(crate) mod tuning;
pub(crate) mod typed;

pub use client::ClientProperties;
pub use clusters::ClusterProperties;
pub use keys::json_schema;
pub use management::ManagementProperties;
pub use origin::Origin;
pub(crate) use properties::EMBEDDED;
pub use properties::{
    Access, ConsumerProperties, EmbeddedProperties, ProducerProperties, PullConsumerProperties,
    RocketmqProperties,
};
pub use report::{ConfigReport, ConfigValue};
pub use secret::Secret;
pub use tls::TlsProperties;
pub use trace::MsgTrace;
pub use tuning::ProducerTuning;

/// Sets a configured value.
pub(crate) fn set<T>(target: &mut T, configured: Option<T>) {
    if let Some(value) = configured {
        *target = value;
    }
}
