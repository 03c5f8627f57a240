//! Commands about clusters.

mod list;

pub use list::{BrokerFigures, BrokerTotals, ClusterFigures, ClusterList, ClusterTotals};
