//! Commands about topics.

mod allocate;
mod clusters;
mod delete;
mod list;
mod perm;
mod route;
mod status;
mod update;

pub use allocate::{AllocateMq, Allocation};
pub use clusters::{TopicClusterList, TopicClusters};
pub use delete::DeleteTopic;
pub use list::{TopicGroup, TopicList, TopicNames};
pub use perm::UpdateTopicPerm;
pub use route::{RouteReport, TopicRoute};
pub use status::{QueueStatus, TopicStatus, TopicStatusReport};
pub use update::UpdateTopic;
pub(crate) use update::changes;
