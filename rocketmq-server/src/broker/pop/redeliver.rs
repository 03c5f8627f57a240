//! Hands a message out again, or gives it up: the record that goes into the retry topic or the dead letter queue.

use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId};

use super::parts::Parts;
use super::retry_topic::{destination, normal_topic};
use super::revive_log::Checkpoint;
use crate::broker::log::notes;
use crate::broker::log::set_aside::{Place, lost, set_aside};
use crate::broker::names;
use crate::broker::send::retry::{Fate, sent_back};
use crate::broker::topics::table::open_topic;
use crate::exchange::Refusal;

/// Seconds until the next try after so many failures.
const PAUSES: [i64; 17] =
    [10, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

/// Returns true if topic and group of a checkpoint still exist.
pub(crate) fn is_wanted(parts: &Parts, checkpoint: &Checkpoint) -> bool {
    let topic = normal_topic(&checkpoint.topic, &checkpoint.group);
    parts.topics.get(topic).is_some() && parts.groups.get(&checkpoint.group).is_some()
}

/// Hands out again one message of a checkpoint, or gives it up when it has no room for that. One that is no longer in the log
/// is passed over.
///
/// # Errors
/// The store refuses at the moment, or the queue cannot be read.
pub(crate) fn redeliver(parts: &Parts, checkpoint: &Checkpoint, offset: i64) -> Result<(), Refusal> {
    let place = Place { topic: &checkpoint.topic, queue: checkpoint.queue_id, offset };
    let found = parts.log.message_at(place.topic, place.queue, offset).map_err(Refusal::system)?;
    let Some(original) = found else {
        lost(&parts.log, place, 1);
        return Ok(());
    };
    let fate = match is_exhausted(parts, &checkpoint.group, original.reconsume_times) {
        true => give_up(parts, checkpoint, original),
        false => hand_out_again(parts, checkpoint, original.clone()).or_else(|refusal| {
            if refusal.is_final() { give_up(parts, checkpoint, original) } else { Err(refusal) }
        }),
    };
    match fate {
        Err(refusal) if refusal.is_final() => {
            set_aside(&parts.log, place, &refusal);
            Ok(())
        }
        fate => fate,
    }
}

/// Apache's broker hands a popped message out for ever. Here `retryMaxTimes` of the group counts, as it does for
/// messages that are sent back: one that nobody can handle ends in the dead letter queue. Below 0 there is no limit.
fn is_exhausted(parts: &Parts, group: &str, reconsume_times: i32) -> bool {
    parts
        .groups
        .get(group)
        .is_some_and(|config| config.retry_max_times >= 0 && reconsume_times >= config.retry_max_times)
}

fn hand_out_again(parts: &Parts, checkpoint: &Checkpoint, original: MessageRecord) -> Result<(), Refusal> {
    let topic = destination(&parts.settings.live().pop, &checkpoint.group, &checkpoint.topic);
    let record = again(original, topic.clone(), checkpoint, parts.settings.address);
    // A pop adds its receipt to the properties.
    notes::check_room(&record)?;
    ensure_retry_topic(parts, &topic, &checkpoint.group)?;
    parts.log.append(record)?;
    Ok(())
}

/// A new retry topic is popped from its first message on, even by groups that begin with the newest.
fn ensure_retry_topic(parts: &Parts, topic: &str, group: &str) -> Result<(), Refusal> {
    parts.topics.ensure(topic, || open_topic(topic, 1)).map_err(Refusal::system)?;
    let mut offsets = parts.offsets.lock();
    if offsets.query(topic, group, 0).is_none() {
        offsets.commit(topic, group, 0, 0);
    }
    Ok(())
}

fn again(
    original: MessageRecord,
    topic: String,
    checkpoint: &Checkpoint,
    address: std::net::SocketAddr,
) -> MessageRecord {
    let mut properties = Properties::parse(&original.properties);
    if original.reconsume_times == 0 || properties.get(property::FIRST_POP_TIME).is_none() {
        notes::note(&mut properties, property::FIRST_POP_TIME, checkpoint.pop_time.to_string());
    }
    notes::note(&mut properties, property::ORIGIN_GROUP, checkpoint.group.as_str());
    MessageRecord {
        topic,
        queue_id: 0,
        properties: notes::encode(&properties),
        reconsume_times: original.reconsume_times.saturating_add(1),
        prepared_transaction_offset: 0,
        born_host: address,
        store_host: address,
        ..original
    }
}

fn give_up(parts: &Parts, checkpoint: &Checkpoint, mut original: MessageRecord) -> Result<(), Refusal> {
    let dead_letters = names::dlq_topic(&checkpoint.group);
    parts.topics.ensure(&dead_letters, || open_topic(&*dead_letters, 1)).map_err(Refusal::system)?;
    let id = OffsetMessageId { host: original.store_host, offset: original.physical_offset };
    original.topic = normal_topic(&checkpoint.topic, &checkpoint.group).to_owned();
    let mut dead = sent_back(original, dead_letters, 0, Fate::DeadLetter, id.to_string());
    dead.store_host = parts.settings.address;
    parts.log.append(dead)?;
    Ok(())
}

/// Keeps a message that could not be handed out again, in a checkpoint of its own that waits longer each time.
///
/// # Errors
/// The store refuses this too.
pub(crate) fn postpone(
    parts: &Parts,
    checkpoint: &Checkpoint,
    offset: i64,
    revive_queue: i32,
) -> Result<(), Refusal> {
    let failures: usize =
        checkpoint.failures.as_deref().map_or(0, |text| text.parse().unwrap_or(PAUSES.len()));
    let pause = PAUSES[failures.min(PAUSES.len() - 1)] * 1_000;
    let again = Checkpoint {
        acked: 0,
        count: 1,
        diffs: vec![0],
        start_offset: offset,
        // From its own due time on, as Apache counts; a broker that was down must not try without a pause.
        invisible_time: checkpoint
            .invisible_time
            .max(parts.log.now().saturating_sub(checkpoint.pop_time))
            .saturating_add(pause),
        failures: Some((failures + 1).to_string()),
        ..checkpoint.clone()
    };
    parts.log.put(again.record(&parts.log, revive_queue)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_handed_out_again_is_one_try_older_and_remembers_its_first_pop() {
        let checkpoint = Checkpoint { group: "g".into(), pop_time: 77, ..Checkpoint::default() };
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 10_911));
        let original = MessageRecord { properties: "TAGS\u{1}a\u{2}".into(), ..MessageRecord::default() };
        let once = again(original, "%RETRY%g_t".into(), &checkpoint, address);
        let later = Checkpoint { pop_time: 99, ..checkpoint };
        let twice = again(once, "%RETRY%g_t".into(), &later, address);
        let properties = Properties::parse(&twice.properties);
        assert_eq!((twice.reconsume_times, properties.tags()), (2, Some("a")));
        assert_eq!(properties.get(property::FIRST_POP_TIME), Some("77"));
        assert_eq!(properties.get(property::ORIGIN_GROUP), Some("g"));
    }

    #[test]
    fn a_message_of_the_most_tries_there_are_is_handed_out_again() {
        let claimed = MessageRecord { reconsume_times: i32::MAX, ..MessageRecord::default() };
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 10_911));
        let again = again(claimed, "%RETRY%g_t".into(), &Checkpoint::default(), address);
        assert_eq!(again.reconsume_times, i32::MAX);
    }
}
