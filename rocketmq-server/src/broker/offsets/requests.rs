//! Offsets: what a group committed (14, 15), what a queue holds (30, 31, 32), where a time lies (29), and the copies
//! tools and slaves ask for (43, 45, 314).

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::broker::{GetAllConsumerOffsetRequest, GetAllDelayOffsetRequest};
use rocketmq_remoting::requests::offset::{
    CloneGroupOffsetRequest, GetEarliestMessageStoreTimeRequest, GetMaxOffsetRequest, GetMinOffsetRequest,
    OffsetResponse, QueryConsumerOffsetRequest, SearchOffsetRequest, TimestampResponse,
    UpdateConsumerOffsetRequest,
};
use rocketmq_remoting::{Answered, Json};

use super::parts::Parts;
use super::start::is_young;
use super::table::Commit;
use crate::broker::names;
use crate::broker::topics::table::MAX_QUEUES;
use crate::exchange::{Asked, Refusal, Response};
use crate::store::Boundary;

/// QUERY_CONSUMER_OFFSET (14).
///
/// A group without an offset starts at 0 in a young queue, whatever it wishes. An empty queue is young, also one that nobody
/// has sent to yet: its group must not miss the first message, which may come before the group asks where the queue ends.
pub(crate) fn query(
    parts: &Parts,
    asked: Asked<'_, QueryConsumerOffsetRequest>,
) -> Response<QueryConsumerOffsetRequest> {
    let request = asked.header;
    let (topic, queue) = (&request.topic, request.queue_id);
    let stored = parts.offsets.lock().query(topic, &request.consumer_group, queue);
    if let Some(offset) = stored {
        return Ok(OffsetResponse { offset });
    }
    if request.set_zero_if_not_found == Some(false) {
        let remark = "Not found, do not set to zero, maybe this group boot first";
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    }
    if is_young(&parts.log, topic, queue) {
        return Ok(OffsetResponse { offset: 0 });
    }
    let remark = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";
    Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark))
}

/// UPDATE_CONSUMER_OFFSET (15).
pub(crate) fn update(
    parts: &Parts,
    asked: Asked<'_, UpdateConsumerOffsetRequest>,
) -> Result<Answered<()>, Refusal> {
    let request = asked.header;
    let (topic, group) = (&request.topic, &request.consumer_group);
    parts.check_group(topic, group)?;
    if parts.topics.get(topic).is_none() {
        return Err(Refusal::no_topic(topic));
    }
    // Not by the topic's own count: a consumer may still hold a queue of a topic that has fewer now.
    if !(0..MAX_QUEUES).contains(&request.queue_id) {
        let remark = format!("queueId is {}, but must be from 0 to {}", request.queue_id, MAX_QUEUES - 1);
        return Err(Refusal::invalid(remark));
    }
    let commit = parts.offsets.lock().commit(topic, group, request.queue_id, request.commit_offset);
    parts.offsets.keep(&parts.log.store).map_err(Refusal::system)?;
    Ok(match commit {
        Commit::Stored => Answered::from(()),
        Commit::Superseded => Answered::from(()).with_remark("Offset has been previously reset"),
    })
}

/// SEARCH_OFFSET_BY_TIMESTAMP (29).
pub(crate) fn search(parts: &Parts, asked: Asked<'_, SearchOffsetRequest>) -> Response<SearchOffsetRequest> {
    let request = asked.header;
    let upper = request.boundary_type.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("upper"));
    let boundary = if upper { Boundary::Upper } else { Boundary::Lower };
    let offset =
        parts.log.store.offset_by_time(&request.topic, request.queue_id, request.timestamp, boundary);
    Ok(OffsetResponse { offset })
}

/// GET_MAX_OFFSET (30): the offset the next message gets.
pub(crate) fn max(parts: &Parts, asked: Asked<'_, GetMaxOffsetRequest>) -> Response<GetMaxOffsetRequest> {
    let request = asked.header;
    let offset = parts.log.store.max_offset(&request.topic, request.queue_id);
    Ok(OffsetResponse { offset })
}

/// GET_MIN_OFFSET (31).
pub(crate) fn min(parts: &Parts, asked: Asked<'_, GetMinOffsetRequest>) -> Response<GetMinOffsetRequest> {
    let request = asked.header;
    let offset = parts.log.store.min_offset(&request.topic, request.queue_id);
    Ok(OffsetResponse { offset })
}

/// GET_EARLIEST_MSG_STORETIME (32); -1 when the queue is empty.
pub(crate) fn earliest(
    parts: &Parts,
    asked: Asked<'_, GetEarliestMessageStoreTimeRequest>,
) -> Response<GetEarliestMessageStoreTimeRequest> {
    let request = asked.header;
    let timestamp = parts.log.store.earliest_store_time(&request.topic, request.queue_id);
    Ok(TimestampResponse { timestamp })
}

/// GET_ALL_CONSUMER_OFFSET (43).
pub(crate) fn all(
    parts: &Parts,
    _: Asked<'_, GetAllConsumerOffsetRequest>,
) -> Response<GetAllConsumerOffsetRequest> {
    Ok(Json(parts.offsets.wrapper()))
}

/// GET_ALL_DELAY_OFFSET (45).
pub(crate) fn all_delay(
    parts: &Parts,
    _: Asked<'_, GetAllDelayOffsetRequest>,
) -> Response<GetAllDelayOffsetRequest> {
    Ok(Json(parts.delay.table()))
}

/// CLONE_GROUP_OFFSET (314).
pub(crate) fn clone_group(
    parts: &Parts,
    asked: Asked<'_, CloneGroupOffsetRequest>,
) -> Response<CloneGroupOffsetRequest> {
    let request = asked.header;
    let topic = request.topic.as_deref().filter(|topic| !topic.is_empty());
    names::check_group(&request.dest_group).map_err(|error| names::illegal(&error))?;
    parts.offsets.lock().clone_group(&request.src_group, &request.dest_group, topic);
    Ok(())
}
