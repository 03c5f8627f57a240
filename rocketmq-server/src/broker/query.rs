//! Looking messages up: by key (12), by commit log offset (33), by queue index (321).

use std::sync::Arc;

use rocketmq_remoting::Json;
use rocketmq_remoting::body::broker::{ConsumeQueueData, QueryConsumeQueueBody};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::layout;
use rocketmq_remoting::requests::query::{
    QueryConsumeQueueRequest, QueryMessageRequest, QueryMessageResponse, ViewMessageRequest,
};

use super::pull::message::joined;
use crate::broker::acl::needs::{GET, SUB_OR_GET};
use crate::broker::clients::members::Members;
use crate::broker::log::Log;
use crate::broker::requests::Requests;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;
use crate::exchange::{Asked, Refusal, Response, on_disk};
use crate::store::KeyKind;

/// The most messages in the answer to a query by unique key. The request cannot ask for more.
const UNIQUE_KEY_LIMIT: usize = 32;
/// Units one request may look at.
const UNIT_LIMIT: i32 = 1000;

/// The parts of queries.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub clients: Arc<Members>,
}

/// The requests about stored messages.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<QueryMessageRequest>(|header, _| SUB_OR_GET.topic(&header.topic), on_disk(by_key));
    on.request::<ViewMessageRequest>(|header, _| SUB_OR_GET.stored_at(header.offset), on_disk(by_offset));
    on.request::<QueryConsumeQueueRequest>(
        |header, _| GET.topic(&header.topic).group(header.consumer_group.as_deref().unwrap_or_default()),
        on_disk(consume_queue),
    );
}

/// QUERY_MESSAGE (12).
pub(crate) fn by_key(parts: &Parts, asked: Asked<'_, QueryMessageRequest>) -> Response<QueryMessageRequest> {
    let request = asked.header;
    let wanted = usize::try_from(request.max_num).unwrap_or(0);
    let limit = if request.unique_key_query == Some(true) { UNIQUE_KEY_LIMIT } else { wanted };
    let limit = limit.min(parts.settings.live().max_query_messages);
    let kind = match request.index_type.as_deref() {
        Some("T") => KeyKind::Tag,
        _ => KeyKind::Key,
    };
    let found = parts.log.store.query(
        &request.topic,
        &request.key,
        kind,
        limit,
        request.begin_timestamp,
        request.end_timestamp,
    );
    let found = found.map_err(Refusal::system)?;
    let Some(newest) = found.last() else {
        let remark = "can not find message, maybe time range not correct";
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    };
    let header = QueryMessageResponse {
        index_last_update_timestamp: parts.log.now(),
        index_last_update_phyoffset: layout::peek_i64(newest, layout::PHYSICAL_OFFSET).unwrap_or(0),
    };
    Ok((header, joined(found)))
}

/// VIEW_MESSAGE_BY_ID (33).
pub(crate) fn by_offset(parts: &Parts, asked: Asked<'_, ViewMessageRequest>) -> Response<ViewMessageRequest> {
    let offset = asked.header.offset;
    let missing = || Refusal::system(format_args!("can not find message by the offset, {offset}"));
    parts.log.record_bytes(offset).ok_or_else(missing)
}

/// QUERY_CONSUME_QUEUE (321).
pub(crate) fn consume_queue(
    parts: &Parts,
    asked: Asked<'_, QueryConsumeQueueRequest>,
) -> Response<QueryConsumeQueueRequest> {
    let request = asked.header;
    let (topic, queue) = (&request.topic, request.queue_id);
    if parts.topics.get(topic).is_none() {
        return Err(Refusal::no_topic(topic));
    }
    let (min, max) = (parts.log.store.min_offset(topic, queue), parts.log.store.max_offset(topic, queue));
    let last = request.index.saturating_add(i64::from(request.count.clamp(0, UNIT_LIMIT))).min(max);
    let queue_data =
        (request.index.max(min)..last).filter_map(|index| unit(parts, topic, queue, index)).collect();
    let subscription_data = request.consumer_group.as_deref().and_then(|group| {
        let consumers = parts.clients.consumers.lock();
        consumers.group(group)?.subscription(topic).map(|data| (**data).clone())
    });
    Ok(Json(QueryConsumeQueueBody {
        // The words of a broker that keeps no bit maps beside its queues.
        filter_data: subscription_data.is_some().then(|| "null".to_owned()),
        subscription_data,
        queue_data,
        max_queue_index: max,
        min_queue_index: min,
    }))
}

/// As in Apache, `eval` speaks of bit maps in an extended queue, which there is none of.
fn unit(parts: &Parts, topic: &str, queue: i32, index: i64) -> Option<ConsumeQueueData> {
    let unit = parts.log.unit(topic, queue, index)?;
    Some(ConsumeQueueData {
        physic_offset: unit.physical_offset,
        physic_size: unit.size,
        tags_code: unit.tags_code,
        ..ConsumeQueueData::default()
    })
}
