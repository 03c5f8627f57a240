//! PEEK_MESSAGE (200052) looks without taking; POLLING_INFO (200055) counts those who wait.

use bytes::Bytes;
use rocketmq_remoting::Answered;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::pop::{
    PeekMessageRequest, PollingInfoRequest, PollingInfoResponse, PopMessageResponse,
};

use super::checks::{Target, check_broker, check_target, queues};
use super::offset;
use super::parts::Parts;
use super::retry_topic::RetryPlan;
use crate::broker::pull::message::joined;
use crate::exchange::{Asked, Refusal, Response};
use crate::store::{All, GetLimits};

/// PEEK_MESSAGE (200052).
pub(crate) fn peek(parts: &Parts, asked: Asked<'_, PeekMessageRequest>) -> Result<Answered<Peeked>, Refusal> {
    let request = asked.header;
    check_broker(parts, "peeking")?;
    let target = Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id };
    let topic = check_target(parts, target)?;
    let chance = rand::random_range(0..100);
    let plan = offset::plan(parts, &request.topic, &request.consumer_group, chance);
    let mut peek = Peek { parts, request: &request, records: Vec::new(), rest: 0 };
    if plan.first {
        peek.retry_topic(plan, chance);
    }
    for queue in queues(&topic, request.queue_id, chance) {
        peek.queue(&request.topic, queue);
    }
    if !plan.first {
        peek.retry_topic(plan, chance);
    }
    Ok(answer(peek.records, peek.rest))
}

type Peeked = (PopMessageResponse, Bytes);

fn answer(records: Vec<Bytes>, rest_num: i64) -> Answered<Peeked> {
    let header = PopMessageResponse { rest_num, ..PopMessageResponse::default() };
    let (code, status) = match records.is_empty() {
        true => (ResponseCode::PULL_NOT_FOUND, "NO_MESSAGE_IN_QUEUE"),
        false => (ResponseCode::SUCCESS, "FOUND"),
    };
    Answered::with_code(code, (header, joined(records))).with_remark(status)
}

struct Peek<'a> {
    parts: &'a Parts,
    request: &'a PeekMessageRequest,
    records: Vec<Bytes>,
    rest: i64,
}

impl Peek<'_> {
    fn retry_topic(&mut self, plan: RetryPlan, chance: u32) {
        let name = plan.origin.topic(&self.request.consumer_group, &self.request.topic);
        let Some(topic) = self.parts.topics.get(&name) else { return };
        for queue in queues(&topic, -1, chance) {
            self.queue(&name, queue);
        }
    }

    fn queue(&mut self, topic: &str, queue: i32) {
        let store = &self.parts.log.store;
        let start = offset::peek(self.parts, topic, &self.request.consumer_group, queue);
        let range = store.min_offset(topic, queue)..=store.max_offset(topic, queue);
        let start = start.clamp(*range.start().min(range.end()), *range.end());
        self.rest += range.end() - start;
        let wanted = usize::try_from(self.request.max_msg_nums).unwrap_or(0);
        let size: usize = self.records.iter().map(Bytes::len).sum();
        let limits = GetLimits {
            max_messages: wanted
                .min(self.parts.settings.live().max_pull_messages)
                .saturating_sub(self.records.len()),
            max_bytes: self.parts.settings.live().max_pull_bytes.saturating_sub(size),
        };
        if limits.max_messages > 0 && limits.max_bytes > 0 {
            self.records.extend(store.get(topic, queue, start, limits, &All).records);
        }
    }
}

/// POLLING_INFO (200055).
pub(crate) fn polling_info(
    parts: &Parts,
    asked: Asked<'_, PollingInfoRequest>,
) -> Response<PollingInfoRequest> {
    let request = asked.header;
    check_broker(parts, "peeking")?;
    let target = Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id };
    check_target(parts, target)?;
    let waiting = parts.state.parking.pops_of(target.topic, target.group, target.queue);
    Ok(PollingInfoResponse { polling_num: i32::try_from(waiting).unwrap_or(i32::MAX) })
}
