//! Commands about consumer groups.

mod progress;

pub use progress::{ConsumerProgress, GroupLine, GroupProgress, GroupsReport, QueueProgress};
