//! Measurements: `cargo test --release -p rocketmq-server --lib costs -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use super::*;
use crate::clock::System;

fn open(dir: &TempDir) -> Store {
    let begun = Instant::now();
    let (store, report) =
        Store::open(StoreConfig::new(dir.path()), StoreLive::default(), Arc::new(System)).unwrap();
    println!("  opened in {:?}, {} records read", begun.elapsed(), report.records);
    store
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn fill(store: &Store, messages: usize, queues: usize) {
    let begun = Instant::now();
    let text = "x".repeat(128);
    for i in 0..messages {
        let stored = store.put(record("Topic", (i % queues) as i32, &format!("{i:08}{text}"))).unwrap();
        if i % 32 == 31 || i + 1 == messages {
            store.ensure_written(&stored).unwrap();
        }
    }
    println!("  {messages} messages in {:?}", begun.elapsed());
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    println!("  {what} in {:?}", begun.elapsed());
    result
}

/// A put, by messages of a batch.
#[test]
#[ignore = "a measurement, not a check"]
fn put() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 1_000_000, 8);
}

/// Opening after a clean stop and after a kill, with `MESSAGES` in `QUEUES`.
#[test]
#[ignore = "a measurement, not a check"]
fn open_with_many_messages() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, number("MESSAGES", 10_000_000), number("QUEUES", 8));
    timed("shut down", || store.shutdown().unwrap());
    drop(store);
    let store = open(&dir);
    timed("read on from the start", || bodies_read(&store));
    store.kill();
    drop(store);
    open(&dir);
}

fn bodies_read(store: &Store) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < store.max_offset("Topic", 0) {
        let fetched = store.get("Topic", 0, at, limits(32), &All);
        count += fetched.records.len();
        at = fetched.next_begin;
    }
    count
}

/// Stopping and starting with `QUEUES` queues of one message each.
#[test]
#[ignore = "a measurement, not a check"]
fn stop_with_many_queues() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, number("QUEUES", 80_000), number("QUEUES", 80_000));
    timed("written out", || store.inner.keep_up(false).unwrap());
    timed("shut down", || store.shutdown().unwrap());
    drop(store);
    let store = open(&dir);
    timed("shut down with nothing new", || store.shutdown().unwrap());
    drop(store);
    let store = open(&dir);
    fill(&store, 1000, number("QUEUES", 80_000));
    timed("shut down with 1000 dirty queues", || store.shutdown().unwrap());
}
