//! Consumer offsets: where groups stand, and how far they have come.

mod parts;
pub(crate) mod progress;
pub(crate) mod requests;
pub(crate) mod reset;
pub(crate) mod start;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod unread;

pub(crate) use parts::Parts;

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

use super::acl::needs::{GET, Needs, SUB_OR_GET, SUB_OR_UPDATE, UPDATE};
use super::requests::Requests;
use crate::exchange::on_disk;

/// The requests about offsets.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<QueryConsumerOffsetRequest>(
        |header, _| SUB_OR_GET.topic(&header.topic).group(&header.consumer_group),
        requests::query,
    );
    on.request::<UpdateConsumerOffsetRequest>(
        |header, _| SUB_OR_UPDATE.topic(&header.topic).group(&header.consumer_group),
        requests::update,
    );
    on.request::<SearchOffsetRequest>(|header, _| GET.topic(&header.topic), on_disk(requests::search));
    on.request::<GetMaxOffsetRequest>(|header, _| GET.topic(&header.topic), requests::max);
    on.request::<GetMinOffsetRequest>(|header, _| GET.topic(&header.topic), requests::min);
    on.request::<GetEarliestMessageStoreTimeRequest>(
        |header, _| GET.topic(&header.topic),
        on_disk(requests::earliest),
    );
    on.request::<GetAllConsumerOffsetRequest>(|_, _| Needs::nothing(), requests::all);
    on.request::<GetAllDelayOffsetRequest>(|_, _| Needs::nothing(), requests::all_delay);
    on.request::<CloneGroupOffsetRequest>(
        |header, _| UPDATE.group(&header.dest_group).topic(header.topic.as_deref().unwrap_or_default()),
        requests::clone_group,
    );
    on.request::<InvokeResetOffsetRequest>(
        |header, _| UPDATE.topic(&header.topic).group(&header.group),
        on_disk(reset::reset),
    );
    progress_requests(on);
}

fn progress_requests(on: &mut Requests<'_, Parts>) {
    on.request::<GetConsumeStatsRequest>(
        |header, _| {
            let topics = header.topic_list.as_deref().unwrap_or_default().split(';');
            GET.group(&header.consumer_group).topics(header.topic.as_deref()).topics(topics)
        },
        on_disk(progress::group),
    );
    on.request::<GetBrokerConsumeStatsRequest>(|_, _| GET.cluster(), on_disk(progress::broker));
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
        on_disk(progress::time_span),
    );
    on.request::<QueryCorrectionOffsetRequest>(
        |header, _| {
            let left_out = header.filter_groups.as_deref().unwrap_or_default().split(',');
            GET.groups(left_out).group(&header.compare_group).topic(&header.topic)
        },
        progress::correction_offsets,
    );
}
