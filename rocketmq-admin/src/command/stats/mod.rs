//! Commands about statistics.

mod all;

pub use all::{StatsAll, StatsReport, TopicStats};
