//! Ordered pops: the messages of each queue that are handed out. Nothing behind them is handed out before they are acknowledged
//! or their time is over. `consumerOrderInfo.json`.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::broker::offsets::table::{offset_key, split_key};
use crate::broker::persist::table_file::TableFile;
use crate::store::StoreError;

/// One ordered pop of one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OrderInfo {
    /// The request's own id: its repetition is not blocked by itself.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    /// Acknowledged messages by their place in `offsets`.
    #[serde(rename = "cm")]
    acked: i64,
    #[serde(rename = "i")]
    invisible_time: i64,
    /// When it was popped; Apache forgets it a day later.
    #[serde(rename = "l")]
    last_consumed: i64,
    /// The first offset, then the others' distances from it.
    #[serde(rename = "o")]
    offsets: Vec<i64>,
    /// For each message handed out before: the number of times.
    #[serde(rename = "oc")]
    counts: BTreeMap<i64, i32>,
    /// When a message is to be seen again, where that was changed.
    #[serde(rename = "ot")]
    visible_at: BTreeMap<i64, i64>,
    #[serde(rename = "popTime")]
    pop_time: i64,
}

/// The result of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acked {
    /// The group has consumed up to this offset.
    Commit(i64),
    /// The message was handed out again since.
    Stale,
    /// The message was not handed out.
    Unknown,
}

impl OrderInfo {
    fn new(pop: OrderedPop<'_>) -> Self {
        let first = pop.offsets.first().copied().unwrap_or(0);
        let distances = pop.offsets.iter().skip(1).map(|offset| offset - first);
        Self {
            attempt: pop.attempt.map(str::to_owned),
            invisible_time: pop.invisible_time,
            last_consumed: pop.pop_time,
            offsets: std::iter::once(first).chain(distances).collect(),
            pop_time: pop.pop_time,
            ..Self::default()
        }
    }

    fn all(&self) -> impl Iterator<Item = i64> + '_ {
        let first = self.offsets.first().copied().unwrap_or(0);
        self.offsets.iter().enumerate().map(
            move |(place, offset)| {
                if place == 0 { first } else { first.saturating_add(*offset) }
            },
        )
    }

    fn unacked(&self) -> impl Iterator<Item = i64> + '_ {
        let is_acked = |place: usize| self.acked & 1i64.checked_shl(place as u32).unwrap_or(0) != 0;
        self.all().enumerate().filter(move |(place, _)| !is_acked(*place)).map(|(_, offset)| offset)
    }

    /// When the last of what is handed out may be handed out again; `None` when everything is acknowledged.
    fn free_at(&self) -> Option<i64> {
        let usual = self.pop_time.saturating_add(self.invisible_time);
        self.unacked().map(|offset| self.visible_at.get(&offset).copied().unwrap_or(usual)).max()
    }

    /// The clock was set back since the pop: what is hidden is hidden from now on.
    fn follow_clock(&mut self, now: i64) {
        if now >= self.pop_time {
            return;
        }
        let until = now.saturating_add(self.invisible_time);
        for offset in self.unacked().collect::<Vec<_>>() {
            let visible_at = self.visible_at.entry(offset).or_insert(until);
            *visible_at = until.min(*visible_at);
        }
    }

    fn is_blocking(&self, attempt: Option<&str>, now: i64) -> bool {
        let repeated = self.attempt.is_some() && self.attempt.as_deref() == attempt;
        !repeated && self.free_at().is_some_and(|at| now < at)
    }

    fn ack(&mut self, offset: i64, pop_time: i64) -> Acked {
        if pop_time != self.pop_time {
            return Acked::Stale;
        }
        let Some(place) = self.all().position(|covered| covered == offset) else { return Acked::Unknown };
        self.acked |= 1i64.checked_shl(place as u32).unwrap_or(0);
        let behind_all = self.all().last().map_or(0, |last| last + 1);
        Acked::Commit(self.unacked().next().unwrap_or(behind_all))
    }

    /// Counts what was handed out before; repeating an attempt is not handing out again.
    fn inherit(&mut self, before: &Self) {
        if self.attempt.is_some() && self.attempt == before.attempt {
            self.counts.clone_from(&before.counts);
            return;
        }
        let seen: BTreeSet<i64> = before.all().collect();
        let again = self.all().filter(|offset| seen.contains(offset));
        self.counts = again.map(|offset| (offset, before.counts.get(&offset).map_or(1, |n| n + 1))).collect();
    }
}

