//! Groups as tools see them: 200, 201, 203, 204, 207, 225, 328, 352, 353.

use rocketmq_remoting::body::connection::{
    Connection, ConsumerConnection, ProducerConnection, ProducerInfo, ProducerTableInfo,
};
use rocketmq_remoting::body::group::{GroupForbidden, SubscriptionGroupConfig, SubscriptionGroupList};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::group::{
    DeleteSubscriptionGroupRequest, GetAllSubscriptionGroupConfigResponse, GetConsumerConnectionListRequest,
    GetProducerConnectionListRequest, GetSubscriptionGroupConfigRequest, UpdateGroupForbiddenRequest,
};
use rocketmq_remoting::{Command, ExtFields, Request};

use crate::broker::answer::{Refusal, Reply, body_of, ok, ok_json};
use crate::broker::clients::member::Member;
use crate::broker::core::Core;
use crate::broker::names;
use crate::broker::topics::table::{MAX_QUEUES, is_queue_count};

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200).
pub fn update(core: &Core, command: &Command) -> Reply {
    let config: SubscriptionGroupConfig = body_of(command)?;
    put(core, vec![config])
}

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225): all or none.
pub fn update_list(core: &Core, command: &Command) -> Reply {
    let body: SubscriptionGroupList = body_of(command)?;
    put(core, body.group_config_list)
}

fn put(core: &Core, configs: Vec<SubscriptionGroupConfig>) -> Reply {
    for config in &configs {
        names::check_group(&config.group_name).map_err(|error| names::illegal(&error))?;
        check_retry_queues(config)?;
    }
    core.groups.put(configs).map_err(Refusal::system)?;
    Ok(ok())
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
pub fn delete(core: &Core, command: &Command) -> Reply {
    let request = DeleteSubscriptionGroupRequest::from_ext(&command.ext)?;
    core.groups.remove(&request.group_name).map_err(Refusal::system)?;
    if request.clean_offset {
        core.offsets.lock().remove_group(&request.group_name);
    }
    Ok(ok())
}

/// GET_SUBSCRIPTIONGROUP_CONFIG (352). Asking for a group creates it where a heartbeat would, as in 5.4.0.
pub fn get(core: &Core, command: &Command) -> Reply {
    let request = GetSubscriptionGroupConfigRequest::from_ext(&command.ext)?;
    match core.groups.find(&request.group).map_err(Refusal::system)? {
        Some(config) => ok_json(&*config),
        None => Err(Refusal::no_group(&request.group)),
    }
}

/// GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).
pub fn all(core: &Core) -> Reply {
    let table = core.groups.snapshot();
    let header = GetAllSubscriptionGroupConfigResponse {
        total_group_num: i32::try_from(table.subscription_group_table.len()).ok(),
    };
    Ok(ok_json(&table)?.with_ext(ExtFields::from_header(&header)?))
}

/// UPDATE_AND_GET_GROUP_FORBIDDEN (353).
pub fn forbidden(core: &Core, command: &Command) -> Reply {
    let request = UpdateGroupForbiddenRequest::from_ext(&command.ext)?;
    if let Some(readable) = request.readable {
        names::check_group(&request.group).map_err(|error| names::illegal(&error))?;
        names::check_topic(&request.topic).map_err(|error| names::illegal(&error))?;
        core.groups.set_readable(&request.group, &request.topic, readable).map_err(Refusal::system)?;
    }
    ok_json(&GroupForbidden {
        readable: Some(core.groups.is_readable(&request.group, &request.topic)),
        group: request.group,
        topic: request.topic,
    })
}

/// GET_CONSUMER_CONNECTION_LIST (203).
pub fn consumer_connections(core: &Core, command: &Command) -> Reply {
    let group = GetConsumerConnectionListRequest::from_ext(&command.ext)?.consumer_group;
    let consumers = core.consumers.lock();
    let live = consumers.group(&group).ok_or_else(|| {
        let remark = format!("the consumer group[{group}] not online");
        Refusal::new(ResponseCode::CONSUMER_NOT_ONLINE, remark)
    })?;
    ok_json(&ConsumerConnection {
        connection_set: live.members().map(connection_of).collect(),
        subscription_table: live
            .subscriptions()
            .iter()
            .map(|(topic, data)| (topic.clone(), (**data).clone()))
            .collect(),
        consume_type: live.consume_type(),
        message_model: live.message_model(),
        consume_from_where: live.consume_from_where(),
    })
}

/// GET_PRODUCER_CONNECTION_LIST (204).
pub fn producer_connections(core: &Core, command: &Command) -> Reply {
    let group = GetProducerConnectionListRequest::from_ext(&command.ext)?.producer_group;
    let members = core.producers.lock().members(&group);
    if members.is_empty() {
        return Err(Refusal::system(format_args!("the producer group[{group}] not exist")));
    }
    ok_json(&ProducerConnection { connection_set: members.iter().map(connection_of).collect() })
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
pub fn all_producers(core: &Core) -> Reply {
    let producers = core.producers.lock();
    let data = producers
        .all()
        .map(|(group, members)| (group.clone(), members.into_iter().map(producer_of).collect()))
        .collect();
    ok_json(&ProducerTableInfo { data })
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
