//! The progress of groups, for tools: 208, 300, 303, 308, 317, 343, 345.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_remoting::Json;
use rocketmq_remoting::body::offset::{
    ConsumeStats, ConsumeStatsList, ConsumeTimeSpanBody, CorrectionOffsets, OffsetWrapper, QueueTimeSpan,
};
use rocketmq_remoting::body::table::{GroupList, QuerySubscriptionResult, TopicList};
use rocketmq_remoting::requests::broker::GetBrokerConsumeStatsRequest;
use rocketmq_remoting::requests::group::{
    GetConsumeStatsRequest, QueryConsumeTimeSpanRequest, QuerySubscriptionByConsumerRequest,
    QueryTopicsByConsumerRequest,
};
use rocketmq_remoting::requests::offset::QueryCorrectionOffsetRequest;
use rocketmq_remoting::requests::topic::QueryTopicConsumeByWhoRequest;
use rocketmq_remoting::route::MessageQueue;

use super::parts::Parts;
use crate::exchange::{Asked, Refusal, Response};

/// Queues that one answer tells of: more of them do not fit into a frame.
const MOST_QUEUES: usize = 100_000;

/// GET_CONSUME_STATS (208): of one topic, of some, or of all the group has offsets for.
pub(crate) fn group(
    parts: &Parts,
    asked: Asked<'_, GetConsumeStatsRequest>,
) -> Response<GetConsumeStatsRequest> {
    let request = asked.header;
    let group = &request.consumer_group;
    let topics: BTreeSet<String> = match (request.topic.as_deref(), request.topic_list.as_deref()) {
        (Some(topic), _) if !topic.is_empty() => BTreeSet::from([topic.to_owned()]),
        (_, Some(list)) if !list.is_empty() => list.split(';').map(str::to_owned).collect(),
        _ => parts.offsets.lock().topics_of(group),
    };
    let (mut stats, mut room) = (ConsumeStats::default(), MOST_QUEUES);
    for topic in topics {
        add_topic(parts, &topic, group, &mut stats, &mut room)?;
        stats.consume_tps += parts.log.stats.traffic.get_tps(&topic, group);
    }
    Ok(Json(stats))
}

/// Adds the queues of a topic, and takes them off the `room` in the answer.
fn add_topic(
    parts: &Parts,
    topic: &str,
    group: &str,
    stats: &mut ConsumeStats,
    room: &mut usize,
) -> Result<(), Refusal> {
    let Some(config) = parts.topics.get(topic) else { return Ok(()) };
    let queues = usize::try_from(config.read_queue_nums).unwrap_or(0);
    *room = room.checked_sub(queues).ok_or_else(|| {
        Refusal::system(format_args!("there are more than {MOST_QUEUES} queues to tell of; name a topic"))
    })?;
    for queue in 0..config.read_queue_nums {
        let key = MessageQueue::new(topic, parts.settings.fixed.broker_name.as_str(), queue);
        stats.offset_table.insert(key, progress(parts, topic, group, queue));
    }
    Ok(())
}

fn progress(parts: &Parts, topic: &str, group: &str, queue: i32) -> OffsetWrapper {
    let committed = parts.offsets.lock().query(topic, group, queue);
    let consumer_offset = committed.unwrap_or(0).max(0);
    OffsetWrapper {
        broker_offset: parts.log.store.max_offset(topic, queue).max(0),
        consumer_offset,
        pull_offset: consumer_offset,
        last_timestamp: parts.log.store.store_time(topic, queue, consumer_offset - 1).unwrap_or(0),
    }
}

/// GET_BROKER_CONSUME_STATS (317).
pub(crate) fn broker(
    parts: &Parts,
    asked: Asked<'_, GetBrokerConsumeStatsRequest>,
) -> Response<GetBrokerConsumeStatsRequest> {
    let request = asked.header;
    let mut answer = ConsumeStatsList {
        broker_addr: Some(parts.settings.address.to_string()),
        ..ConsumeStatsList::default()
    };
    let mut room = MOST_QUEUES;
    for group in parts.groups.snapshot().subscription_group_table.into_keys() {
        let topics = parts.offsets.lock().topics_of(&group);
        let mut of_group = Vec::new();
        for topic in topics {
            let ordered = parts.topics.get(&topic).is_some_and(|config| config.order);
            if request.is_order && !ordered {
                continue;
            }
            let mut stats = ConsumeStats::default();
            add_topic(parts, &topic, &group, &mut stats, &mut room)?;
            let behind =
                stats.offset_table.values().map(|one| one.broker_offset.saturating_sub(one.consumer_offset));
            answer.total_diff = behind.fold(answer.total_diff, i64::saturating_add);
            of_group.push(stats);
        }
        answer.consume_stats_list.push(BTreeMap::from([(group, of_group)]));
    }
    Ok(Json(answer))
}