/// An ordered pop that found messages in a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderedPop<'a> {
    pub attempt: Option<&'a str>,
    pub pop_time: i64,
    pub invisible_time: i64,
    pub offsets: &'a [i64],
}

/// The number of times that the messages of an ordered pop were handed out before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub by_offset: BTreeMap<i64, i32>,
    /// The lowest of all messages of the pop.
    pub least: i32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    #[serde(rename = "orderedConsumptionLevel")]
    level: String,
    table: BTreeMap<String, BTreeMap<i32, OrderInfo>>,
}

#[derive(Debug, Default)]
struct Table {
    queues: BTreeMap<String, BTreeMap<i32, OrderInfo>>,
    changed: bool,
}

/// The ordered pops of all queues. Topics and groups are looked up as `topic@group`.
#[derive(Debug)]
pub(crate) struct Orders {
    table: Mutex<Table>,
    file: TableFile,
}

impl Orders {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(file: TableFile) -> Result<Self, StoreError> {
        let stored: Stored = file.load()?;
        Ok(Self { table: Mutex::new(Table { queues: stored.table, changed: false }), file })
    }

    /// Returns true if a queue hands out nothing to this attempt now.
    pub(crate) fn is_blocked(
        &self,
        topic: &str,
        group: &str,
        queue: i32,
        attempt: Option<&str>,
        now: i64,
    ) -> bool {
        let blocking = |info: &mut OrderInfo| {
            info.follow_clock(now);
            info.is_blocking(attempt, now)
        };
        let mut table = self.table.lock();
        let queues = table.queues.get_mut(&offset_key(topic, group));
        queues.and_then(|queues| queues.get_mut(&queue)).is_some_and(blocking)
    }

    /// Notes a pop and says what was handed out before.
    pub(crate) fn popped(&self, topic: &str, group: &str, queue: i32, pop: OrderedPop<'_>) -> Counts {
        let mut info = OrderInfo::new(pop);
        let mut table = self.table.lock();
        let queues = table.queues.entry(offset_key(topic, group)).or_default();
        if let Some(before) = queues.get(&queue) {
            info.inherit(before);
        }
        let all_again = info.counts.len() == pop.offsets.len();
        let least = if all_again { info.counts.values().copied().min().unwrap_or(0) } else { 0 };
        let counts = Counts { by_offset: info.counts.clone(), least };
        queues.insert(queue, info);
        table.changed = true;
        counts
    }

    /// Notes an acknowledgement.
    pub(crate) fn ack(&self, topic: &str, group: &str, queue: i32, offset: i64, pop_time: i64) -> Acked {
        self.change(topic, group, queue, |info| info.ack(offset, pop_time))
            .unwrap_or(Acked::Commit(offset.saturating_add(1)))
    }

    /// Changes when a message is to be seen again.
    pub(crate) fn hide(
        &self,
        topic: &str,
        group: &str,
        queue: i32,
        (offset, pop_time): (i64, i64),
        until: i64,
    ) {
        self.change(topic, group, queue, |info| {
            if info.pop_time == pop_time {
                info.visible_at.insert(offset, until);
            }
        });
    }

    fn change<R>(
        &self,
        topic: &str,
        group: &str,
        queue: i32,
        change: impl FnOnce(&mut OrderInfo) -> R,
    ) -> Option<R> {
        let mut table = self.table.lock();
        let info = table.queues.get_mut(&offset_key(topic, group))?.get_mut(&queue)?;
        let result = change(info);
        table.changed = true;
        Some(result)
    }

