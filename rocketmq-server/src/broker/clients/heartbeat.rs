//! Clients coming, staying and going: 34, 35, 38, 46, and the notification (40) that makes a group rebalance.

use rocketmq_remoting::body::heartbeat::{ConsumerData, ConsumerIdList, HeartbeatData};
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::requests::heartbeat::{
    CheckClientConfigRequest, GetConsumerListByGroupRequest, HeartbeatRequest, HeartbeatResponse,
    NotifyConsumerIdsChangedRequest, UnregisterClientRequest,
};
use rocketmq_remoting::{Json, Request};

use super::consumers::Registered;
use super::member::Member;
use crate::broker::core::Core;
use crate::broker::names;
use crate::broker::pull::message::filter_of;
use crate::broker::settings::millis;
use crate::broker::topics::table::{MAX_QUEUES, open_topic, unit_sub};
use crate::exchange::{Asked, Refusal, Response};

/// What a heartbeat says is kept as long as its connection lives, so it is not longer than any client needs, in bytes.
const LONGEST_HEARTBEAT: usize = 4 << 20;
const LONGEST_NAME: usize = 1000;

fn check_length(what: &str, length: usize, limit: usize) -> Result<(), Refusal> {
    if length <= limit {
        return Ok(());
    }
    Err(Refusal::invalid(format_args!("{what} has {length} bytes, the limit is {limit}")))
}

/// HEART_BEAT (34). When it is answered the client may already pull: everything it says is in force.
pub fn heartbeat(core: &Core, asked: Asked<'_, HeartbeatRequest>) -> Response<HeartbeatRequest> {
    check_length("the heartbeat", asked.command().body.len(), LONGEST_HEARTBEAT)?;
    let Json(data) = &asked.body;
    check_length("the clientID", data.client_id.len(), LONGEST_NAME)?;
    for producer in &data.producer_data_set {
        check_length("a producer group", producer.group_name.len(), LONGEST_NAME)?;
    }
    let member = Member {
        channel: asked.connection.id(),
        client_id: asked.body.0.client_id.clone(),
        language: asked.language(),
        version: asked.version(),
        peer: asked.peer(),
        last_seen: core.now(),
    };
    core.channels.add(asked.connection);
    let Json(data) = asked.body;
    for producer in &data.producer_data_set {
        core.producers.lock().register(&producer.group_name, member.clone());
    }
    let mut subscriptions_wanted = data.heartbeat_fingerprint == 0;
    for consumer in &data.consumer_data_set {
        subscriptions_wanted |= register_consumer(core, consumer, &member, &data)?.fingerprint_changed;
    }
    Ok(HeartbeatResponse { is_support_heart_beat_v2: true, is_sub_change: subscriptions_wanted })
}

/// Takes one group of a heartbeat. A group that may not exist is passed over in silence, as in Apache.
fn register_consumer(
    core: &Core,
    consumer: &ConsumerData,
    member: &Member,
    data: &HeartbeatData,
) -> Result<Registered, Refusal> {
    let group = &consumer.group_name;
    let Some(config) = core.groups.find(group).map_err(Refusal::system)? else {
        return Ok(Registered::default());
    };
    let retry = names::retry_topic(group);
    let new = || TopicConfig {
        topic_sys_flag: unit_sub(consumer.unit_mode),
        ..open_topic(&*retry, config.retry_queue_nums.clamp(0, MAX_QUEUES))
    };
    core.topics.ensure(&retry, new).map_err(Refusal::system)?;
    let fingerprint = data.heartbeat_fingerprint;
    let registered = {
        let mut consumers = core.consumers.lock();
        if data.without_sub {
            consumers.refresh(group, member.clone(), fingerprint)
        } else {
            consumers.register(consumer, member.clone(), fingerprint)
        }
    };
    if registered.changed {
        notify_group(core, group);
    }
    Ok(registered)
}

/// Tells every member of a group to rebalance, unless the group broadcasts or wants no such news.
fn notify_group(core: &Core, group: &str) {
    if !core.tuned().notify_consumer_changes {
        return;
    }
    let wanted = core.groups.get(group).is_none_or(|config| config.notify_consumer_ids_changed_enable);
    let channels = {
        let consumers = core.consumers.lock();
        let broadcasting = consumers.group(group).is_some_and(|live| live.is_broadcasting());
        if !wanted || broadcasting { Vec::new() } else { consumers.channels(group) }
    };
    let header = NotifyConsumerIdsChangedRequest { consumer_group: group.to_owned() };
    let Ok(command) = header.to_command() else { return };
    for connection in channels.into_iter().filter_map(|channel| core.channels.get(channel)) {
        // A member that cannot be told finds out at its next rebalance.
        let _ = connection.push(command.clone().oneway());
    }
}

/// UNREGISTER_CLIENT (35).
pub fn unregister(
    core: &Core,
    asked: Asked<'_, UnregisterClientRequest>,
) -> Response<UnregisterClientRequest> {
    let request = asked.header;
    if let Some(group) = &request.producer_group {
        core.producers.lock().unregister(group, asked.connection.id());
    }
    if let Some(group) = &request.consumer_group {
        let left = core.consumers.lock().unregister(group, asked.connection.id());
        if left {
            notify_group(core, group);
        }
    }
    Ok(())
}

/// A connection is gone, and with it its member of every group.
pub fn connection_closed(core: &Core, connection: u64) {
    core.channels.remove(connection);
    core.uncommitted.take(connection);
    core.parking.forget(connection);
    core.pop.parking.forget(connection);
    core.producers.lock().remove_channel(connection);
    let groups = core.consumers.lock().remove_channel(connection);
    for group in groups {
        notify_group(core, &group);
    }
}

/// Forgets and disconnects clients that fell silent.
pub fn expire_members(core: &Core) {
    let (now, timeout) = (core.now(), millis(core.tuned().channel_expiry));
    let mut gone = core.consumers.lock().expire(now, timeout);
    gone.extend(core.producers.lock().expire(now, timeout));
    core.channels.close(&gone);
    core.locks.lock().expire(now);
}

/// GET_CONSUMER_LIST_BY_GROUP (38).
pub fn consumer_list(
    core: &Core,
    asked: Asked<'_, GetConsumerListByGroupRequest>,
) -> Response<GetConsumerListByGroupRequest> {
    let request = asked.header;
    let group = request.consumer_group;
    let ids = core.consumers.lock().group(&group).map(|live| live.client_ids());
    match ids {
        Some(consumer_id_list) => Ok(Json(ConsumerIdList { consumer_id_list })),
        None => Err(Refusal::system(format_args!("no consumer for this group, {group}"))),
    }
}

/// CHECK_CLIENT_CONFIG (46): whether the broker can evaluate a subscription.
pub fn check_client_config(
    core: &Core,
    asked: Asked<'_, CheckClientConfigRequest>,
) -> Response<CheckClientConfigRequest> {
    let Json(request) = asked.body;
    filter_of(core, &request.subscription_data)?;
    Ok(())
}
