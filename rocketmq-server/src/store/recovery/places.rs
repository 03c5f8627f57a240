//! Puts records into the queues they say they belong to, and finds out which of them say so wrongly.
//!
//! The checksum of a record covers its body alone, so the name of its topic, its queue and its offset may be damaged and the
//! record look intact. Offsets tell: those of a queue follow each other without a gap. A record that is out of line waits
//! until the next one of its queue shows which of the two is right.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use rocketmq_remoting::message::layout;

use crate::store::error::StoreError;
use crate::store::log::scan::{Claim, Damage};
use crate::store::queue::ConsumeQueue;
use crate::store::queue::table::Queues;
use crate::store::queue::unit::Unit;

/// Records of one queue that may wait to be confirmed.
const MOST_WAITING: usize = 16;
/// Records without a place that are remembered; more are only counted.
const MOST_UNPLACED: usize = 10_000;
/// Of those, the newest whose offsets are kept from being given out again: only the end of the log concerns the future.
const NEWEST_UNPLACED: usize = 64;

/// A record, and where it says that it belongs.
#[derive(Debug, Clone)]
struct Claimant {
    claim: Claim,
    unit: Unit,
}

/// The queues as recovery knows them while it reads the log.
pub(crate) struct Places<'a> {
    queues: &'a Queues,
    /// Every message below the place where reading began is in its queue, as far as the log still has it.
    vouched: bool,
    waiting: HashMap<(String, i32), Vec<Claimant>>,
    /// Records that are intact and yet cannot be served where they say they belong.
    unplaced: Vec<Claimant>,
    misplaced: usize,
    /// Parts of the log without an intact record.
    lost: Vec<Range<i64>>,
}

/// The queues cannot be continued from where reading began: one lacks older messages.
#[derive(Debug)]
pub(crate) enum Failure {
    Incomplete,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> Places<'a> {
    pub(crate) fn new(queues: &'a Queues, vouched: bool) -> Self {
        Self {
            queues,
            vouched,
            waiting: HashMap::new(),
            unplaced: Vec::new(),
            misplaced: 0,
            lost: Vec::new(),
        }
    }

    /// Counts the records that are intact and yet cannot be served in the place they claim.
    pub(crate) fn misplaced(&self) -> usize {
        self.misplaced
    }

    fn give_up(&mut self, record: Claimant) {
        let Claim { topic, queue_id, index } = &record.claim;
        let reason =
            format!("it claims offset {index} of queue {queue_id} of topic {topic:?}, which cannot be true");
        self.queues.source().log.damaged().report(record.unit.physical_offset, &reason);
        self.misplaced += 1;
        self.remember(record);
    }

    fn remember(&mut self, unplaced: Claimant) {
        if self.unplaced.len() < MOST_UNPLACED {
            self.unplaced.push(unplaced);
        }
    }

    /// Puts an intact record into its queue.
    pub(crate) fn add(&mut self, claim: Claim, unit: Unit) -> Result<(), Failure> {
        let Some(queue) = self.queue_for(&claim) else { return self.wait(Claimant { claim, unit }) };
        let max = queue.range().1;
        if claim.index < max {
            return self.compare(&queue, Claimant { claim, unit });
        }
        if claim.index > max {
            return self.wait(Claimant { claim, unit });
        }
        self.drop_waiting(&claim);
        queue.restore(unit);
        Ok(())
    }

    /// Keeps the place of a damaged record that it still tells, so that its offset is not given out again.
    pub(crate) fn add_damage(&mut self, damage: &Damage) {
        self.lost.push(damage.range.clone());
        let Some(claim) = damage.claim.clone() else { return };
        let size = (damage.range.end - damage.range.start).min(i64::from(i32::MAX)) as i32;
        let unit = Unit { physical_offset: damage.range.start, size, tags_code: 0 };
        let queue = self.queues.get(&claim.topic, claim.queue_id);
        let in_line = queue.filter(|queue| queue.range().1 == claim.index);
        match in_line.filter(|_| !self.waiting.contains_key(&(claim.topic.clone(), claim.queue_id))) {
            Some(queue) => queue.restore(unit),
            None => self.remember(Claimant { claim, unit }),
        }
    }

    /// The queue that a record can be put into at once. One that would have to begin in the middle is not made on a single
    /// record's word.
    fn queue_for(&self, claim: &Claim) -> Option<Arc<ConsumeQueue>> {
        match self.queues.get(&claim.topic, claim.queue_id) {
            Some(queue) => Some(queue),
            None if claim.index == 0 => Some(self.queues.get_or_create(&claim.topic, claim.queue_id)),
            None => None,
        }
    }