    /// Lets a queue go, after its offset was set anew.
    pub(crate) fn clear(&self, topic: &str, group: &str, queue: i32) {
        let mut table = self.table.lock();
        let gone = table.queues.get_mut(&offset_key(topic, group)).and_then(|queues| queues.remove(&queue));
        table.changed |= gone.is_some();
    }

    /// The queues, as topic, group and queue, that time lets go between the two times.
    pub(crate) fn freed(&self, after: i64, until: i64) -> Vec<(String, String, i32)> {
        let is_freed = |at: i64| after < at && at <= until;
        self.entries(|info| info.free_at().is_some_and(is_freed))
    }

    /// When time lets the next queue go.
    pub(crate) fn next_free(&self, after: i64) -> Option<i64> {
        let table = self.table.lock();
        let all = table.queues.values().flat_map(|queues| queues.values());
        all.filter_map(OrderInfo::free_at).filter(|at| *at > after).min()
    }

    fn entries(&self, wanted: impl Fn(&OrderInfo) -> bool) -> Vec<(String, String, i32)> {
        let table = self.table.lock();
        let mut found = Vec::new();
        for (key, queues) in &table.queues {
            let Some((topic, group)) = split_key(key) else { continue };
            let queues = queues.iter().filter(|(_, info)| wanted(info));
            found.extend(queues.map(|(queue, _)| (topic.to_owned(), group.to_owned(), *queue)));
        }
        found
    }

    /// Forgets what belongs to topics, groups or queues that are gone, as `is_alive` knows them.
    pub(crate) fn retain(&self, is_alive: impl Fn(&str, &str, i32) -> bool) {
        let mut table = self.table.lock();
        let count = |table: &Table| table.queues.values().map(|queues| queues.len()).sum::<usize>();
        let before = count(&table);
        table.queues.retain(|key, queues| {
            let Some((topic, group)) = split_key(key) else { return false };
            queues.retain(|queue, _| is_alive(topic, group, *queue));
            !queues.is_empty()
        });
        table.changed |= count(&table) < before;
    }

    /// Forgets the pops of messages at or beyond the ends of their queues; their keys (`topic@group`) and queues.
    pub(crate) fn forget_beyond(&self, end: impl Fn(&str, i32) -> i64) -> Vec<(String, i32)> {
        let mut table = self.table.lock();
        let mut forgotten = Vec::new();
        for (key, queues) in &mut table.queues {
            let Some((topic, _)) = split_key(key) else { continue };
            queues.retain(|queue, info| {
                let gone = info.all().any(|offset| offset >= end(topic, *queue));
                if gone {
                    forgotten.push((key.clone(), *queue));
                }
                !gone
            });
        }
        table.changed |= !forgotten.is_empty();
        forgotten
    }

