//! Says which messages were deleted with files of the log before their group had read them.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::Offsets;
use crate::broker::log::Log;
use crate::broker::stats::counters::Counters;
use crate::store::Deleted;

/// Messages that a group will never read.
#[derive(Debug, PartialEq, Eq)]
struct Missed<'a> {
    topic: &'a str,
    queue: i32,
    group: &'a str,
    messages: i64,
}

/// Reports what each round of deletion takes from the groups.
pub(crate) fn watch(log: &Arc<Log>, offsets: Arc<Offsets>) {
    let weak = Arc::downgrade(log);
    log.store.on_deletion(move |deleted| {
        if let Some(log) = weak.upgrade() {
            report(&log, &offsets, deleted);
        }
    });
}

fn report(log: &Log, offsets: &Offsets, deleted: &[Deleted]) {
    let offsets = offsets.lock().snapshot();
    let committed = offsets.iter().flat_map(|(key, queues)| {
        let (topic, group) = key.split_once('@').unwrap_or((key, ""));
        queues.iter().map(move |(queue, offset)| (topic, group, *queue, *offset))
    });
    for missed in missed(deleted, committed) {
        Counters::add(&log.stats.counters.deleted_unread, missed.messages.unsigned_abs());
        tracing::error!(
            topic = missed.topic,
            queue = missed.queue,
            group = missed.group,
            messages = missed.messages,
            "messages were deleted before their group read them: give the store more room, or a shorter \
             fileReservedTime to what is read sooner"
        );
    }
}

/// `committed` yields the topic, group, queue and offset of each position.
fn missed<'a>(
    deleted: &[Deleted],
    committed: impl Iterator<Item = (&'a str, &'a str, i32, i64)>,
) -> Vec<Missed<'a>> {
    let ranges: HashMap<(&str, i32), &Deleted> =
        deleted.iter().map(|deleted| ((&*deleted.topic, deleted.queue_id), deleted)).collect();
    let unread = |(topic, group, queue, offset): (&'a str, &'a str, i32, i64)| {
        let range = ranges.get(&(topic, queue))?;
        let messages = range.to - range.from.max(offset);
        (messages > 0).then_some(Missed { topic, queue, group, messages })
    };
    committed.filter_map(unread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_misses_what_lies_between_its_offset_and_the_first_that_is_left() {
        let deleted = [Deleted { topic: "T".into(), queue_id: 1, from: 10, to: 30 }];
        let committed = [
            ("T", "behind", 1, 12),
            ("T", "never", 1, 0),
            ("T", "done", 1, 30),
            ("T", "other", 0, 0),
            ("U", "g", 1, 0),
        ];
        let missed = missed(&deleted, committed.into_iter());
        let expected = [("behind", 18), ("never", 20)].map(|(group, messages)| Missed {
            topic: "T",
            queue: 1,
            group,
            messages,
        });
        assert_eq!(missed, expected);
    }
}
