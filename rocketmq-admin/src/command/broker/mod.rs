//! Commands about brokers.

mod clean;
mod config;
mod consume_stats;
mod producers;
mod status;
mod update_config;

pub use clean::{Brokers, CleanExpiredCq, CleanUnusedTopic, Cleaned, DeleteExpiredCommitLog};
pub use config::{BrokerConfig, BrokerConfigs, GetBrokerConfig};
pub use consume_stats::{BrokerConsumeStats, BrokerConsumeStatsReport, GroupQueue};
pub use producers::{Producer, ProducerGroup, ProducersReport};
pub use status::{BrokerStatus, BrokerStatusReport, Figures};
pub use update_config::UpdateBrokerConfig;