    /// Writes the file if something changed.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.table.lock().changed) {
            return Ok(());
        }
        let stored = || Stored { level: "QUEUE".into(), table: self.table.lock().queues.clone() };
        self.file.save(stored).inspect_err(|_| self.table.lock().changed = true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(dir: &std::path::Path) -> Orders {
        Orders::open(TableFile::new(dir, "consumerOrderInfo.json")).unwrap()
    }

    fn pop<'a>(attempt: Option<&'a str>, pop_time: i64, offsets: &'a [i64]) -> OrderedPop<'a> {
        OrderedPop { attempt, pop_time, invisible_time: 100, offsets }
    }

    #[test]
    fn a_queue_is_blocked_until_all_is_acknowledged_or_the_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let orders = orders(dir.path());
        orders.popped("t", "g", 0, pop(Some("a"), 1_000, &[5, 6, 8]));
        assert!(orders.is_blocked("t", "g", 0, None, 1_099));
        assert!(!orders.is_blocked("t", "g", 0, Some("a"), 1_099), "its own repetition is not blocked");
        assert!(!orders.is_blocked("t", "g", 0, None, 1_100));
        assert!(!orders.is_blocked("t", "g", 1, None, 1_000));
        assert_eq!(orders.ack("t", "g", 0, 6, 1_000), Acked::Commit(5));
        assert_eq!(orders.ack("t", "g", 0, 5, 1_000), Acked::Commit(8));
        assert!(orders.is_blocked("t", "g", 0, None, 1_050));
        assert_eq!(orders.ack("t", "g", 0, 8, 1_000), Acked::Commit(9));
        assert!(!orders.is_blocked("t", "g", 0, None, 1_050));
    }

    #[test]
    fn a_queue_is_blocked_for_no_longer_when_the_clock_is_set_back() {
        let dir = tempfile::tempdir().unwrap();
        let orders = orders(dir.path());
        orders.popped("t", "g", 0, pop(None, 9_000, &[5, 6]));
        assert!(orders.is_blocked("t", "g", 0, None, 1_000));
        assert!(orders.is_blocked("t", "g", 0, None, 1_099));
        assert_eq!(orders.next_free(1_000), Some(1_100));
        assert_eq!(orders.ack("t", "g", 0, 6, 9_000), Acked::Commit(5));
        assert!(!orders.is_blocked("t", "g", 0, None, 1_100));
    }

    #[test]
    fn acks_of_another_time_or_message_change_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let orders = orders(dir.path());
        assert_eq!(orders.ack("t", "g", 0, 6, 1), Acked::Commit(7));
        orders.popped("t", "g", 0, pop(None, 1_000, &[5]));
        assert_eq!(orders.ack("t", "g", 0, 5, 999), Acked::Stale);
        assert_eq!(orders.ack("t", "g", 0, 7, 1_000), Acked::Unknown);
    }

    #[test]
    fn what_is_handed_out_again_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let orders = orders(dir.path());
        assert_eq!(orders.popped("t", "g", 0, pop(None, 1, &[5, 6])), Counts::default());
        let again = orders.popped("t", "g", 0, pop(Some("a"), 200, &[5, 6]));
        assert_eq!((again.by_offset[&5], again.least), (1, 1));
        let repeated = orders.popped("t", "g", 0, pop(Some("a"), 210, &[5, 6]));
        assert_eq!(repeated.least, 1);
        let wider = orders.popped("t", "g", 0, pop(Some("b"), 400, &[6, 7]));
        assert_eq!((wider.by_offset[&6], wider.least), (2, 0));
    }

    #[test]
    fn a_changed_time_counts_for_its_message_alone() {
        let dir = tempfile::tempdir().unwrap();
        let orders = orders(dir.path());
        orders.popped("t", "g", 0, pop(None, 1_000, &[5, 6]));
        orders.hide("t", "g", 0, (5, 1_000), 1_500);
        assert_eq!(orders.next_free(0), Some(1_500));
        assert_eq!(orders.freed(1_499, 1_500), [("t".to_owned(), "g".to_owned(), 0)]);
        orders.ack("t", "g", 0, 5, 1_000);
        assert_eq!(orders.next_free(0), Some(1_100));
    }

    #[test]
    fn the_table_survives_in_apaches_form() {
        let dir = tempfile::tempdir().unwrap();
        let orders_before = orders(dir.path());
        orders_before.popped("t", "g", 3, pop(Some("a"), 1_000, &[5, 6]));
        orders_before.save().unwrap();
        let text = std::fs::read_to_string(dir.path().join("config/consumerOrderInfo.json")).unwrap();
        assert!(text.contains(r#""orderedConsumptionLevel":"QUEUE""#) && text.contains(r#""t@g""#), "{text}");
        let after = orders(dir.path());
        assert!(after.is_blocked("t", "g", 3, None, 1_050));
        after.retain(|_, group, _| group != "g");
        assert!(!after.is_blocked("t", "g", 3, None, 1_050));
        after.save().unwrap();
        assert!(!orders(dir.path()).is_blocked("t", "g", 3, None, 1_050), "gone from the file too");
    }
}
