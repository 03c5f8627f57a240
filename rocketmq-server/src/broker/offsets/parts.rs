//! The parts of the requests about offsets.

use std::sync::Arc;

use super::table::Offsets;
use crate::broker::clients::members::Members;
use crate::broker::delay::progress::DelayProgress;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::pull::parking::PullParking;
use crate::broker::settings::{Apache, Current};
use crate::broker::topics::table::TopicTable;
use crate::exchange::Refusal;

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
    pub delay: Arc<DelayProgress>,
}

impl Parts {
    /// Refuses a group that has neither a configuration nor offsets of the topic: offsets that were copied to a new group are
    /// enough to reset or commit them. Apache's 4.9.7 asks for neither, and its tools copy offsets to groups that nobody made.
    ///
    /// # Errors
    /// Code 26.
    pub(crate) fn check_group(&self, topic: &str, group: &str) -> Result<(), Refusal> {
        let any = self.settings.fixed.apache_version == Apache::V4_9_7;
        if any || self.groups.get(group).is_some() || self.offsets.lock().of(topic, group).is_some() {
            return Ok(());
        }
        Err(Refusal::no_group(group))
    }
}