    /// Decides between a record and the one that has its place already.
    fn compare(&mut self, queue: &ConsumeQueue, record: Claimant) -> Result<(), Failure> {
        let index = record.claim.index;
        let Some(known) = queue.unit(index) else { return Ok(()) };
        if known.physical_offset == record.unit.physical_offset && known.size == record.unit.size {
            return Ok(self.correct_code(queue, index, known, record.unit)?);
        }
        let source = self.queues.source();
        if known.physical_offset == 0 && known.is_filler() || !source.confirms(queue.place(index), known) {
            return Ok(queue.replace(index, record.unit)?);
        }
        if queue.left_over(index) == Some(record.unit) {
            // The file's unit of the place decides between two records that both claim it.
            let usurper = Claimant { claim: record.claim, unit: known };
            queue.replace(index, record.unit)?;
            self.give_up(usurper);
            return Ok(());
        }
        if known.physical_offset > record.unit.physical_offset {
            self.give_up(record);
            return Ok(());
        }
        self.wait(record)
    }

    /// A delayed message has the time it is due for a code, which a change of the levels changes for new messages only.
    fn correct_code(
        &self,
        queue: &ConsumeQueue,
        index: i64,
        known: Unit,
        right: Unit,
    ) -> Result<(), StoreError> {
        let is_due_time = &**queue.topic() == rocketmq_remoting::names::SCHEDULE_TOPIC;
        if known.tags_code == right.tags_code || is_due_time { Ok(()) } else { queue.replace(index, right) }
    }

    /// Lets a record that is out of line wait, or decides about those of its queue that wait.
    fn wait(&mut self, record: Claimant) -> Result<(), Failure> {
        let key = (record.claim.topic.clone(), record.claim.queue_id);
        let max = self.queues.get(&key.0, key.1).map_or(0, |queue| queue.range().1);
        let waiting = self.waiting.entry(key.clone()).or_default();
        let last = waiting.last().map(|last| last.claim.index);
        if last.is_some_and(|last| last + 1 == record.claim.index) {
            // Two that follow each other are right: what is between the queue's end and them is lost.
            let mut run = self.waiting.remove(&key).unwrap_or_default();
            run.push(record);
            return self.accept(run);
        }
        if record.claim.index == max + waiting.len() as i64 && record.claim.index > max {
            // Those that wait have taken the places in between, whatever they say.
            let misnumbered = self.waiting.remove(&key).unwrap_or_default();
            let queue = self.queues.get_or_create(&key.0, key.1);
            misnumbered.iter().for_each(|claimant| queue.restore(claimant.unit));
            queue.restore(record.unit);
            misnumbered.into_iter().for_each(|claimant| self.give_up(claimant));
            return Ok(());
        }
        waiting.push(record);
        if waiting.len() > MOST_WAITING {
            let oldest = waiting.remove(0);
            self.give_up(oldest);
        }
        Ok(())
    }

    /// Puts a run of records that follow each other into their queue, which lacks what comes before them.
    fn accept(&mut self, mut run: Vec<Claimant>) -> Result<(), Failure> {
        let pairs = run.iter().rev().zip(run.iter().rev().skip(1));
        let length =
            1 + pairs.take_while(|(next, before)| before.claim.index + 1 == next.claim.index).count();
        let stray = run.len() - length;
        run.drain(..stray).collect::<Vec<_>>().into_iter().for_each(|claimant| self.give_up(claimant));
        let Some(first) = run.first().map(|first| first.claim.clone()) else { return Ok(()) };
        let queue = self.queues.get_or_create(&first.topic, first.queue_id);
        let begins_anew = first.index == 0;
        if first.index < queue.range().1 && !begins_anew {
            run.into_iter().for_each(|claimant| self.give_up(claimant));
            return Ok(());
        }
        if begins_anew {
            // The topic was deleted and created again.
            queue.start_at(0)?;
        } else {
            self.close_gap(&queue, first.index)?;
        }
        run.iter().for_each(|claimant| queue.restore(claimant.unit));
        Ok(())
    }

    /// Brings the end of a queue to `index`, though the messages in between are lost.
    fn close_gap(&self, queue: &ConsumeQueue, index: i64) -> Result<(), Failure> {
        if !self.vouched {
            return Err(Failure::Incomplete);
        }
        let (min, max) = queue.range();
        if max == min {
            // They have expired, more likely.
            return Ok(queue.start_at(index)?);
        }
        report_gap(queue, max..index);
        (max..index).for_each(|_| queue.restore(Unit::FILLER));
        Ok(())
    }

    /// A record in line shows that those of its queue that wait belong elsewhere.
    fn drop_waiting(&mut self, claim: &Claim) {
        if self.waiting.is_empty() {
            return;
        }
        let stray = self.waiting.remove(&(claim.topic.clone(), claim.queue_id));
        stray.unwrap_or_default().into_iter().for_each(|claimant| self.give_up(claimant));
    }

