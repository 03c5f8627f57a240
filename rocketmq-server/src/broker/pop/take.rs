//! One pop: visits queues, takes what is there, and leaves a checkpoint for what it took.

use bytes::{Bytes, BytesMut};
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, layout};
use rocketmq_remoting::receipt::{ORDER_QUEUE, Origin, PopReceipt};
use rocketmq_remoting::requests::pop::PopMessageRequest;

use super::checks::queues;
use super::offset;
use super::order::OrderedPop;
use super::parts::Parts;
use super::receipt::OffsetInfo;
use super::revive_log::Checkpoint;
use crate::exchange::Refusal;
use crate::filter::Filter;
use crate::store::{Fetched, GetLimits, GetStatus, Reach};

/// The result of a pop.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub records: Vec<Bytes>,
    bytes: usize,
    /// Messages seen and left behind.
    pub rest: i64,
    pub info: OffsetInfo,
    /// The sum of [`ends`] before the first read. If it is larger later, a message has come meanwhile.
    pub ends: i64,
    /// True if the group moved on in some queue, even if only past messages that it does not want.
    pub moved: bool,
    /// Milliseconds since 1970.
    pub pop_time: i64,
    pub revive_queue: i32,
    /// True if it ended at messages beyond its reach.
    pub is_cut: bool,
}

/// One queue of the topic or of a retry topic.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    topic: &'a str,
    origin: Origin,
    queue: i32,
}

/// Pops once. It ends at the first messages that are beyond `reach`.
pub(crate) fn take(
    parts: &Parts,
    topic: &TopicConfig,
    request: &PopMessageRequest,
    filter: &Filter,
    reach: Reach,
) -> Taken {
    let chance = rand::random_range(0..100);
    let revive_queue = match request.order {
        true => ORDER_QUEUE,
        false => parts.state.next_revive_queue(parts.settings.fixed.revive_queues),
    };
    let ends = ends(parts, topic, request);
    let taken = Taken { pop_time: parts.log.now(), revive_queue, ends, ..Taken::default() };
    let mut round = Round { parts, request, filter, reach, taken };
    let plan = offset::plan(parts, &request.topic, &request.consumer_group, chance);
    if plan.first {
        round.retry_topic(plan.origin, chance);
    }
    for queue in queues(topic, request.queue_id, chance) {
        round.queue(Place { topic: &request.topic, origin: Origin::Topic, queue });
    }
    if !plan.first {
        round.retry_topic(plan.origin, chance);
    }
    round.taken
}

/// The ends of all queues that a pop may visit, added up.
pub(crate) fn ends(parts: &Parts, topic: &TopicConfig, request: &PopMessageRequest) -> i64 {
    let own: i64 = queues(topic, request.queue_id, 0)
        .into_iter()
        .map(|queue| parts.log.store.max_offset(&request.topic, queue))
        .sum();
    if request.order { own } else { own + retry_end(parts, request) }
}

fn retry_end(parts: &Parts, request: &PopMessageRequest) -> i64 {
    [Origin::RetryV1, Origin::RetryV2]
        .map(|origin| parts.log.store.max_offset(&origin.topic(&request.consumer_group, &request.topic), 0))
        .into_iter()
        .sum()
}

struct Round<'a> {
    parts: &'a Parts,
    request: &'a PopMessageRequest,
    filter: &'a Filter,
    reach: Reach,
    taken: Taken,
}

