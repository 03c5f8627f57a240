//! Delivers what is due on each delay level.

use rocketmq_remoting::message::MessageRecord;

use super::levels::queue_of_level;
use super::parts::Parts;
use crate::broker::log::placement::restore;
use crate::broker::log::range::Range;
use crate::broker::log::set_aside::{Place, lost, set_aside};
use crate::broker::names::SCHEDULE_TOPIC;
use crate::store::Unit;

/// Messages of one level delivered before other work gets a turn.
const BURST: i64 = 256;
/// Pause after the store refused a delivery or could not read a queue, in milliseconds.
const RETRY_AFTER: i64 = 100;

/// Delivers what is due on every level. Returns when to come back, or `None` when nothing waits.
pub(crate) fn deliver_due(parts: &Parts) -> Option<i64> {
    let levels = parts.progress.levels(parts.settings.fixed.delay_levels.max());
    levels
        .into_iter()
        .filter_map(|level| Level { parts, level, queue: queue_of_level(level) }.deliver())
        .min()
}

#[derive(Clone, Copy)]
struct Level<'a> {
    parts: &'a Parts,
    level: i32,
    queue: i32,
}

impl Level<'_> {
    fn deliver(self) -> Option<i64> {
        let range = Range::of(&self.parts.log.store, SCHEDULE_TOPIC, self.queue);
        let first = self.first(range);
        let last = range.max.min(first.saturating_add(BURST));
        for offset in first..last {
            if let Some(later) = self.pass(offset, range.max) {
                return Some(later);
            }
            self.parts.progress.advance(self.level, offset + 1);
        }
        (last < range.max).then(|| self.parts.log.now())
    }

    /// Returns the offset at which to go on. Messages that the log no longer has are passed over, and logged.
    fn first(self, range: Range) -> i64 {
        let Some(next) = self.parts.progress.next(self.level) else {
            // From now on it is known what the log loses of this level.
            if range.min < range.max {
                self.parts.progress.advance(self.level, range.min);
            }
            return range.min;
        };
        if next < range.min {
            lost(&self.parts.log, self.place(next), range.min - next);
            self.parts.progress.advance(self.level, range.min);
        }
        range.nearest(next)
    }

    fn place(self, offset: i64) -> Place<'static> {
        Place { topic: SCHEDULE_TOPIC, queue: self.queue, offset }
    }

    /// Deals with one message of the queue, which ends at `end`; the time to come back if it has to wait.
    fn pass(self, offset: i64, end: i64) -> Option<i64> {
        let now = self.parts.log.now();
        let unit = match self.parts.log.store.units(SCHEDULE_TOPIC, self.queue, offset, 1) {
            Ok(units) => units.first().copied(),
            Err(error) => {
                tracing::error!(level = self.level, offset, %error, "cannot read the queue of a delay level");
                return Some(now + RETRY_AFTER);
            }
        };
        let Some(unit) = unit else {
            lost(&self.parts.log, self.place(offset), 1);
            return None;
        };
        let due = self.due(offset, unit, now, end);
        if due > now {
            return Some(due);
        }
        match self.parts.log.read_unit(SCHEDULE_TOPIC, self.queue, offset, unit) {
            Some(record) => self.put(offset, record).err().map(|()| now + RETRY_AFTER),
            None => {
                lost(&self.parts.log, self.place(offset), 1);
                None
            }
        }
    }

    /// The unit says when the message is due. It counts from its store time, which was wrong if the clock was set back since.
    /// A level that the settings have no more waits as long as the highest.
    fn due(self, offset: i64, unit: Unit, now: i64, end: i64) -> i64 {
        let levels = &self.parts.settings.fixed.delay_levels;
        let delay = levels.millis(levels.clamp(self.level)).unwrap_or(0);
        let claimed = unit.tags_code.saturating_sub(delay);
        self.parts.progress.store_time(self.level, offset, claimed, (now, end)).saturating_add(delay)
    }

    /// Puts a message where it belongs, or sets it aside when that is impossible.
    ///
    /// # Errors
    /// The store takes none at the moment.
    fn put(self, offset: i64, record: MessageRecord) -> Result<(), ()> {
        let Some(record) = restore(record) else {
            set_aside(&self.parts.log, self.place(offset), "it names no topic to go to");
            return Ok(());
        };
        match self.parts.log.append(record) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_final() => {
                set_aside(&self.parts.log, self.place(offset), &refusal);
                Ok(())
            }
            Err(refusal) => {
                let level = self.level;
                tracing::warn!(level, offset, %refusal, "a delayed message could not be delivered yet");
                Err(())
            }
        }
    }
}
