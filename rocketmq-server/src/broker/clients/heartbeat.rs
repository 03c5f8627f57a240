//! Clients coming, staying and going: 34, 35, 38, 46, and the notification (40) that makes a group rebalance.

use rocketmq_remoting::body::heartbeat::{ConsumeType, ConsumerData, ConsumerIdList, HeartbeatData};
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::requests::heartbeat::{
    CheckClientConfigRequest, GetConsumerListByGroupRequest, HeartbeatRequest, HeartbeatResponse,
    NotifyConsumerIdsChangedRequest, UnregisterClientRequest,
};
use rocketmq_remoting::{Answered, Json, Request};

use super::conflicts::Conflict;
use super::consumers::Registered;
use super::member::Member;
use super::parts::Parts;
use crate::broker::names;
use crate::broker::pull::message::filter_of;
use crate::broker::settings::millis;
use crate::broker::topics::table::{MAX_QUEUES, open_topic, unit_sub};
use crate::exchange::{Asked, Refusal, Response};

/// The longest heartbeat, in bytes. The broker keeps its content as long as the connection lives.
const LONGEST_HEARTBEAT: usize = 4 << 20;
const LONGEST_NAME: usize = 1000;
/// The most conflicts that one answer tells of.
const MOST_CONFLICTS: usize = 100;

fn check_length(what: &str, length: usize, limit: usize) -> Result<(), Refusal> {
    if length <= limit {
        return Ok(());
    }
    Err(Refusal::invalid(format_args!("{what} has {length} bytes, the limit is {limit}")))
}

/// HEART_BEAT (34). When it is answered the client may already pull: everything it says is in force. The remark has a line
/// for each group in which the client is in conflict with another member. Java's client does not read it.
pub(crate) fn heartbeat(
    parts: &Parts,
    asked: Asked<'_, HeartbeatRequest>,
) -> Result<Answered<HeartbeatResponse>, Refusal> {
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
        last_seen: parts.log.now(),
        heard_at: parts.log.passed(),
    };
    parts.clients.channels.add(asked.connection);
    let Json(data) = asked.body;
    for producer in &data.producer_data_set {
        parts.clients.producers.lock().register(&producer.group_name, member.clone());
    }
    let mut subscriptions_wanted = data.heartbeat_fingerprint == 0;
    let mut conflicts = Vec::new();
    for consumer in &data.consumer_data_set {
        subscriptions_wanted |= register_consumer(parts, consumer, &member, &data)?.fingerprint_changed;
        let group = &consumer.group_name;
        conflicts
            .extend(parts.clients.consumers.lock().conflict(group, member.channel).map(|it| (group, it)));
    }
    let answer = HeartbeatResponse { is_support_heart_beat_v2: true, is_sub_change: subscriptions_wanted };
    Ok(with_conflicts(parts, answer, conflicts))
}

/// Takes one group of a heartbeat. One that may not exist is skipped and, as in Apache, the answer does not tell.
fn register_consumer(
    parts: &Parts,
    consumer: &ConsumerData,
    member: &Member,
    data: &HeartbeatData,
) -> Result<Registered, Refusal> {
    if parts.settings.live().reject_pull_consumers && consumer.consume_type == ConsumeType::Actively {
        return Ok(Registered::default());
    }
    let group = &consumer.group_name;
    let Some(config) = parts.groups.find(group).map_err(Refusal::system)? else {
        parts.groups.complain_of_missing(group);
        return Ok(Registered::default());
    };
    let retry = names::retry_topic(group);
    let new = || TopicConfig {
        topic_sys_flag: unit_sub(consumer.unit_mode),
        ..open_topic(&*retry, config.retry_queue_nums.clamp(0, MAX_QUEUES))
    };
    parts.topics.ensure(&retry, new).map_err(Refusal::system)?;
    let fingerprint = data.heartbeat_fingerprint;
    let registered = {
        let mut consumers = parts.clients.consumers.lock();
        if data.without_sub {
            consumers.refresh(group, member.clone(), fingerprint)
        } else {
            consumers.register(consumer, member.clone(), fingerprint)
        }
    };
    if registered.changed {
        notify_group(parts, group);
    }
    Ok(registered)
}

