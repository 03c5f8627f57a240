//! Offsets: what a group committed (14, 15), what a queue holds (30, 31, 32), where a time lies (29), and the copies
//! tools and slaves ask for (43, 45, 314).

use rocketmq_remoting::body::offset::ConsumerOffsetWrapper;
use rocketmq_remoting::body::topic::DataVersion;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::offset::{
    CloneGroupOffsetRequest, GetEarliestMessageStoreTimeRequest, GetMaxOffsetRequest, GetMinOffsetRequest,
    OffsetResponse, QueryConsumerOffsetRequest, SearchOffsetRequest, TimestampResponse,
    UpdateConsumerOffsetRequest,
};
use rocketmq_remoting::{Command, Request};

use super::table::Commit;
use super::young::is_young;
use crate::broker::answer::{Refusal, Reply, ok, ok_header, ok_json};
use crate::broker::core::Core;
use crate::broker::names;
use crate::broker::persist::tables::keep_offsets;
use crate::broker::topics::table::MAX_QUEUES;
use crate::store::Boundary;

/// QUERY_CONSUMER_OFFSET (14).
///
/// A group without an offset starts at 0 in a young queue, whatever it wishes. An empty queue is young, also one that nobody
/// has sent to yet: its group must not miss the first message, which may come before the group asks where the queue ends.
pub fn query(core: &Core, command: &Command) -> Reply {
    let request = QueryConsumerOffsetRequest::from_ext(&command.ext)?;
    let (topic, queue) = (&request.topic, request.queue_id);
    let stored = core.offsets.lock().query(topic, &request.consumer_group, queue);
    if let Some(offset) = stored {
        return ok_header(&OffsetResponse { offset });
    }
    if request.set_zero_if_not_found == Some(false) {
        let remark = "Not found, do not set to zero, maybe this group boot first";
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    }
    if is_young(core, topic, queue) {
        return ok_header(&OffsetResponse { offset: 0 });
    }
    let remark = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";
    Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark))
}

/// UPDATE_CONSUMER_OFFSET (15).
pub fn update(core: &Core, command: &Command) -> Reply {
    let request = UpdateConsumerOffsetRequest::from_ext(&command.ext)?;
    let (topic, group) = (&request.topic, &request.consumer_group);
    core.check_group_of(topic, group)?;
    if core.topics.get(topic).is_none() {
        return Err(Refusal::no_topic(topic));
    }
    // Not by the topic's own count: a consumer may still hold a queue of a topic that has fewer now.
    if !(0..MAX_QUEUES).contains(&request.queue_id) {
        let remark = format!("queueId is {}, but must be from 0 to {}", request.queue_id, MAX_QUEUES - 1);
        return Err(Refusal::invalid(remark));
    }
    let commit = core.offsets.lock().commit(topic, group, request.queue_id, request.commit_offset);
    keep_offsets(core).map_err(Refusal::system)?;
    Ok(match commit {
        Commit::Stored => ok(),
        Commit::Superseded => ok().with_remark("Offset has been previously reset"),
    })
}

/// SEARCH_OFFSET_BY_TIMESTAMP (29).
pub fn search(core: &Core, command: &Command) -> Reply {
    let request = SearchOffsetRequest::from_ext(&command.ext)?;
    let upper = request.boundary_type.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("upper"));
    let boundary = if upper { Boundary::Upper } else { Boundary::Lower };
    let offset = core.store.offset_by_time(&request.topic, request.queue_id, request.timestamp, boundary);
    ok_header(&OffsetResponse { offset })
}

/// GET_MAX_OFFSET (30): the offset the next message gets.
pub fn max(core: &Core, command: &Command) -> Reply {
    let request = GetMaxOffsetRequest::from_ext(&command.ext)?;
    let offset = core.store.max_offset(&request.topic, request.queue_id);
    ok_header(&OffsetResponse { offset })
}

/// GET_MIN_OFFSET (31).
pub fn min(core: &Core, command: &Command) -> Reply {
    let request = GetMinOffsetRequest::from_ext(&command.ext)?;
    let offset = core.store.min_offset(&request.topic, request.queue_id);
    ok_header(&OffsetResponse { offset })
}

/// GET_EARLIEST_MSG_STORETIME (32); -1 when the queue is empty.
pub fn earliest(core: &Core, command: &Command) -> Reply {
    let request = GetEarliestMessageStoreTimeRequest::from_ext(&command.ext)?;
    let timestamp = core.store.earliest_store_time(&request.topic, request.queue_id);
    ok_header(&TimestampResponse { timestamp })
}

/// GET_ALL_CONSUMER_OFFSET (43).
pub fn all(core: &Core) -> Reply {
    ok_json(&consumer_offsets(core))
}

/// What `consumerOffset.json` and slaves get.
pub fn consumer_offsets(core: &Core) -> ConsumerOffsetWrapper {
    ConsumerOffsetWrapper {
        data_version: Some(DataVersion::default()),
        offset_table: core.offsets.lock().snapshot(),
        ..ConsumerOffsetWrapper::default()
    }
}

/// GET_ALL_DELAY_OFFSET (45).
pub fn all_delay(core: &Core) -> Reply {
    ok_json(&core.delay.table())
}

/// CLONE_GROUP_OFFSET (314).
pub fn clone_group(core: &Core, command: &Command) -> Reply {
    let request = CloneGroupOffsetRequest::from_ext(&command.ext)?;
    let topic = request.topic.as_deref().filter(|topic| !topic.is_empty());
    names::check_group(&request.dest_group).map_err(|error| names::illegal(&error))?;
    core.offsets.lock().clone_group(&request.src_group, &request.dest_group, topic);
    Ok(ok())
}
