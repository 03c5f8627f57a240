//! QUERY_ASSIGNMENT (400): the broker shares out its queues; SET_MESSAGE_REQUEST_MODE (401) and its table (402).

use rocketmq_remoting::Json;
use rocketmq_remoting::body::assignment::{
    MessageQueueAssignment, MessageRequestMode, QueryAssignmentBody, QueryAssignmentResult,
};
use rocketmq_remoting::body::heartbeat::MessageModel;
use rocketmq_remoting::requests::group::{
    GetAllMessageRequestModeRequest, QueryAssignmentRequest, SetMessageRequestModeRequest,
};
use rocketmq_remoting::route::MessageQueue;

use super::allocation::{averagely, by_circle};
use super::parts::Parts;
use crate::broker::names;
use crate::exchange::{Asked, Refusal, Response};

/// QUERY_ASSIGNMENT (400).
pub(crate) fn query(
    parts: &Parts,
    asked: Asked<'_, QueryAssignmentRequest>,
) -> Response<QueryAssignmentRequest> {
    let Json(request) = asked.body;
    let topic = &request.topic;
    let config = parts.topics.get(topic).ok_or_else(|| Refusal::no_topic(topic))?;
    let queues: Vec<i32> = (0..config.read_queue_nums).collect();
    let mode = mode_of(parts, topic, &request.consumer_group);
    let mine = match mode {
        MessageRequestMode::Pop => pop_share(parts, &request, &queues)?,
        MessageRequestMode::Pull if request.message_model == MessageModel::Broadcasting => queues,
        MessageRequestMode::Pull => match share(parts, &request, &queues)? {
            Some(mine) => mine,
            // Unknown members keep what they have.
            None => return Ok(Json(QueryAssignmentResult::default())),
        },
    };
    let assignment = |queue| MessageQueueAssignment {
        message_queue: MessageQueue::new(topic.as_str(), parts.settings.fixed.broker_name.as_str(), queue),
        mode,
        attachments: None,
    };
    Ok(Json(QueryAssignmentResult {
        message_queue_assignments: Some(mine.into_iter().map(assignment).collect()),
    }))
}

/// Retry topics are always pulled: POP has retry topics of its own.
fn mode_of(parts: &Parts, topic: &str, group: &str) -> MessageRequestMode {
    if names::is_retry(topic) {
        return MessageRequestMode::Pull;
    }
    parts.clients.request_modes.get(topic, group).map_or(MessageRequestMode::Pull, |mode| mode.mode)
}

/// The queues that a member pops: all, written -1, unless a setting of the group lets only some members share each queue.
fn pop_share(parts: &Parts, request: &QueryAssignmentBody, queues: &[i32]) -> Result<Vec<i32>, Refusal> {
    let mode = parts.clients.request_modes.get(&request.topic, &request.consumer_group);
    let further = usize::try_from(mode.map_or(0, |mode| mode.pop_share_queue_num)).unwrap_or(0);
    let members = members(parts, &request.consumer_group);
    let index = members.iter().position(|member| *member == request.client_id);
    let Some(index) = index.filter(|_| further > 0 && further + 1 < members.len() && !queues.is_empty())
    else {
        return Ok(vec![-1]);
    };
    if members.len() > queues.len() {
        return Ok(vec![queues[index % queues.len()]]);
    }
    let mut mine = Vec::new();
    for place in index..=index + further {
        mine.extend(allocate(&request.strategy_name, queues, members.len(), place % members.len())?);
    }
    Ok(mine)
}

/// The group's live members as Java sorts them: by UTF-16 units.
fn members(parts: &Parts, group: &str) -> Vec<String> {
    let mut members = {
        let consumers = parts.clients.consumers.lock();
        consumers.group(group).map(|live| live.client_ids()).unwrap_or_default()
    };
    members.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    members
}

fn share(parts: &Parts, request: &QueryAssignmentBody, queues: &[i32]) -> Result<Option<Vec<i32>>, Refusal> {
    let members = members(parts, &request.consumer_group);
    let Some(index) = members.iter().position(|member| *member == request.client_id) else {
        return Ok(None);
    };
    allocate(&request.strategy_name, queues, members.len(), index).map(Some)
}

fn allocate(strategy: &str, queues: &[i32], members: usize, index: usize) -> Result<Vec<i32>, Refusal> {
    match strategy {
        "" | "AVG" => Ok(averagely(queues, members, index)),
        "AVG_BY_CIRCLE" => Ok(by_circle(queues, members, index)),
        other => Err(Refusal::system(format_args!(
            "QueryAssignment: strategy {other:?} is neither AVG nor AVG_BY_CIRCLE"
        ))),
    }
}

/// SET_MESSAGE_REQUEST_MODE (401).
pub(crate) fn set_mode(
    parts: &Parts,
    asked: Asked<'_, SetMessageRequestModeRequest>,
) -> Response<SetMessageRequestModeRequest> {
    let Json(mode) = asked.body;
    if names::is_retry(&mode.topic) {
        return Err(Refusal::forbidden("retry topic is not allowed to set mode"));
    }
    if parts.topics.get(&mode.topic).is_none() {
        return Err(Refusal::no_topic(&mode.topic));
    }
    if parts.groups.find(&mode.consumer_group).map_err(Refusal::system)?.is_none() {
        return Err(Refusal::no_group(&mode.consumer_group));
    }
    parts.clients.request_modes.set(mode).map_err(Refusal::system)?;
    Ok(())
}

/// GET_ALL_MESSAGE_REQUEST_MODE (402).
pub(crate) fn all_modes(
    parts: &Parts,
    _: Asked<'_, GetAllMessageRequestModeRequest>,
) -> Response<GetAllMessageRequestModeRequest> {
    Ok(Json(parts.clients.request_modes.snapshot()))
}
