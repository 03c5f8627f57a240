//! Commands about consumer groups.

mod config;
mod connection;
mod delete;
mod progress;
mod update;

pub use config::{GetConsumerConfig, GroupConfig, GroupConfigs};
pub use connection::{ConsumerConnection, MembersReport, ProducerConnection, ProducerMembers};
pub use delete::DeleteSubGroup;
pub use progress::{ConsumerProgress, GroupLine, GroupProgress, GroupsReport, QueueProgress};
pub use update::UpdateSubGroup;
