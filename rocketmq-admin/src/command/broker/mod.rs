//! Commands about brokers.

mod config;
mod consume_stats;
mod producers;
mod status;

pub use config::{BrokerConfig, BrokerConfigs, GetBrokerConfig};
pub use consume_stats::{BrokerConsumeStats, BrokerConsumeStatsReport, GroupQueue};
pub use producers::{Producer, ProducerGroup, ProducersReport};
pub use status::{BrokerStatus, BrokerStatusReport, Figures};
