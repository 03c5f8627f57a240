//! Hands out again what was popped and not acknowledged in time: follows the revive queues and, when a checkpoint's
//! time is over, puts its open messages into the retry topic.

use std::sync::atomic::Ordering;

use super::parts::Parts;
use super::pending::Pending;
use super::redeliver::{is_wanted, postpone, redeliver};
use super::revival::PAUSE;
use super::revive_log::{Checkpoint, Entry};
use crate::broker::names::TIMER_TOPIC;
use crate::exchange::Refusal;
use crate::store::{All, Fetched, GetLimits};
use rocketmq_remoting::message::MessageRecord;

/// The group whose offsets say how far each revive queue is done.
pub(crate) const REVIVE_GROUP: &str = "CID_RMQ_SYS_REVIVE_GROUP";
/// A checkpoint still takes acknowledgements this long after its time, in milliseconds.
const GRACE: i64 = 2_000;
/// Records read or messages handed out again before other work gets a turn.
const BURST: usize = 256;

/// Reads what is new and hands out again what is due. Returns when to come back, or `None` when nothing waits.
pub(crate) fn run(parts: &Parts) -> Option<i64> {
    let mut queues = parts.state.revival.queues.lock();
    let count = usize::try_from(revive_queues(parts)).unwrap_or(0);
    queues.resize_with(count, Pending::default);
    let turns = queues.iter_mut().enumerate().filter_map(|(queue, pending)| {
        // A queue count of this kind came from a non-negative i32.
        Queue { parts, id: queue as i32, pending }.turn()
    });
    turns.min()
}

/// Returns true if the next round only reads, and from memory.
pub(crate) fn is_at_hand(parts: &Parts) -> bool {
    let mut queues = parts.state.revival.queues.lock();
    let now = parts.log.now();
    queues.iter_mut().enumerate().all(|(queue, pending)| {
        let waits = pending.first().is_none_or(|first| now <= first.due().saturating_add(GRACE));
        let unread = Queue { parts, id: queue as i32, pending }.unread();
        waits
            && unread
                .is_none_or(|next| parts.log.store.is_hot(&parts.state.revival.topic, queue as i32, next))
    })
}

/// Counts the queues of the revive topic that may hold records: more than new pops use if `reviveQueueNum` was lowered.
pub(crate) fn revive_queues(parts: &Parts) -> i32 {
    let topic = parts.topics.get(&parts.state.revival.topic);
    topic.map_or(0, |topic| topic.read_queue_nums).max(parts.settings.fixed.revive_queues)
}

struct Queue<'a> {
    parts: &'a Parts,
    id: i32,
    pending: &'a mut Pending,
}

impl Queue<'_> {
    fn turn(&mut self) -> Option<i64> {
        let more = self.read();
        let next = if more { Some(self.parts.log.now()) } else { self.revive_due() };
        self.commit();
        next
    }

    /// Returns the offset of the first record that was not read, unless all were.
    fn unread(&self) -> Option<i64> {
        let topic = &self.parts.state.revival.topic;
        let done = self.parts.offsets.lock().query(topic, REVIVE_GROUP, self.id).unwrap_or(-1);
        let next = self.pending.next(done);
        (next < self.parts.log.store.max_offset(topic, self.id)).then_some(next)
    }

    /// Reads a burst of new records; true when there are more.
    fn read(&mut self) -> bool {
        let topic = &self.parts.state.revival.topic;
        let Some(next) = self.unread() else { return false };
        let limits = GetLimits { max_messages: BURST, max_bytes: self.parts.settings.live().max_pull_bytes };
        let fetched = self.parts.log.store.get(topic, self.id, next, limits, &All);
        self.take_in(&fetched);
        // Records that are gone stay skipped; an unreadable file is tried again.
        let progressed = fetched.next_begin != next;
        if progressed {
            self.pending.read_to(fetched.next_begin.min(fetched.max));
        }
        progressed && fetched.next_begin < fetched.max
    }

    fn take_in(&mut self, fetched: &Fetched) {
        for record in &fetched.records {
            let entry = MessageRecord::decode(&mut record.clone()).ok().and_then(|r| Entry::read(&r));
            match entry {
                Some(entry) => self.pending.add(entry),
                None => {
                    tracing::warn!(queue = self.id, "a record of the revive topic cannot be read: skipped")
                }
            }
        }
    }

    /// Hands out again what is due.
    fn revive_due(&mut self) -> Option<i64> {
        for _ in 0..BURST {
            let checkpoint = self.pending.first()?.clone();
            let decided_at = checkpoint.due().saturating_add(GRACE);
            let now = self.parts.log.now();
            if now <= decided_at {
                return Some(decided_at + 1);
            }
            if !timers_delivered(self.parts, checkpoint.due()) {
                return Some(self.parts.state.revival.look_again(now));
            }
            // The timer may have delivered acknowledgements since this turn read.
            if self.unread().is_some() {
                return Some(now);
            }
            if let Err(refusal) = self.revive(&checkpoint) {
                tracing::warn!(%refusal, "popped messages could not be handed out again yet");
                return Some(now + PAUSE);
            }
            self.pending.remove(checkpoint.revive_offset);
        }
        Some(self.parts.log.now())
    }

    /// Hands out again the open messages of a checkpoint. A message for which this fails gets a checkpoint of its own.
    fn revive(&mut self, checkpoint: &Checkpoint) -> Result<(), Refusal> {
        if !is_wanted(self.parts, checkpoint) {
            tracing::info!(
                topic = checkpoint.topic,
                group = checkpoint.group,
                "popped messages without a taker"
            );
            return Ok(());
        }
        for offset in checkpoint.unacked() {
            if let Err(refusal) = redeliver(self.parts, checkpoint, offset) {
                tracing::warn!(topic = checkpoint.topic, offset, %refusal, "not handed out again: put off");
                postpone(self.parts, checkpoint, offset, self.id)?;
            }
            self.pending.settle(checkpoint.revive_offset, offset);
        }
        Ok(())
    }

    fn commit(&self) {
        let topic = &self.parts.state.revival.topic;
        let Some(done) = self.pending.done() else { return };
        let mut offsets = self.parts.offsets.lock();
        if done >= 0 && offsets.query(topic, REVIVE_GROUP, self.id) != Some(done) {
            offsets.commit(topic, REVIVE_GROUP, self.id, done);
        }
    }
}

/// Returns true if every acknowledgement made before `due` has come out of the timer. Otherwise its next delivery wakes the
/// loop.
fn timers_delivered(parts: &Parts, due: i64) -> bool {
    let waits = &parts.state.revival.waits_for_timers;
    waits.store(true, Ordering::SeqCst);
    let loaded = parts.timer.read_offset() >= parts.log.store.max_offset(TIMER_TOPIC, 0);
    let delivered = loaded && parts.timer.delivered_until(due);
    waits.store(!delivered, Ordering::SeqCst);
    delivered
}
