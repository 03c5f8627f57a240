//! The parts of pulls.

use std::sync::Arc;

use super::parking::PullParking;
use crate::broker::clients::members::Members;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::offsets::table::Offsets;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
    pub parking: Arc<PullParking>,
}
