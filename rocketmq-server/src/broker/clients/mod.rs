//! The clients of the broker: who is there, in which groups, and what is passed on to them.

pub(crate) mod allocation;
pub(crate) mod assignment;
pub(crate) mod channels;
pub(crate) mod conflicts;
pub(crate) mod consumers;
pub(crate) mod heartbeat;
pub(crate) mod locking;
pub(crate) mod member;
pub(crate) mod members;
mod parts;
pub(crate) mod producers;
pub(crate) mod queue_locks;
pub(crate) mod relay;
pub(crate) mod request_modes;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

use rocketmq_remoting::Json;
use rocketmq_remoting::body::{HeartbeatData, LockBatchBody};
use rocketmq_remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetAllMessageRequestModeRequest, GetConsumerRunningInfoRequest,
    InvokeGetConsumerStatusRequest, QueryAssignmentRequest, SetMessageRequestModeRequest,
};
use rocketmq_remoting::requests::heartbeat::{
    CheckClientConfigRequest, GetConsumerListByGroupRequest, HeartbeatRequest, UnregisterClientRequest,
};
use rocketmq_remoting::requests::lock::{LockBatchRequest, UnlockBatchRequest};

use super::acl::needs::{GET, Needs, SUB, SUB_OR_GET, UPDATE};
use super::names::is_retry;
use super::requests::Requests;
use crate::exchange::on_disk;

/// The requests about clients.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<HeartbeatRequest>(|_, Json(data)| to_join(data), heartbeat::heartbeat);
    on.request::<UnregisterClientRequest>(
        |header, _| SUB.group(header.consumer_group.as_deref().unwrap_or_default()),
        heartbeat::unregister,
    );
    on.request::<GetConsumerListByGroupRequest>(
        |header, _| SUB_OR_GET.group(&header.consumer_group),
        heartbeat::consumer_list,
    );
    on.request::<CheckClientConfigRequest>(|_, _| Needs::nothing(), heartbeat::check_client_config);

    on.request::<LockBatchRequest>(|_, Json(body)| to_lock(body), locking::lock);
    on.request::<UnlockBatchRequest>(|_, Json(body)| to_lock(body), locking::unlock);

    on.request::<QueryAssignmentRequest>(|_, _| Needs::nothing(), assignment::query);
    on.request::<SetMessageRequestModeRequest>(|_, _| UPDATE.cluster(), on_disk(assignment::set_mode));
    on.request::<GetAllMessageRequestModeRequest>(|_, _| Needs::nothing(), assignment::all_modes);

    on.request::<GetConsumerRunningInfoRequest>(
        |header, _| GET.group(&header.consumer_group),
        relay::running_info,
    );
    on.request::<ConsumeMessageDirectlyRequest>(
        |header, _| SUB.group(&header.consumer_group).stored_as(header.msg_id.as_deref().unwrap_or_default()),
        relay::consume_directly,
    );
    on.request::<InvokeGetConsumerStatusRequest>(
        |header, _| GET.topic(&header.topic).group(&header.group),
        relay::consumer_status,
    );
}

/// Retry topics are the groups' own.
fn to_join(data: &HeartbeatData) -> Needs {
    let consumers = &data.consumer_data_set;
    let groups = SUB.groups(consumers.iter().map(|consumer| consumer.group_name.as_str()));
    let subscriptions = consumers.iter().flat_map(|consumer| &consumer.subscription_data_set);
    let topics = subscriptions.map(|subscription| subscription.topic.as_str());
    groups.topics(topics.filter(|topic| !is_retry(topic)))
}

fn to_lock(body: &LockBatchBody) -> Needs {
    let topics = body.mq_set.iter().map(|queue| queue.topic.as_str());
    SUB.group(&body.consumer_group).topics(topics.filter(|topic| !is_retry(topic)))
}
