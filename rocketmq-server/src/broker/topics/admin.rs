//! Topics as tools see them: 17, 18, 21, 202, 215, 305, 316, 351.

use std::collections::BTreeMap;

use rocketmq_remoting::Json;
use rocketmq_remoting::body::offset::{TopicOffset, TopicStatsTable};
use rocketmq_remoting::body::table::TopicList;
use rocketmq_remoting::body::topic::{TopicConfig, TopicFilterType};
use rocketmq_remoting::requests::broker::CleanUnusedTopicRequest;
use rocketmq_remoting::requests::topic::{
    DeleteTopicRequest, GetAllTopicConfigRequest, GetAllTopicConfigResponse,
    GetSystemTopicListFromBrokerRequest, GetTopicConfigRequest, GetTopicStatsInfoRequest,
    UpdateTopicListRequest, UpdateTopicRequest,
};
use rocketmq_remoting::route::{MessageQueue, Perm};

use super::parts::Parts;
use super::table::{MAX_QUEUES, is_queue_count, topic_config};
use crate::broker::names;
use crate::exchange::{Asked, Refusal, Response};

/// The attribute that says what kind of messages a topic takes.
const MESSAGE_TYPE: &str = "message.type";

/// UPDATE_AND_CREATE_TOPIC (17).
pub(crate) fn update(parts: &Parts, asked: Asked<'_, UpdateTopicRequest>) -> Response<UpdateTopicRequest> {
    let request = asked.header;
    check_writable(&request.topic)?;
    let known = parts.topics.get(&request.topic);
    let topic_filter_type = match request.topic_filter_type.as_str() {
        "" | "SINGLE_TAG" => TopicFilterType::SingleTag,
        "MULTI_TAG" => TopicFilterType::MultiTag,
        other => {
            return Err(Refusal::system(format_args!(
                "topicFilterType {other:?} is neither SINGLE_TAG nor MULTI_TAG"
            )));
        }
    };
    let mut attributes = known.map(|config| config.attributes.clone()).unwrap_or_default();
    apply_attributes(&mut attributes, request.attributes.as_deref().unwrap_or_default())?;
    let config = TopicConfig {
        read_queue_nums: request.read_queue_nums,
        topic_filter_type,
        topic_sys_flag: request.topic_sys_flag.unwrap_or(0),
        order: request.order,
        attributes,
        ..topic_config(request.topic, request.write_queue_nums, Perm(request.perm))
    };
    put(parts, vec![config])
}

/// UPDATE_AND_CREATE_TOPIC_LIST (18): all or none.
pub(crate) fn update_list(
    parts: &Parts,
    asked: Asked<'_, UpdateTopicListRequest>,
) -> Response<UpdateTopicListRequest> {
    let Json(body) = asked.body;
    for config in &body.topic_config_list {
        check_writable(&config.topic_name)?;
    }
    put(parts, body.topic_config_list)
}

fn put(parts: &Parts, configs: Vec<TopicConfig>) -> Result<(), Refusal> {
    for config in &configs {
        check_queues(config)?;
        check_mixed(parts, config)?;
    }
    parts.topics.put(configs).map_err(Refusal::system)?;
    Ok(())
}

fn check_queues(config: &TopicConfig) -> Result<(), Refusal> {
    for (what, count) in
        [("readQueueNums", config.read_queue_nums), ("writeQueueNums", config.write_queue_nums)]
    {
        if !is_queue_count(count) {
            let topic = &config.topic_name;
            let remark = format!("{what} of topic {topic} is {count}, but must be from 0 to {MAX_QUEUES}");
            return Err(Refusal::invalid(remark));
        }
    }
    Ok(())
}

fn check_mixed(parts: &Parts, config: &TopicConfig) -> Result<(), Refusal> {
    let mixed = config.attributes.get(MESSAGE_TYPE).is_some_and(|kind| kind == "MIXED");
    if mixed && !parts.settings.live().mixed_message_type {
        return Err(Refusal::invalid("MIXED message type is not supported; set enableMixedMessageType=true"));
    }
    Ok(())
}

fn check_writable(topic: &str) -> Result<(), Refusal> {
    names::check_topic(topic).map_err(|error| names::illegal(&error))?;
    if names::is_system_topic(topic) {
        return Err(Refusal::invalid(format_args!("The topic[{topic}] is conflict with system topic.")));
    }
    Ok(())
}

/// Applies `+key=value,-key`.
fn apply_attributes(attributes: &mut BTreeMap<String, String>, changes: &str) -> Result<(), Refusal> {
    for change in changes.split(',').map(str::trim).filter(|change| !change.is_empty()) {
        let fault = || Refusal::invalid(format_args!("attribute {change:?} is neither +key=value nor -key"));
        if let Some(key) = change.strip_prefix('-') {
            attributes.remove(key);
        } else {
            let (key, value) =
                change.strip_prefix('+').and_then(|pair| pair.split_once('=')).ok_or_else(fault)?;
            attributes.insert(key.to_owned(), value.to_owned());
        }
    }
    Ok(())
}

