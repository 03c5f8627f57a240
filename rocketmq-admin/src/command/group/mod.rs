//! Commands about consumer groups.

mod config;
mod connection;
mod progress;

pub use config::{GetConsumerConfig, GroupConfig, GroupConfigs};
pub use connection::{ConsumerConnection, MembersReport, ProducerConnection, ProducerMembers};
pub use progress::{ConsumerProgress, GroupLine, GroupProgress, GroupsReport, QueueProgress};
