//! Commands about topics.

mod allocate;
mod clusters;
mod list;
mod route;
mod status;

pub use allocate::{AllocateMq, Allocation};
pub use clusters::{TopicClusterList, TopicClusters};
pub use list::{TopicGroup, TopicList, TopicNames};
pub use route::{RouteReport, TopicRoute};
pub use status::{QueueStatus, TopicStatus, TopicStatusReport};