/// QUERY_TOPIC_CONSUME_BY_WHO (300).
pub(crate) fn groups_of_topic(
    parts: &Parts,
    asked: Asked<'_, QueryTopicConsumeByWhoRequest>,
) -> Response<QueryTopicConsumeByWhoRequest> {
    let topic = asked.header.topic;
    let mut groups = parts.clients.consumers.lock().groups_of_topic(&topic);
    groups.extend(parts.offsets.lock().groups_of(&topic));
    Ok(Json(GroupList { group_list: groups.into_iter().collect() }))
}

/// QUERY_TOPICS_BY_CONSUMER (343).
pub(crate) fn topics_of_group(
    parts: &Parts,
    asked: Asked<'_, QueryTopicsByConsumerRequest>,
) -> Response<QueryTopicsByConsumerRequest> {
    let group = asked.header.group;
    Ok(Json(TopicList {
        topic_list: parts.offsets.lock().topics_of(&group).into_iter().collect(),
        broker_addr: Some(parts.settings.address.to_string()),
    }))
}

/// QUERY_SUBSCRIPTION_BY_CONSUMER (345).
pub(crate) fn subscription(
    parts: &Parts,
    asked: Asked<'_, QuerySubscriptionByConsumerRequest>,
) -> Response<QuerySubscriptionByConsumerRequest> {
    let request = asked.header;
    let topic = request.topic.unwrap_or_default();
    let subscription_data = {
        let consumers = parts.clients.consumers.lock();
        let live = consumers.group(&request.group);
        live.and_then(|live| live.subscription(&topic)).map(|data| (**data).clone())
    };
    Ok(Json(QuerySubscriptionResult { group: request.group, topic, subscription_data }))
}

/// QUERY_CONSUME_TIME_SPAN (303).
pub(crate) fn time_span(
    parts: &Parts,
    asked: Asked<'_, QueryConsumeTimeSpanRequest>,
) -> Response<QueryConsumeTimeSpanRequest> {
    let request = asked.header;
    let config = parts.topics.get(&request.topic).ok_or_else(|| Refusal::no_topic(&request.topic))?;
    let spans = (0..config.read_queue_nums)
        .map(|queue| span_of(parts, &request.topic, &request.group, queue))
        .collect();
    Ok(Json(ConsumeTimeSpanBody { consume_time_span_set: spans }))
}

fn span_of(parts: &Parts, topic: &str, group: &str, queue: i32) -> QueueTimeSpan {
    let max = parts.log.store.max_offset(topic, queue);
    let committed = parts.offsets.lock().query(topic, group, queue).unwrap_or(0);
    let at = |offset| parts.log.store.store_time(topic, queue, offset);
    let min_time_stamp = parts.log.store.earliest_store_time(topic, queue);
    // The next message to consume tells how late the group is; at the end of the queue it is not late.
    let delay_time = if committed < max {
        at(committed).map_or(0, |stored| parts.log.now().saturating_sub(stored))
    } else {
        0
    };
    QueueTimeSpan {
        message_queue: MessageQueue::new(topic, parts.settings.fixed.broker_name.as_str(), queue),
        min_time_stamp,
        max_time_stamp: at(max - 1).unwrap_or(0),
        consume_time_stamp: at(committed.saturating_sub(1)).unwrap_or(min_time_stamp),
        delay_time,
    }
}

/// QUERY_CORRECTION_OFFSET (308): the lowest offset among the groups, or that of the compared group where it is lower.
pub(crate) fn correction_offsets(
    parts: &Parts,
    asked: Asked<'_, QueryCorrectionOffsetRequest>,
) -> Response<QueryCorrectionOffsetRequest> {
    let request = asked.header;
    let filtered: BTreeSet<&str> = request.filter_groups.as_deref().unwrap_or_default().split(',').collect();
    let offsets = parts.offsets.lock();
    let mut correction_offsets: BTreeMap<i32, i64> = BTreeMap::new();
    for group in offsets.groups_of(&request.topic) {
        if filtered.contains(group.as_str()) {
            continue;
        }
        for (queue, offset) in offsets.of(&request.topic, &group).into_iter().flatten() {
            let lowest = correction_offsets.entry(*queue).or_insert(*offset);
            *lowest = (*lowest).min(*offset);
        }
    }
    let compared = offsets.of(&request.topic, &request.compare_group);
    for (queue, offset) in compared.into_iter().flatten() {
        if correction_offsets.get(queue).is_some_and(|lowest| lowest > offset) {
            correction_offsets.insert(*queue, i64::MAX);
        }
    }
    Ok(Json(CorrectionOffsets { correction_offsets }))
}