/// Tells a member and the log of conflicts in groups.
fn with_conflicts<P>(parts: &Parts, payload: P, conflicts: Vec<(&String, Conflict)>) -> Answered<P> {
    let answer = Answered::from(payload);
    let told = conflicts.iter().take(MOST_CONFLICTS).map(|(group, conflict)| {
        if parts.clients.mistakes.is_due(&conflict.subject(group), parts.log.now()) {
            tracing::warn!(group, "{conflict}");
        }
        format!("group {group}: {conflict}")
    });
    let lines: Vec<String> = told.collect();
    if lines.is_empty() { answer } else { answer.with_remark(lines.join("\n")) }
}

/// Tells every member of a group to rebalance, unless the group broadcasts or wants no such news.
fn notify_group(parts: &Parts, group: &str) {
    if !parts.settings.live().notify_consumer_changes {
        return;
    }
    let wanted = parts.groups.get(group).is_none_or(|config| config.notify_consumer_ids_changed_enable);
    let channels = {
        let consumers = parts.clients.consumers.lock();
        let broadcasting = consumers.group(group).is_some_and(|live| live.is_broadcasting());
        if !wanted || broadcasting { Vec::new() } else { consumers.channels(group) }
    };
    let header = NotifyConsumerIdsChangedRequest { consumer_group: group.to_owned() };
    let Ok(command) = header.to_command() else { return };
    for connection in channels.into_iter().filter_map(|channel| parts.clients.channels.get(channel)) {
        // A member that cannot be told finds out at its next rebalance.
        let _ = connection.push(command.clone().oneway());
    }
}

/// UNREGISTER_CLIENT (35).
pub(crate) fn unregister(
    parts: &Parts,
    asked: Asked<'_, UnregisterClientRequest>,
) -> Response<UnregisterClientRequest> {
    let request = asked.header;
    if let Some(group) = &request.producer_group {
        parts.clients.producers.lock().unregister(group, asked.connection.id());
    }
    if let Some(group) = &request.consumer_group {
        let left = parts.clients.consumers.lock().unregister(group, asked.connection.id());
        if left {
            notify_group(parts, group);
        }
    }
    Ok(())
}

/// A connection is gone, and with it its member of every group.
pub(crate) fn connection_closed(parts: &Parts, connection: u64) {
    parts.clients.channels.remove(connection);
    parts.log.uncommitted.take(connection);
    parts.parking.forget(connection);
    parts.pop.parking.forget(connection);
    parts.clients.producers.lock().remove_channel(connection);
    let groups = parts.clients.consumers.lock().remove_channel(connection);
    for group in groups {
        notify_group(parts, &group);
    }
}

/// Forgets and disconnects clients that fell silent.
pub(crate) fn expire_members(parts: &Parts) {
    let (passed, timeout) = (parts.log.passed(), millis(parts.settings.live().channel_expiry));
    let mut gone = parts.clients.consumers.lock().expire(passed, timeout);
    gone.extend(parts.clients.producers.lock().expire(passed, timeout));
    parts.clients.channels.close(&gone);
    parts.clients.locks.lock().expire(passed);
}

/// GET_CONSUMER_LIST_BY_GROUP (38). A member that asks is told of conflicts as by a heartbeat.
pub(crate) fn consumer_list(
    parts: &Parts,
    asked: Asked<'_, GetConsumerListByGroupRequest>,
) -> Result<Answered<Json<ConsumerIdList>>, Refusal> {
    let (group, channel) = (asked.header.consumer_group, asked.connection.id());
    let listed = {
        let mut consumers = parts.clients.consumers.lock();
        consumers.heard(&group, channel).map(|live| (live.client_ids(), live.conflict(channel)))
    };
    let (consumer_id_list, conflict) =
        listed.ok_or_else(|| Refusal::system(format_args!("no consumer for this group, {group}")))?;
    let conflicts = conflict.into_iter().map(|conflict| (&group, conflict)).collect();
    Ok(with_conflicts(parts, Json(ConsumerIdList { consumer_id_list }), conflicts))
}

/// CHECK_CLIENT_CONFIG (46): whether the broker can evaluate a subscription.
pub(crate) fn check_client_config(
    parts: &Parts,
    asked: Asked<'_, CheckClientConfigRequest>,
) -> Response<CheckClientConfigRequest> {
    let Json(request) = asked.body;
    filter_of(&parts.settings, &request.subscription_data)?;
    Ok(())
}
