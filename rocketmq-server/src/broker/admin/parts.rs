//! The parts of the requests about the broker as a whole.

use std::sync::Arc;

use crate::broker::delay::progress::DelayProgress;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::settings::{Current, Live};
use crate::broker::timer::state::TimerState;
use crate::broker::topics::table::TopicTable;
use crate::store::StoreError;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
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
    pub(crate) fn tune(&self, live: Live) -> Result<(), StoreError> {
        self.log.store.tune(live.store.clone());
        self.groups.set_auto_create(live.auto_create_groups);
        let auto_create_topics = live.auto_create_topics;
        // Before anything that can fail: the file that remembers these settings is written already.
        self.settings.set_live(live);
        self.topics.set_auto_create(auto_create_topics, self.settings.fixed.default_topic_queues)?;
        self.topics.touch()
    }
}
