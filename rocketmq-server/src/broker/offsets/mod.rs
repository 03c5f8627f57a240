//! Consumer offsets: where groups stand, and how far they have come.

pub mod progress;
pub mod requests;
pub mod reset;
pub mod start;
pub mod table;
#[cfg(test)]
mod tests;
pub mod unread;

use std::sync::Arc;

use rocketmq_remoting::requests::broker::{
    GetAllConsumerOffsetRequest, GetAllDelayOffsetRequest, GetBrokerConsumeStatsRequest,
};
use rocketmq_remoting::requests::group::{
    GetConsumeStatsRequest, QueryConsumeTimeSpanRequest, QuerySubscriptionByConsumerRequest,
    QueryTopicsByConsumerRequest,
};
use rocketmq_remoting::requests::offset::{
    CloneGroupOffsetRequest, GetEarliestMessageStoreTimeRequest, GetMaxOffsetRequest, GetMinOffsetRequest,
    InvokeResetOffsetRequest, QueryConsumerOffsetRequest, QueryCorrectionOffsetRequest, SearchOffsetRequest,
    UpdateConsumerOffsetRequest,
};
use rocketmq_remoting::requests::topic::QueryTopicConsumeByWhoRequest;
use table::Offsets;

use super::acl::needs::{GET, Needs, SUB_OR_GET, SUB_OR_UPDATE, UPDATE};
use super::clients::members::Members;
use super::delay::DelayProgress;
use super::dispatch::Requests;
use super::groups::table::GroupTable;
use super::log::Log;
use super::pull::parking::PullParking;
use super::settings::Current;
use super::topics::table::TopicTable;
use crate::exchange::Refusal;

/// What the requests about offsets work on.
#[derive(Debug, Clone)]
pub struct Parts {
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
    /// enough to reset or commit them.
    ///
    /// # Errors
    /// Code 26.
    fn check_group(&self, topic: &str, group: &str) -> Result<(), Refusal> {
        if self.groups.get(group).is_some() || self.offsets.lock().of(topic, group).is_some() {
            return Ok(());
        }
        Err(Refusal::no_group(group))
    }
}

/// The requests about offsets.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<QueryConsumerOffsetRequest>(
        |header, _| SUB_OR_GET.topic(&header.topic).group(&header.consumer_group),
        requests::query,
    );
    on.request::<UpdateConsumerOffsetRequest>(
        |header, _| SUB_OR_UPDATE.topic(&header.topic).group(&header.consumer_group),
        requests::update,
    );
    on.request::<SearchOffsetRequest>(|header, _| GET.topic(&header.topic), requests::search);
    on.request::<GetMaxOffsetRequest>(|header, _| GET.topic(&header.topic), requests::max);
    on.request::<GetMinOffsetRequest>(|header, _| GET.topic(&header.topic), requests::min);
    on.request::<GetEarliestMessageStoreTimeRequest>(
        |header, _| GET.topic(&header.topic),
        requests::earliest,
    );
    on.request::<GetAllConsumerOffsetRequest>(|_, _| Needs::nothing(), requests::all);
    on.request::<GetAllDelayOffsetRequest>(|_, _| Needs::nothing(), requests::all_delay);
    on.request::<CloneGroupOffsetRequest>(
        |header, _| UPDATE.group(&header.dest_group).topic(header.topic.as_deref().unwrap_or_default()),
        requests::clone_group,
    );
    on.request::<InvokeResetOffsetRequest>(
        |header, _| UPDATE.topic(&header.topic).group(&header.group),
        reset::reset,
    );
    progress_requests(on);
}

fn progress_requests(on: &mut Requests<'_, Parts>) {
    on.request::<GetConsumeStatsRequest>(
        |header, _| {
            let topics = header.topic_list.as_deref().unwrap_or_default().split(';');
            GET.group(&header.consumer_group).topics(header.topic.as_deref()).topics(topics)
        },
        progress::group,
    );
    on.request::<GetBrokerConsumeStatsRequest>(|_, _| GET.cluster(), progress::broker);
    on.request::<QueryTopicConsumeByWhoRequest>(
        |header, _| GET.topic(&header.topic),
        progress::groups_of_topic,
    );
    on.request::<QueryTopicsByConsumerRequest>(
        |header, _| GET.group(&header.group),
        progress::topics_of_group,
    );
    on.request::<QuerySubscriptionByConsumerRequest>(
        |header, _| GET.topic(header.topic.as_deref().unwrap_or_default()).group(&header.group),
        progress::subscription,
    );
    on.request::<QueryConsumeTimeSpanRequest>(
        |header, _| GET.topic(&header.topic).group(&header.group),
        progress::time_span,
    );
    on.request::<QueryCorrectionOffsetRequest>(
        |header, _| {
            let left_out = header.filter_groups.as_deref().unwrap_or_default().split(',');
            GET.groups(left_out).group(&header.compare_group).topic(&header.topic)
        },
        progress::correction_offsets,
    );
}
