//! Groups as tools see them: 200, 201, 203, 204, 207, 225, 328, 352, 353.

use rocketmq_remoting::Json;
use rocketmq_remoting::body::connection::{
    Connection, ConsumerConnection, ProducerConnection, ProducerInfo, ProducerTableInfo,
};
use rocketmq_remoting::body::group::{GroupForbidden, SubscriptionGroupConfig};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::group::{
    DeleteSubscriptionGroupRequest, GetAllProducerInfoRequest, GetAllSubscriptionGroupConfigRequest,
    GetAllSubscriptionGroupConfigResponse, GetConsumerConnectionListRequest,
    GetProducerConnectionListRequest, GetSubscriptionGroupConfigRequest, UpdateGroupForbiddenRequest,
    UpdateSubscriptionGroupListRequest, UpdateSubscriptionGroupRequest,
};

use super::parts::Parts;
use crate::broker::clients::member::Member;
use crate::broker::names;
use crate::broker::topics::table::{MAX_QUEUES, is_queue_count};
use crate::exchange::{Asked, Refusal, Response};

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200).
pub(crate) fn update(
    parts: &Parts,
    asked: Asked<'_, UpdateSubscriptionGroupRequest>,
) -> Response<UpdateSubscriptionGroupRequest> {
    let Json(config) = asked.body;
    put(parts, vec![config])
}

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225): all or none.
pub(crate) fn update_list(
    parts: &Parts,
    asked: Asked<'_, UpdateSubscriptionGroupListRequest>,
) -> Response<UpdateSubscriptionGroupListRequest> {
    let Json(body) = asked.body;
    put(parts, body.group_config_list)
}

fn put(parts: &Parts, configs: Vec<SubscriptionGroupConfig>) -> Result<(), Refusal> {
    for config in &configs {
        names::check_group(&config.group_name).map_err(|error| names::illegal(&error))?;
        check_retry_queues(config)?;
    }
    parts.groups.put(configs).map_err(Refusal::system)?;
    Ok(())
}

/// The retry topic of the group will have as many.
fn check_retry_queues(config: &SubscriptionGroupConfig) -> Result<(), Refusal> {
    let (group, count) = (&config.group_name, config.retry_queue_nums);
    if is_queue_count(count) {
        return Ok(());
    }
    let remark = format!("retryQueueNums of group {group} is {count}, but must be from 0 to {MAX_QUEUES}");
    Err(Refusal::invalid(remark))
}

/// DELETE_SUBSCRIPTIONGROUP (207).
pub(crate) fn delete(
    parts: &Parts,
    asked: Asked<'_, DeleteSubscriptionGroupRequest>,
) -> Response<DeleteSubscriptionGroupRequest> {
    let request = asked.header;
    parts.groups.remove(&request.group_name).map_err(Refusal::system)?;
    if request.clean_offset {
        parts.offsets.lock().remove_group(&request.group_name);
    }
    Ok(())
}

/// GET_SUBSCRIPTIONGROUP_CONFIG (352). Asking for a group creates it where a heartbeat would, as in 5.4.0.
pub(crate) fn get(
    parts: &Parts,
    asked: Asked<'_, GetSubscriptionGroupConfigRequest>,
) -> Response<GetSubscriptionGroupConfigRequest> {
    let request = asked.header;
    match parts.groups.find(&request.group).map_err(Refusal::system)? {
        Some(config) => Ok(Json((*config).clone())),
        None => Err(Refusal::no_group(&request.group)),
    }
}

/// GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).
pub(crate) fn all(
    parts: &Parts,
    _: Asked<'_, GetAllSubscriptionGroupConfigRequest>,
) -> Response<GetAllSubscriptionGroupConfigRequest> {
    let table = parts.groups.snapshot();
    let header = GetAllSubscriptionGroupConfigResponse {
        total_group_num: i32::try_from(table.subscription_group_table.len()).ok(),
    };
    Ok((header, Json(table)))
}

/// UPDATE_AND_GET_GROUP_FORBIDDEN (353).
pub(crate) fn forbidden(
    parts: &Parts,
    asked: Asked<'_, UpdateGroupForbiddenRequest>,
) -> Response<UpdateGroupForbiddenRequest> {
    let request = asked.header;
    if let Some(readable) = request.readable {
        names::check_group(&request.group).map_err(|error| names::illegal(&error))?;
        names::check_topic(&request.topic).map_err(|error| names::illegal(&error))?;
        parts.groups.set_readable(&request.group, &request.topic, readable).map_err(Refusal::system)?;
    }
    Ok(Json(GroupForbidden {
        readable: Some(parts.groups.is_readable(&request.group, &request.topic)),
        group: request.group,
        topic: request.topic,
    }))
}

/// GET_CONSUMER_CONNECTION_LIST (203).
pub(crate) fn consumer_connections(
    parts: &Parts,
    asked: Asked<'_, GetConsumerConnectionListRequest>,
) -> Response<GetConsumerConnectionListRequest> {
    let group = asked.header.consumer_group;
    let consumers = parts.clients.consumers.lock();
    let live = consumers.group(&group).ok_or_else(|| {
        let remark = format!("the consumer group[{group}] not online");
        Refusal::new(ResponseCode::CONSUMER_NOT_ONLINE, remark)
    })?;
    Ok(Json(ConsumerConnection {
        connection_set: live.members().map(connection_of).collect(),
        subscription_table: live
            .subscriptions()
            .iter()
            .map(|(topic, data)| (topic.clone(), (**data).clone()))
            .collect(),
        consume_type: live.consume_type(),
        message_model: live.message_model(),
        consume_from_where: live.consume_from_where(),
    }))
}

/// GET_PRODUCER_CONNECTION_LIST (204).
pub(crate) fn producer_connections(
    parts: &Parts,
    asked: Asked<'_, GetProducerConnectionListRequest>,
) -> Response<GetProducerConnectionListRequest> {
    let group = asked.header.producer_group;
    let members = parts.clients.producers.lock().members(&group);
    if members.is_empty() {
        return Err(Refusal::system(format_args!("the producer group[{group}] not exist")));
    }
    Ok(Json(ProducerConnection { connection_set: members.iter().map(connection_of).collect() }))
}

fn connection_of(member: &Member) -> Connection {
    Connection {
        client_id: member.client_id.clone(),
        client_addr: member.peer.to_string(),
        language: member.language.name().map(str::to_owned),
        version: member.version,
    }
}

/// GET_ALL_PRODUCER_INFO (328).
pub(crate) fn all_producers(
    parts: &Parts,
    _: Asked<'_, GetAllProducerInfoRequest>,
) -> Response<GetAllProducerInfoRequest> {
    let producers = parts.clients.producers.lock();
    let data = producers
        .all()
        .map(|(group, members)| (group.clone(), members.into_iter().map(producer_of).collect()))
        .collect();
    Ok(Json(ProducerTableInfo { data }))
}

fn producer_of(member: &Member) -> ProducerInfo {
    ProducerInfo {
        client_id: member.client_id.clone(),
        // As Java writes an address that was never looked up by name.
        remote_ip: format!("/{}", member.peer),
        language: member.language.name().map(str::to_owned),
        version: member.version,
        last_update_timestamp: member.last_seen,
    }
}