impl Round<'_> {
    fn retry_topic(&mut self, origin: Origin, chance: u32) {
        if self.request.order {
            return;
        }
        let name = origin.topic(&self.request.consumer_group, &self.request.topic);
        let Some(topic) = self.parts.topics.get(&name) else { return };
        for queue in queues(&topic, -1, chance) {
            self.queue(Place { topic: &name, origin, queue });
        }
    }

    fn queue(&mut self, place: Place<'_>) {
        let (parts, group) = (self.parts, &self.request.consumer_group);
        let _guard = parts.state.lock(place.topic, group, place.queue);
        let start = offset::next(parts, place.topic, group, place.queue, self.request.init_mode);
        if self.is_blocked(place) {
            return;
        }
        let Some(limits) = self.room().filter(|_| !self.taken.is_cut) else {
            return self.leave(place, start);
        };
        let Some((start, fetched)) = self.fetch(place, start, limits) else {
            self.taken.is_cut = true;
            return self.leave(place, start);
        };
        self.taken.rest += (fetched.max - fetched.next_begin).max(0);
        if fetched.records.is_empty() {
            self.skip(place, start, &fetched);
        } else if let Err(refusal) = self.accept(place, start, fetched) {
            tracing::warn!(topic = place.topic, queue = place.queue, %refusal, "nothing popped: no checkpoint");
        }
    }

    /// Leaves what a queue has from `start` on to another pop.
    fn leave(&mut self, place: Place<'_>, start: i64) {
        self.taken.rest += (self.parts.log.store.max_offset(place.topic, place.queue) - start).max(0);
    }

    fn is_blocked(&self, place: Place<'_>) -> bool {
        let (request, orders) = (self.request, &self.parts.state.orders);
        let attempt = request.attempt_id.as_deref();
        let now = self.taken.pop_time;
        request.order && orders.is_blocked(place.topic, &request.consumer_group, place.queue, attempt, now)
    }

    fn room(&self) -> Option<GetLimits> {
        let wanted = usize::try_from(self.request.max_msg_nums).unwrap_or(0);
        let max_messages = wanted.saturating_sub(self.taken.records.len());
        let max_bytes = self.parts.settings.live().max_pull_bytes.saturating_sub(self.taken.bytes);
        (max_messages > 0 && max_bytes > 0).then_some(GetLimits { max_messages, max_bytes })
    }

    /// Reads from `start`, or from where the queue really goes on; says from where. `None` when that is beyond the reach.
    fn fetch(&self, place: Place<'_>, start: i64, limits: GetLimits) -> Option<(i64, Fetched)> {
        let fetched = self.read(place, start, limits)?;
        let misplaced = match fetched.status {
            GetStatus::OffsetTooSmall | GetStatus::OffsetOverflowBadly => true,
            GetStatus::OffsetFoundNull if self.reach == Reach::Memory => return None,
            // Also said when the queue's file cannot be read, which is no reason to leave its messages behind.
            GetStatus::OffsetFoundNull => {
                self.parts.log.store.units(place.topic, place.queue, start, 1).is_ok()
            }
            _ => false,
        };
        if !misplaced {
            return Some((start, fetched));
        }
        let real = fetched.next_begin.min(fetched.max);
        offset::commit(self.parts, place.topic, &self.request.consumer_group, place.queue, real);
        Some((real, self.read(place, real, limits)?))
    }

    fn read(&self, place: Place<'_>, from: i64, limits: GetLimits) -> Option<Fetched> {
        let store = &self.parts.log.store;
        match self.reach {
            Reach::Memory => store.get_at_once(place.topic, place.queue, from, limits, self.filter),
            Reach::Disk => Some(store.get(place.topic, place.queue, from, limits, self.filter)),
        }
    }

    /// Moves past messages that nobody wants or that are gone.
    fn skip(&mut self, place: Place<'_>, start: i64, fetched: &Fetched) {
        let gone = matches!(fetched.status, GetStatus::NoMatchedMessage | GetStatus::MessageWasRemoving);
        if gone && fetched.next_begin > start {
            let group = &self.request.consumer_group;
            offset::commit(self.parts, place.topic, group, place.queue, fetched.next_begin);
            self.taken.moved = true;
        }
    }

    fn accept(&mut self, place: Place<'_>, start: i64, fetched: Fetched) -> Result<(), Refusal> {
        let offsets: Vec<i64> = fetched.records.iter().filter_map(|record| queue_offset(record)).collect();
        if self.request.order {
            self.note_order(place, start, &offsets);
        } else {
            let checkpoint = self.checkpoint(place, start, &offsets);
            self.parts.log.put(checkpoint.record(&self.parts.log, self.taken.revive_queue)?)?;
            let group = &self.request.consumer_group;
            offset::commit(self.parts, place.topic, group, place.queue, fetched.next_begin);
        }
        self.taken.moved = true;
        self.taken.bytes += fetched.bytes;
        self.taken.info.queue(place.origin, place.queue, start, &offsets);
        for record in fetched.records {
            let record = self.dressed(place, start, record);
            self.taken.records.push(record);
        }
        Ok(())
    }

    fn note_order(&mut self, place: Place<'_>, start: i64, offsets: &[i64]) {
        let (parts, request) = (self.parts, self.request);
        let pop = OrderedPop {
            attempt: request.attempt_id.as_deref(),
            pop_time: self.taken.pop_time,
            invisible_time: request.invisible_time,
            offsets,
        };
        let counts = parts.state.orders.popped(place.topic, &request.consumer_group, place.queue, pop);
        for (offset, count) in counts.by_offset {
            self.taken.info.message_count(place.queue, offset, count);
        }
        self.taken.info.queue_count(place.queue, counts.least);
        offset::commit(parts, place.topic, &request.consumer_group, place.queue, start);
        // Time may let this queue go before anything else ends.
        parts.state.parking.deadlines.notify_one();
    }

    fn checkpoint(&self, place: Place<'_>, start: i64, offsets: &[i64]) -> Checkpoint {
        let distance = |offset: &i64| i32::try_from(offset - start).unwrap_or(i32::MAX);
        Checkpoint {
            broker_name: self.parts.settings.fixed.broker_name.clone(),
            group: self.request.consumer_group.clone(),
            diffs: offsets.iter().map(distance).collect(),
            invisible_time: self.request.invisible_time,
            count: i32::try_from(offsets.len()).unwrap_or(i32::MAX),
            pop_time: self.taken.pop_time,
            queue_id: place.queue,
            start_offset: start,
            topic: place.topic.to_owned(),
            ..Checkpoint::default()
        }
    }

    /// A message as the client gets it: from a retry topic under its first topic's name and with its receipt, since the
    /// client could not make that out.
    fn dressed(&self, place: Place<'_>, start: i64, record: Bytes) -> Bytes {
        if place.origin == Origin::Topic || self.parts.settings.live().pop.actual_retry_topic {
            return record;
        }
        let Ok(mut message) = MessageRecord::decode(&mut record.clone()) else { return record };
        let mut properties = Properties::parse(&message.properties);
        if properties.pop_receipt().is_none() {
            properties.set(property::POP_CK, self.receipt(place, start, message.queue_offset).to_string());
        }
        message.properties = properties.encode_stored();
        message.topic.clone_from(&self.request.topic);
        let mut out = BytesMut::new();
        match message.encode(&mut out) {
            Ok(()) => out.freeze(),
            Err(_) => record,
        }
    }

    fn receipt(&self, place: Place<'_>, start: i64, offset: i64) -> PopReceipt {
        PopReceipt {
            checkpoint_offset: start,
            pop_time: self.taken.pop_time,
            invisible_ms: self.request.invisible_time,
            revive_queue: self.taken.revive_queue,
            origin: place.origin,
            broker: self.parts.settings.fixed.broker_name.clone(),
            queue_id: place.queue,
            queue_offset: offset,
        }
    }
}

fn queue_offset(record: &[u8]) -> Option<i64> {
    layout::peek_i64(record, layout::QUEUE_OFFSET)
}
