//! PEEK_MESSAGE (200052) looks without taking; POLLING_INFO (200055) counts those who wait.

use bytes::Bytes;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::pop::{
    PeekMessageRequest, PollingInfoRequest, PollingInfoResponse, PopMessageResponse,
};
use rocketmq_remoting::{Command, ExtFields, Request};

use super::checks::{Target, check_broker, check_target, queues};
use super::offset;
use super::retry_topic::Look;
use crate::broker::answer::{Reply, ok_header};
use crate::broker::core::Core;
use crate::broker::pull::message::joined;
use crate::store::{All, GetLimits};

/// PEEK_MESSAGE (200052).
pub fn peek(core: &Core, command: &Command) -> Reply {
    let request = PeekMessageRequest::from_ext(&command.ext)?;
    check_broker(core, "peeking")?;
    let target = Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id };
    let topic = check_target(core, target)?;
    let chance = rand::random_range(0..100);
    let look = offset::look(core, &request.topic, &request.consumer_group, chance);
    let mut peek = Peek { core, request: &request, records: Vec::new(), rest: 0 };
    if look.first {
        peek.retry_topic(look, chance);
    }
    for queue in queues(&topic, request.queue_id, chance) {
        peek.queue(&request.topic, queue);
    }
    if !look.first {
        peek.retry_topic(look, chance);
    }
    answer(peek.records, peek.rest)
}

fn answer(records: Vec<Bytes>, rest_num: i64) -> Reply {
    let header = ExtFields::from_header(&PopMessageResponse { rest_num, ..PopMessageResponse::default() })?;
    let (code, status) = match records.is_empty() {
        true => (ResponseCode::PULL_NOT_FOUND, "NO_MESSAGE_IN_QUEUE"),
        false => (ResponseCode::SUCCESS, "FOUND"),
    };
    Ok(Command::response(code).with_remark(status).with_ext(header).with_body(joined(records)))
}

struct Peek<'a> {
    core: &'a Core,
    request: &'a PeekMessageRequest,
    records: Vec<Bytes>,
    rest: i64,
}

impl Peek<'_> {
    fn retry_topic(&mut self, look: Look, chance: u32) {
        let name = look.origin.topic(&self.request.consumer_group, &self.request.topic);
        let Some(topic) = self.core.topics.get(&name) else { return };
        for queue in queues(&topic, -1, chance) {
            self.queue(&name, queue);
        }
    }

    fn queue(&mut self, topic: &str, queue: i32) {
        let store = &self.core.store;
        let start = offset::peek(self.core, topic, &self.request.consumer_group, queue);
        let range = store.min_offset(topic, queue)..=store.max_offset(topic, queue);
        let start = start.clamp(*range.start().min(range.end()), *range.end());
        self.rest += range.end() - start;
        let wanted = usize::try_from(self.request.max_msg_nums).unwrap_or(0);
        let size: usize = self.records.iter().map(Bytes::len).sum();
        let limits = GetLimits {
            max_messages: wanted.min(self.core.tuned().max_pull_messages).saturating_sub(self.records.len()),
            max_bytes: self.core.tuned().max_pull_bytes.saturating_sub(size),
        };
        if limits.max_messages > 0 && limits.max_bytes > 0 {
            self.records.extend(store.get(topic, queue, start, limits, &All).records);
        }
    }
}

/// POLLING_INFO (200055).
pub fn polling_info(core: &Core, command: &Command) -> Reply {
    let request = PollingInfoRequest::from_ext(&command.ext)?;
    check_broker(core, "peeking")?;
    let target = Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id };
    check_target(core, target)?;
    let waiting = core.pop.parking.pops_of(target.topic, target.group, target.queue);
    ok_header(&PollingInfoResponse { polling_num: i32::try_from(waiting).unwrap_or(i32::MAX) })
}
