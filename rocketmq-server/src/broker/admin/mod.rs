//! What tools ask of the broker as a whole.

pub mod absent;
pub mod broker;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rocketmq_remoting::requests::broker::{
    CleanExpiredConsumeQueueRequest, DeleteExpiredCommitLogRequest, GetBrokerConfigRequest,
    GetBrokerHaStatusRequest, GetBrokerRuntimeInfoRequest, UpdateBrokerConfigRequest,
    ViewBrokerStatsDataRequest,
};

use super::acl::needs::{GET, Needs, UPDATE};
use super::delay::DelayProgress;
use super::dispatch::Requests;
use super::groups::table::GroupTable;
use super::log::Log;
use super::settings::{Current, Live};
use super::timer::TimerState;
use super::topics::table::TopicTable;
use crate::store::StoreError;

/// What the requests about the broker as a whole work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub delay: Arc<DelayProgress>,
    pub timer: Arc<TimerState>,
    pub started_at: i64,
}

impl Parts {
    /// Lets new settings take effect. The routes follow.
    ///
    /// # Errors
    /// The file of the topics cannot be written.
    pub fn tune(&self, live: Live) -> Result<(), StoreError> {
        self.log.store.tune(live.store.clone());
        self.groups.set_auto_create(live.auto_create_groups);
        let auto_create_topics = live.auto_create_topics;
        // Before anything that can fail: the file that remembers these settings is written already.
        self.settings.set_live(live);
        self.topics.set_auto_create(auto_create_topics, self.settings.fixed.default_topic_queues)?;
        self.topics.touch()
    }
}

/// The requests about the broker as a whole.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<GetBrokerRuntimeInfoRequest>(|_, _| Needs::nothing(), broker::runtime_info);
    on.request::<GetBrokerConfigRequest>(|_, _| GET.cluster(), broker::get_config);
    on.request::<UpdateBrokerConfigRequest>(|_, _| UPDATE.cluster(), broker::update_config);
    on.request::<CleanExpiredConsumeQueueRequest>(|_, _| UPDATE.cluster(), broker::clean_expired);
    on.request::<DeleteExpiredCommitLogRequest>(|_, _| UPDATE.cluster(), broker::delete_expired);
    on.request::<GetBrokerHaStatusRequest>(|_, _| Needs::nothing(), broker::ha_status);
    on.request::<ViewBrokerStatsDataRequest>(|_, _| GET.cluster(), broker::stats_data);
    absent::requests(on);
}