    /// Decides about what still waits when the log has been read up to `end`, and gives no offset away a second time.
    pub(crate) fn finish(&mut self, end: i64) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let strays = waiting.values().flatten().chain(&self.unplaced).map(|stray| stray.unit.physical_offset);
        let strays: BTreeSet<i64> = strays.collect();
        for record in waiting.into_values().flatten() {
            self.settle(record, &strays)?;
        }
        for queue in self.queues.all() {
            self.keep_left_over(&queue, end);
        }
        self.keep_places_of_unplaced();
        Ok(())
    }

    /// Decides about one record that nothing has confirmed.
    fn settle(&mut self, record: Claimant, strays: &BTreeSet<i64>) -> Result<(), Failure> {
        let Claim { topic, queue_id, .. } = &record.claim;
        let queue = self.queues.get(topic, *queue_id);
        let max = queue.as_ref().map_or(0, |queue| queue.range().1);
        let index = record.claim.index;
        if index > max && !self.vouched {
            return Err(Failure::Incomplete);
        }
        let confirmed = queue.as_ref().is_some_and(|queue| queue.left_over(index) == Some(record.unit));
        if index < max || !(confirmed || self.explains_gap(queue.as_deref(), &record, strays)) {
            self.give_up(record);
            return Ok(());
        }
        let queue = self.queues.get_or_create(topic, *queue_id);
        self.close_gap(&queue, index)?;
        queue.restore(record.unit);
        Ok(())
    }

    /// Returns true if the messages between the end of a queue and a record can be among what is lost of the log and the records
    /// that belong nowhere.
    fn explains_gap(&self, queue: Option<&ConsumeQueue>, record: &Claimant, strays: &BTreeSet<i64>) -> bool {
        let log_min = self.queues.source().log.min();
        let (min, max) = queue.map_or((0, 0), ConsumeQueue::range);
        if max == min && log_min > 0 {
            return true;
        }
        let from = queue.and_then(ConsumeQueue::last).map_or(log_min, |(_, unit)| unit.end());
        let between = from..record.unit.physical_offset.max(from);
        let lost = self.lost.iter().filter(|lost| lost.start >= between.start && lost.end <= between.end);
        let room: i64 = lost.map(|lost| (lost.end - lost.start) / layout::MIN_LEN as i64).sum();
        let missing = record.claim.index - max;
        // A search among strays needs no more of them than are missing.
        let found = strays.range(between).take(usize::try_from(missing).unwrap_or(0)).count() as i64;
        room.saturating_add(found) >= missing
    }

    /// Keeps units that files hold behind the end of a queue: they were written for messages that are lost.
    fn keep_left_over(&self, queue: &ConsumeQueue, end: i64) {
        let mut from = queue.last().map_or(0, |(_, unit)| unit.end());
        while let Some(unit) = queue.left_over(queue.range().1) {
            if unit.is_filler() || unit.physical_offset < from || unit.size < layout::MIN_LEN as i32 {
                return;
            }
            from = unit.end();
            let may_be_there =
                self.lost.iter().any(|lost| lost.contains(&unit.physical_offset)) && unit.end() <= end;
            report_gap(queue, queue.range().1..queue.range().1 + 1);
            queue.restore(if may_be_there { unit } else { Unit::FILLER });
        }
    }

    /// A record that belongs nowhere was the next message of some queue. Each queue at whose end it may have been, because
    /// two of its topic, queue and offset agree, leaves the offset out.
    fn keep_places_of_unplaced(&self) {
        for record in self.unplaced.iter().rev().take(NEWEST_UNPLACED) {
            let queues = self.queues.all();
            queues
                .iter()
                .filter(|queue| may_end_with(queue, record))
                .for_each(|queue| queue.restore(record.unit));
        }
    }
}

fn may_end_with(queue: &ConsumeQueue, record: &Claimant) -> bool {
    let claim = &record.claim;
    let same_topic = **queue.topic() == *claim.topic;
    let same_queue = queue.queue_id() == claim.queue_id;
    let same_offset = queue.range().1 == claim.index;
    let agree = match (same_topic, same_queue, same_offset) {
        (true, true, _) | (true, _, true) => true,
        (false, true, true) => differs_in_one_byte(queue.topic(), &claim.topic),
        _ => false,
    };
    agree && queue.last().is_some_and(|(_, last)| last.end() <= record.unit.physical_offset)
}

fn differs_in_one_byte(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count() == 1
}

fn report_gap(queue: &ConsumeQueue, missing: Range<i64>) {
    tracing::error!(
        topic = %queue.topic(),
        queue = queue.queue_id(),
        from = missing.start,
        to = missing.end,
        "messages of a queue are lost: the commit log does not have them any more"
    );
}