/// DELETE_TOPIC_IN_BROKER (215): the topic, its POP retry topics, their offsets and queues.
pub(crate) fn delete(parts: &Parts, asked: Asked<'_, DeleteTopicRequest>) -> Response<DeleteTopicRequest> {
    let request = asked.header;
    let topic = &request.topic;
    if topic.trim().is_empty() {
        return Err(Refusal::invalid("The specified topic is blank."));
    }
    if names::is_system_topic(topic) {
        return Err(Refusal::invalid(format_args!("The topic[{topic}] is conflict with system topic.")));
    }
    let groups = parts.offsets.lock().groups_of(topic);
    for group in groups {
        delete_one(parts, &names::pop_retry_topic_v1(&group, topic))?;
        delete_one(parts, &names::pop_retry_topic_v2(&group, topic))?;
    }
    delete_one(parts, topic)?;
    Ok(())
}

fn delete_one(parts: &Parts, topic: &str) -> Result<(), Refusal> {
    if parts.topics.remove(topic).map_err(Refusal::system)? {
        parts.offsets.lock().remove_topic(topic);
        parts.log.stats.traffic.forget_topic(topic);
        parts.log.store.delete_topic(topic).map_err(Refusal::system)?;
    }
    Ok(())
}

/// GET_TOPIC_CONFIG (351).
pub(crate) fn get(parts: &Parts, asked: Asked<'_, GetTopicConfigRequest>) -> Response<GetTopicConfigRequest> {
    let request = asked.header;
    match parts.topics.get(&request.topic) {
        Some(config) => Ok(Json((*config).clone())),
        None => Err(Refusal::no_topic(&request.topic)),
    }
}

/// GET_ALL_TOPIC_CONFIG (21).
pub(crate) fn all(
    parts: &Parts,
    _: Asked<'_, GetAllTopicConfigRequest>,
) -> Response<GetAllTopicConfigRequest> {
    let table = parts.topics.snapshot();
    let header =
        GetAllTopicConfigResponse { total_topic_num: i32::try_from(table.topic_config_table.len()).ok() };
    Ok((header, Json(table)))
}

/// GET_TOPIC_STATS_INFO (202).
pub(crate) fn stats(
    parts: &Parts,
    asked: Asked<'_, GetTopicStatsInfoRequest>,
) -> Response<GetTopicStatsInfoRequest> {
    let request = asked.header;
    let topic = &request.topic;
    let config = parts.topics.get(topic).ok_or_else(|| Refusal::no_topic(topic))?;
    let queues = config.read_queue_nums.max(config.write_queue_nums);
    let offset_table = (0..queues)
        .map(|queue| {
            let key = MessageQueue::new(topic.as_str(), parts.settings.fixed.broker_name.as_str(), queue);
            (key, queue_stats(parts, topic, queue))
        })
        .collect();
    Ok(Json(TopicStatsTable { offset_table, topic_put_tps: parts.log.stats.traffic.put_tps(topic) }))
}

fn queue_stats(parts: &Parts, topic: &str, queue: i32) -> TopicOffset {
    let max_offset = parts.log.store.max_offset(topic, queue).max(0);
    TopicOffset {
        min_offset: parts.log.store.min_offset(topic, queue).max(0),
        max_offset,
        last_update_timestamp: parts.log.store.store_time(topic, queue, max_offset - 1).unwrap_or(0),
    }
}

/// GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305).
pub(crate) fn system_topics(
    parts: &Parts,
    _: Asked<'_, GetSystemTopicListFromBrokerRequest>,
) -> Response<GetSystemTopicListFromBrokerRequest> {
    let own = [parts.settings.fixed.cluster.clone(), parts.settings.fixed.broker_name.clone()];
    let table = parts.topics.snapshot().topic_config_table;
    let topic_list =
        table.into_keys().filter(|topic| names::is_system_topic(topic) || own.contains(topic)).collect();
    Ok(Json(TopicList { topic_list, broker_addr: None }))
}

/// CLEAN_UNUSED_TOPIC (316): drops the queues of topics that have no configuration any more.
pub(crate) fn clean_unused(
    parts: &Parts,
    _: Asked<'_, CleanUnusedTopicRequest>,
) -> Response<CleanUnusedTopicRequest> {
    for topic in parts.log.store.topics() {
        let known = parts.topics.get(&topic).is_some();
        if !known && !names::is_system_topic(&topic) {
            parts.log.store.delete_topic(&topic).map_err(Refusal::system)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_added_and_removed_by_their_sign() {
        let mut attributes = BTreeMap::from([("b".to_owned(), "1".to_owned())]);
        apply_attributes(&mut attributes, "+message.type=FIFO,-b").unwrap();
        assert_eq!(attributes, BTreeMap::from([("message.type".to_owned(), "FIFO".to_owned())]));
        assert!(apply_attributes(&mut attributes, "a=b").is_err());
    }
}
