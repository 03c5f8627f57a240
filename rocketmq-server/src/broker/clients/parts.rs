//! The parts of the requests about clients.

use std::sync::Arc;

use super::members::Members;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::pop::state::PopState;
use crate::broker::pull::parking::PullParking;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub clients: Arc<Members>,
    pub parking: Arc<PullParking>,
    pub pop: Arc<PopState>,
}
