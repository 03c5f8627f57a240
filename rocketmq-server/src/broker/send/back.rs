//! CONSUMER_SEND_MSG_BACK (36): a consumer returns a message it could not handle. Only its place in the log travels;
//! the broker still has the rest.

use rand::RngExt;
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId, Properties};
use rocketmq_remoting::requests::send::ConsumerSendMsgBackRequest;
use rocketmq_remoting::route::Perm;
use rocketmq_remoting::version::V3_4_9;

use super::parts::Parts;
use super::retry::{Fate, fate, sent_back, topic_of};
use crate::broker::topics::table::open_topic;
use crate::exchange::{Asked, Refusal, Response};

pub(crate) fn send_back(
    parts: &Parts,
    asked: Asked<'_, ConsumerSendMsgBackRequest>,
) -> Response<ConsumerSendMsgBackRequest> {
    let (version, request) = (asked.version(), asked.header);
    let group = &request.group;
    let config = parts.groups.required(group)?;
    if !Perm(parts.settings.live().broker_permission).is_writable() {
        return Err(Refusal::forbidden(format!(
            "the broker[{}] sending message is forbidden",
            parts.settings.address
        )));
    }
    if config.retry_queue_nums <= 0 {
        return Ok(());
    }
    let original =
        parts.log.store.read_at(request.offset).ok_or_else(|| {
            Refusal::system(format_args!("look message by offset failed, {}", request.offset))
        })?;
    let own_max = request.max_reconsume_times.filter(|_| version >= V3_4_9);
    let fate = fate(original.reconsume_times, own_max.unwrap_or(config.retry_max_times), request.delay_level);
    let queues = match fate {
        Fate::Again { .. } => config.retry_queue_nums,
        Fate::DeadLetter => 1,
    };
    parts.log.stats.traffic.send_backs(&counted_topic(parts, &original), group).add(1, 0);
    match store(parts, original.clone(), group, fate, queues) {
        Err(refusal) if refusal.is_final() && fate != Fate::DeadLetter => {
            tracing::warn!(group, topic = original.topic, offset = original.queue_offset, %refusal,
                "a message cannot be retried: it goes to the dead letters");
            store(parts, original, group, Fate::DeadLetter, 1)
        }
        stored => stored,
    }
}

/// Returns the topic that counts a send-back: the one where a retried message began, if there is such a topic. A client must
/// not be able to make up entries without end, by its request or by properties.
fn counted_topic(parts: &Parts, original: &MessageRecord) -> String {
    let properties = Properties::parse(&original.properties);
    let began = properties.retry_topic().filter(|topic| parts.topics.get(topic).is_some());
    began.unwrap_or(&original.topic).to_owned()
}

fn store(
    parts: &Parts,
    original: MessageRecord,
    group: &str,
    fate: Fate,
    queues: i32,
) -> Result<(), Refusal> {
    let topic = topic_of(fate, group);
    let config = parts.topics.ensure(&topic, || open_topic(&*topic, queues)).map_err(Refusal::system)?;
    if !config.perm.is_writable() {
        return Err(Refusal::forbidden(format!("the topic[{topic}] sending message is forbidden")));
    }
    let id = OffsetMessageId { host: original.store_host, offset: original.physical_offset };
    let queue = random_queue(config.write_queue_nums);
    let mut record = sent_back(original, topic, queue, fate, id.to_string());
    record.store_host = parts.settings.address;
    parts.log.put(record)?;
    Ok(())
}

/// Any queue of a topic.
pub(crate) fn random_queue(queues: i32) -> i32 {
    rand::rng().random_range(0..queues.max(1))
}
