//! Reading: statuses, limits, filters, times, keys; and who sees what when.

use std::time::Duration;

use rocketmq_remoting::message::SysFlag;
use rocketmq_remoting::names::SCHEDULE_TOPIC;

use super::*;

struct OnlyCode(i64);

impl Filter for OnlyCode {
    fn wants_code(&self, tags_code: i64) -> bool {
        tags_code == self.0
    }
}

struct OnlyBody(&'static str);

impl Filter for OnlyBody {
    fn wants_record(&self, record: &[u8]) -> bool {
        body(record) == self.0
    }
}

fn filled(bench: &Bench, count: usize) -> Store {
    // Not the machine's disk: how full that is must not matter here.
    let store = bench.open_on(&Arc::new(faults::FaultyDisk::default()));
    for name in names(0..count) {
        put(&store, "T", 0, &name);
        bench.clock.advance(Duration::from_millis(10));
    }
    store
}

#[test]
fn every_row_of_the_status_table() {
    let bench = Bench::new();
    let store = filled(&bench, 10);
    let status = |topic, offset, filter: &dyn Filter| {
        let fetched = store.get(topic, 0, offset, limits(3), filter);
        (fetched.status, fetched.next_begin, fetched.records.len())
    };
    assert_eq!(status("None", 0, &All), (GetStatus::NoMatchedLogicQueue, 0, 0));
    assert_eq!(status("T", -1, &All), (GetStatus::OffsetTooSmall, 0, 0));
    assert_eq!(status("T", 10, &All), (GetStatus::OffsetOverflowOne, 10, 0));
    assert_eq!(status("T", 11, &All), (GetStatus::OffsetOverflowBadly, 10, 0));
    assert_eq!(status("T", 2, &All), (GetStatus::Found, 5, 3));
    assert_eq!(status("T", 6, &All), (GetStatus::Found, 8, 2), "a read ends with the queue's file");
    assert_eq!(status("T", 0, &OnlyCode(1)), (GetStatus::NoMatchedMessage, 8, 0));
    assert_eq!(status("T", 0, &OnlyBody("m5")), (GetStatus::Found, 8, 1));
    store.put(record("Unwritten", 0, "x")).unwrap();
    assert_eq!(status("Unwritten", 0, &All), (GetStatus::NoMessageInQueue, 0, 0));
}

#[test]
fn the_first_message_is_returned_whatever_its_size() {
    let store = filled(&Bench::new(), 5);
    let tight = GetLimits { max_messages: 0, max_bytes: 1 };
    assert_eq!(store.get("T", 0, 1, tight, &All).records.len(), 1);
    let two = GetLimits { max_messages: 9, max_bytes: 252 };
    assert_eq!(store.get("T", 0, 1, two, &All).bytes, 252);
}

#[test]
fn offsets_are_found_by_time_on_both_sides() {
    let bench = Bench::new();
    let store = filled(&bench, 20);
    let start = 1_700_000_000_000;
    let find = |ms, boundary| store.offset_by_time("T", 0, start + ms, boundary);
    assert_eq!((find(50, Boundary::Lower), find(50, Boundary::Upper)), (5, 5));
    assert_eq!((find(55, Boundary::Lower), find(55, Boundary::Upper)), (6, 5));
    assert_eq!((find(-1, Boundary::Lower), find(-1, Boundary::Upper)), (0, 0));
    assert_eq!((find(999, Boundary::Lower), find(999, Boundary::Upper)), (20, 19));
    assert_eq!(store.earliest_store_time("T", 0), start);
    assert_eq!(store.earliest_store_time("None", 0), -1);
}

#[test]
fn keys_with_equal_hashes_are_told_apart() {
    let bench = Bench::new();
    let store = bench.open();
    // "Aa" and "BB" have the same Java hash.
    put(&store, "T", 0, "Aa");
    put(&store, "T", 0, "BB");
    let found = store.query("T", "kBB", KeyKind::Key, 32, 0, i64::MAX).unwrap();
    assert_eq!(found.iter().map(|r| body(r)).collect::<Vec<_>>(), ["BB"]);
    assert_eq!(store.query("T", "TagA", KeyKind::Tag, 32, 0, i64::MAX).unwrap().len(), 2);
    assert!(store.query("T", "kBB", KeyKind::Key, 32, 0, 1).unwrap().is_empty());
}

#[test]
fn a_query_answers_as_many_messages_as_are_asked_for_and_fit() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..100).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    let query = |max| store.query("T", "TagA", KeyKind::Tag, max, 0, i64::MAX).unwrap();
    assert_eq!((query(80).len(), query(200).len()), (80, 100));
    let newest: Vec<_> = query(2).iter().map(|record| body(record)).collect();
    assert_eq!(newest, ["m98", "m99"]);
}

