//! Queues disagree with the log: they are derived from it, so they are made anew.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use super::*;

/// A store with two queues, closed cleanly or killed after a thorough flush.
fn closed(bench: &Bench, clean: bool) -> Store {
    let store = bench.open();
    names(0..30).iter().enumerate().for_each(|(i, name)| drop(put(&store, "T", (i % 2) as i32, name)));
    store.inner.keep_up(true).unwrap();
    if clean {
        store.shutdown().unwrap()
    } else {
        store.kill()
    }
    store
}

/// The bodies that queue `queue` of a [`closed`] store holds.
fn expected(queue: usize) -> Vec<String> {
    (0..15).map(|i| format!("m{}", 2 * i + queue)).collect()
}

fn assert_whole(store: &Store) {
    for queue in 0..2 {
        assert_eq!(bodies(store, "T", queue as i32), expected(queue));
        assert_eq!(put(store, "T", queue as i32, "next").queue_offset, 15);
    }
}

fn change(bench: &Bench, file: &str, at: u64, bytes: &[u8]) {
    let path = bench.dir.path().join("consumequeue/T").join(file);
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn the_top_bit_of_any_units_size() {
    for clean in [true, false] {
        for unit in 0..15u64 {
            let bench = Bench::new();
            closed(&bench, clean);
            let file = format!("0/{:020}", unit / 8 * 160);
            change(&bench, &file, unit % 8 * 20 + 8, &[0x80]);
            assert_whole(&bench.open());
        }
    }
}

#[test]
fn zeros_in_place_of_any_units() {
    for clean in [true, false] {
        for (file, from, to) in [(0, 0, 8), (0, 3, 5), (160, 0, 3), (160, 5, 7), (160, 0, 7)] {
            let bench = Bench::new();
            closed(&bench, clean);
            change(&bench, &format!("1/{file:020}"), from * 20, &vec![0; (to - from) as usize * 20]);
            assert_whole(&bench.open());
        }
    }
}

#[test]
fn a_unit_that_names_another_queues_record() {
    for clean in [true, false] {
        for seal in [true, false] {
            let bench = Bench::new();
            closed(&bench, clean);
            let other = fs::read(bench.dir.path().join("consumequeue/T/1/00000000000000000000")).unwrap();
            change(&bench, "0/00000000000000000000", 60, &other[60..80]);
            if !seal {
                fs::remove_file(bench.dir.path().join("seal")).unwrap();
            }
            assert_whole(&bench.open());
        }
    }
}

#[test]
fn a_missing_file_or_folder() {
    for clean in [true, false] {
        for lost in ["0/00000000000000000000", "0/00000000000000000160", "0", "1"] {
            let bench = Bench::new();
            closed(&bench, clean);
            let path = bench.dir.path().join("consumequeue/T").join(lost);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap()
            } else {
                fs::remove_file(path).unwrap()
            }
            assert_whole(&bench.open());
        }
    }
}

/// A damaged code hid a message from everybody who reads by tag.
#[test]
fn the_code_of_a_tag() {
    struct OnlyTag(i64);
    impl Filter for OnlyTag {
        fn wants_code(&self, code: i64) -> bool {
            code == self.0
        }
    }
    let bench = Bench::new();
    closed(&bench, true);
    change(&bench, "0/00000000000000000000", 60 + 19, &[0xff]);
    let store = bench.open();
    let code = i64::from(rocketmq_remoting::subscription::java_string_hash("TagA"));
    let fetched = store.get("T", 0, 0, limits(8), &OnlyTag(code));
    assert_eq!(fetched.records.len(), 8);
}

#[test]
fn damage_while_the_store_is_open() {
    let mut bench = Bench::new();
    bench.config.hot_tail = 0;
    let store = bench.open();
    names(0..30).iter().enumerate().for_each(|(i, name)| drop(put(&store, "T", (i % 2) as i32, name)));
    store.inner.keep_up(true).unwrap();
    store.inner.queues.all().iter().for_each(|queue| {
        // Nothing is in memory any more.
        queue.forget_unwritten();
    });
    change(&bench, "0/00000000000000000000", 0, &[0xff; 60]);
    assert_whole(&store);
}

/// The loop over a file of another size stood still, with a processor busy for ever.
#[test]
fn files_made_with_another_size_are_written_anew() {
    for clean in [true, false] {
        for (before, after) in [(8, 12), (12, 8), (8, 4), (4, 8), (3, 8), (8, 300), (300, 8)] {
            let mut bench = Bench::new();
            bench.config.queue_file_units = before;
            closed(&bench, clean);
            bench.config.queue_file_units = after;
            let store = bench.open();
            assert_whole(&store);
            store.shutdown().unwrap();
            bench.config.queue_file_units = before;
            assert_eq!(bodies(&bench.open(), "T", 0).len(), 16, "{before} to {after} and back");
        }
    }
}

/// Messages of a deleted topic came back when it was created again after a restart.
#[test]
fn a_deleted_topic_stays_deleted() {
    for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
        let bench = Bench::new();
        let end = |store: &Store, clean: bool| if clean { store.shutdown().unwrap() } else { store.kill() };
        let store = bench.open();
        names(0..10).iter().for_each(|name| drop(put(&store, "T", 0, name)));
        put(&store, "U", 0, "other");
        assert!(store.delete_topic("T").unwrap());
        assert!(!store.delete_topic("T").unwrap(), "it is gone");
        end(&store, first);
        let store = bench.open();
        assert_eq!(store.max_offset("T", 0), 0);
        assert_eq!(put(&store, "T", 0, "new").queue_offset, 0);
        end(&store, second);
        let store = bench.open();
        assert_eq!(bodies(&store, "T", 0), ["new"], "{first} {second}");
        assert_eq!(bodies(&store, "U", 0), ["other"]);
        assert_eq!(put(&store, "T", 0, "x").queue_offset, 1);
    }
}

/// Apache's broker keeps no note of deletions; its queues tell.
#[test]
fn a_topic_made_again_without_a_note_of_its_deletion_keeps_its_new_numbers() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..10).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.delete_topic("T").unwrap();
    names(20..23).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.kill();
    for file in ["seal", "config/deletedTopics.json", "checkpoint"] {
        fs::remove_file(bench.dir.path().join(file)).unwrap_or_default();
    }
    assert_eq!(bodies(&bench.open(), "T", 0), names(20..23));
}

#[test]
fn a_binary_search_is_not_led_astray_by_a_damaged_message() {
    let bench = Bench::new();
    let store = bench.open();
    let mut stored = Vec::new();
    for name in names(0..30) {
        stored.push(put(&store, "T", 0, &name));
        bench.clock.advance(std::time::Duration::from_millis(10));
    }
    store.shutdown().unwrap();
    // The one in the middle, where the search begins.
    let at = stored[15].physical_offset;
    let name = format!("commitlog/{:020}", at / 1000 * 1000);
    let log = OpenOptions::new().write(true).open(bench.dir.path().join(name)).unwrap();
    log.write_all_at(&[0; 60], (at % 1000) as u64).unwrap();
    let store = bench.open();
    assert_eq!(store.offset_by_time("T", 0, 1_700_000_000_040, Boundary::Lower), 4);
    assert_eq!(store.offset_by_time("T", 0, 1_700_000_000_250, Boundary::Lower), 25);
    assert_eq!(store.offset_by_time("T", 0, 1_700_000_000_250, Boundary::Upper), 25);
}
