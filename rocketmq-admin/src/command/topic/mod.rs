//! Commands about topics.

mod list;
mod route;
mod status;

pub use list::{TopicGroup, TopicList, TopicNames};
pub use route::{RouteReport, TopicRoute};
pub use status::{QueueStatus, TopicStatus, TopicStatusReport};