#[test]
fn a_delayed_message_is_kept_with_the_time_it_is_due() {
    let bench = Bench::new();
    let store = bench.open();
    let delayed = MessageRecord { properties: "DELAY\u{1}3\u{2}".into(), ..record(SCHEDULE_TOPIC, 2, "x") };
    store.ensure_written(&store.put(delayed).unwrap()).unwrap();
    assert_eq!(store.units(SCHEDULE_TOPIC, 2, 0, 1).unwrap()[0].tags_code, 1_700_000_010_000);
}

#[test]
fn store_times_hide_a_small_step_back_of_the_clock_and_follow_a_large_one() {
    let bench = Bench::new();
    let store = bench.open();
    let first = put(&store, "T", 0, "m0").store_timestamp;
    bench.clock.set(first - 10_000);
    assert_eq!(put(&store, "T", 0, "m1").store_timestamp, first);
    bench.clock.set(first - 10_001);
    assert_eq!(put(&store, "T", 0, "m2").store_timestamp, first - 10_001);
}

#[test]
fn a_clock_that_was_an_hour_ahead_for_a_moment_delays_nothing() {
    let bench = Bench::new();
    let store = bench.open();
    let delayed = || {
        let waits = MessageRecord { properties: "DELAY\u{1}1\u{2}".into(), ..record(SCHEDULE_TOPIC, 0, "x") };
        let stored = store.put(waits).unwrap();
        store.ensure_written(&stored).unwrap();
        let unit = store.units(SCHEDULE_TOPIC, 0, stored.queue_offset, 1).unwrap()[0];
        unit.tags_code - bench.clock.now_ms()
    };
    assert_eq!(delayed(), 1_000);
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(delayed(), 1_000);
    bench.clock.set(bench.clock.now_ms() - 3_600_000);
    assert_eq!(delayed(), 1_000);
    bench.clock.set(bench.clock.now_ms() - 5_000);
    assert_eq!(delayed(), 1_000);
}

#[test]
fn undecided_transactions_have_no_place_in_a_queue() {
    let store = Bench::new().open();
    let half = MessageRecord { sys_flag: SysFlag(SysFlag::TRANSACTION_PREPARED), ..record("T", 0, "half") };
    let stored = store.put(half).unwrap();
    store.ensure_written(&stored).unwrap();
    assert_eq!((stored.queue_offset, store.max_offset("T", 0)), (0, 0));
    assert_eq!(store.read_at(stored.physical_offset).unwrap().body, "half");
    assert_eq!(store.read_queued(stored.physical_offset), None);
}

#[test]
fn bad_messages_are_refused_with_the_rule_they_break() {
    let store = Bench::new().open();
    let refuse = |record| store.put(record).unwrap_err().to_string();
    assert!(refuse(record("../T", 0, "x")).contains("../T"));
    assert!(refuse(record("", 0, "x")).contains("topic"));
    assert!(refuse(record(&"t".repeat(128), 0, "x")).contains("127"));
    assert!(refuse(record("T", -1, "x")).contains("-1"));
    assert!(refuse(record("T", 0, &"x".repeat(2_000))).contains("bytes in the log, the limit is"));
    let properties = "p".repeat(40_000);
    assert!(refuse(MessageRecord { properties, ..record("T", 0, "x") }).contains("40000"));
}

#[test]
fn a_batch_is_never_split_between_files() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, "T", 0, "m0");
    let batch = names(1..8).iter().map(|name| record("T", 0, name)).collect();
    let stored = store.put_batch(batch).unwrap();
    store.ensure_written(&stored[6]).unwrap();
    assert_eq!(stored[0].physical_offset, 1000);
    let log = std::fs::read(bench.dir.path().join("commitlog/00000000000000000000")).unwrap();
    assert_eq!(log[126..134], [0, 0, 3, 0x6a, 0xcb, 0xd4, 0x31, 0x94], "874 bytes were left");
    assert_eq!(bodies(&store, "T", 0), names(0..8));
}

