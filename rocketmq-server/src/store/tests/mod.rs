//! The store as its users see it.

mod basics;
mod costs;
mod crashes;
mod faults;
mod flips;
mod queues;
mod reads;

use std::sync::Arc;

use bytes::Bytes;
use rocketmq_remoting::message::{MessageRecord, RecordView};
use tempfile::TempDir;

use super::*;
use crate::clock::Manual;

/// A folder, a clock, and settings small enough that every few messages fill a file.
struct Bench {
    dir: TempDir,
    clock: Manual,
    config: StoreConfig,
    live: StoreLive,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::new(dir.path());
        config.commit_log_file_size = 1000;
        config.queue_file_units = 8;
        config.index_slots = 16;
        config.index_entries = 12;
        config.hot_tail = 600;
        Self { dir, clock: Manual::new(1_700_000_000_000), config, live: StoreLive::default() }
    }

    fn open(&self) -> Store {
        self.open_reporting().0
    }

    fn open_reporting(&self) -> (Store, RecoveryReport) {
        Store::open(self.config.clone(), self.live.clone(), Arc::new(self.clock.clone())).unwrap()
    }
}

fn record(topic: &str, queue_id: i32, body: &str) -> MessageRecord {
    let properties = format!("KEYS\u{1}k{body}\u{2}TAGS\u{1}TagA\u{2}UNIQ_KEY\u{1}u{body}\u{2}");
    let body = Bytes::copy_from_slice(body.as_bytes());
    MessageRecord { queue_id, body, topic: topic.into(), properties, ..MessageRecord::default() }
}

fn put(store: &Store, topic: &str, queue_id: i32, body: &str) -> Put {
    let stored = store.put(record(topic, queue_id, body)).unwrap();
    store.ensure_written(&stored).unwrap();
    stored
}

fn limits(max_messages: usize) -> GetLimits {
    GetLimits { max_messages, max_bytes: 256 << 10 }
}

fn body(record: &[u8]) -> String {
    String::from_utf8(RecordView::parse(record).unwrap().body().to_vec()).unwrap()
}

/// Every body of a queue from its first offset, read a few at a time.
fn bodies(store: &Store, topic: &str, queue_id: i32) -> Vec<String> {
    let mut all = Vec::new();
    let mut at = store.min_offset(topic, queue_id);
    while at < store.max_offset(topic, queue_id) {
        let fetched = store.get(topic, queue_id, at, limits(3), &All);
        assert!(fetched.next_begin > at, "a read must lead on: {fetched:?}");
        all.extend(fetched.records.iter().map(|r| body(r)));
        at = fetched.next_begin;
    }
    all
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|i| format!("m{i}")).collect()
}