#[tokio::test]
async fn with_sync_flush_a_message_is_seen_after_its_flush() {
    let mut bench = Bench::new();
    bench.live.flush_mode = FlushMode::Sync;
    let store = bench.open();
    let stored = put(&store, "T", 0, "m0");
    assert_eq!(store.max_offset("T", 0), 0);
    assert!(store.read_queued(stored.physical_offset).is_some(), "it is on its way into its queue");
    store.start_background().unwrap();
    assert!(store.flushed(stored.end, Duration::from_secs(5)).await);
    assert_eq!(store.max_offset("T", 0), 1);
    assert_eq!(store.read_queued(stored.physical_offset).unwrap().body, "m0");
    store.shutdown().unwrap();
}

#[test]
fn expired_files_go_at_their_hour_and_offsets_go_on() {
    let bench = Bench::new();
    let store = filled(&bench, 60);
    store.inner.sync_queues().unwrap();
    bench.clock.set(crate::clock::System.now_ms() / 86_400_000 * 86_400_000 + 5 * 86_400_000);
    assert_eq!(store.delete_expired().unwrap(), Cleaned::default(), "it is midnight");
    store.request_deletion();
    assert_ne!(store.delete_expired().unwrap(), Cleaned::default(), "who asks does not wait for the hour");
    bench.clock.advance(Duration::from_secs(4 * 3600));
    while store.delete_expired().unwrap() != Cleaned::default() {}
    let min = store.min_offset("T", 0);
    assert!(min > 40, "{min}");
    assert_eq!(bodies(&store, "T", 0), names(min as usize..60));
    let fetched = store.get("T", 0, 0, limits(3), &All);
    assert_eq!((fetched.status, fetched.next_begin), (GetStatus::OffsetTooSmall, min));
    store.kill();
    let store = bench.open();
    assert_eq!((store.min_offset("T", 0), store.max_offset("T", 0)), (min, 60));
}

#[test]
fn writers_and_readers_do_not_disturb_each_other() {
    let bench = Bench::new();
    let store = bench.open();
    std::thread::scope(|scope| {
        for queue in 0..2 {
            let store = &store;
            scope.spawn(move || names(0..300).iter().for_each(|name| drop(put(store, "T", queue, name))));
            scope.spawn(move || {
                let mut at = 0;
                while at < 300 {
                    for found in store.get("T", queue, at, limits(5), &All).records {
                        assert_eq!(body(&found), format!("m{at}"));
                        at += 1;
                    }
                }
            });
        }
    });
    assert_eq!(bodies(&store, "T", 1), names(0..300));
}

#[test]
fn what_is_in_memory_is_told_from_what_a_file_has() {
    let bench = Bench::new();
    let store = bench.open();
    assert!(store.is_hot("T", 0, 0), "there is nothing");
    for i in 0..20 {
        put(&store, "T", 0, &format!("m{i}"));
    }
    assert!(!store.is_hot("T", 0, 0), "the log's memory holds the newest few");
    for offset in [-1, 19, 20, 21] {
        assert!(store.is_hot("T", 0, offset), "{offset}");
    }
    store.shutdown().unwrap();
    drop(store);
    let store = bench.open();
    assert!(!store.is_hot("T", 0, 19) && store.is_hot("T", 0, 20));
}

#[test]
fn a_cold_read_and_a_queue_that_goes_do_not_disturb_each_other() {
    let bench = Bench::new();
    let store = bench.open();
    for round in 0..20 {
        for i in 0..200 {
            put(&store, "T", 0, &format!("m{i}"));
        }
        store.inner.keep_up(true).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for at in (0..200).step_by(7) {
                    let fetched = store.get("T", 0, at, limits(50), &All);
                    let read: Vec<_> = fetched.records.iter().map(|record| body(record)).collect();
                    assert!(read.iter().all(|body| body.starts_with('m')), "{round}: {read:?}");
                }
            });
            scope.spawn(|| store.delete_topic("T").unwrap());
        });
    }
}
