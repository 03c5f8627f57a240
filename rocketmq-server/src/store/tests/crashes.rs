//! Torn, damaged, lost and lagging files.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The commit log's bytes at `offset`, to be changed in place.
    fn overwrite(&self, offset: i64, bytes: &[u8]) {
        let size = self.config.commit_log_file_size as i64;
        let name = format!("commitlog/{:020}", offset / size * size);
        let file = OpenOptions::new().write(true).open(self.path(&name)).unwrap();
        file.write_all_at(bytes, (offset % size) as u64).unwrap();
    }

    fn killed_with(&self, count: usize) -> Vec<Put> {
        let store = self.open();
        let stored = names(0..count).iter().map(|name| put(&store, "T", 0, name)).collect();
        store.kill();
        stored
    }
}

#[test]
fn a_log_torn_at_any_byte_of_its_end_keeps_every_whole_message() {
    let mut bench = Bench::new();
    bench.config.commit_log_file_size = 4096;
    let stored = bench.killed_with(6);
    let end = stored[5].end;
    // From the last byte back, so that each cut is made into what the one before left.
    for cut in (stored[3].physical_offset..end).rev() {
        bench.overwrite(cut, &[0]);
        let whole = stored.iter().filter(|s| s.end <= cut).count();
        let (store, report) = bench.open_reporting();
        assert_eq!(bodies(&store, "T", 0), names(0..whole), "cut at {cut}");
        assert_eq!(report.end, stored[whole - 1].end);
        store.kill();
    }
}

#[test]
fn a_torn_message_is_replaced_by_the_next_and_never_returns() {
    let mut bench = Bench::new();
    bench.config.commit_log_file_size = 4096;
    let stored = bench.killed_with(6);
    let torn = stored[5].physical_offset + 88;
    bench.overwrite(torn, &vec![0; (stored[5].end - torn) as usize]);
    fs::remove_dir_all(bench.path("consumequeue")).unwrap_or_default();
    let (store, report) = bench.open_reporting();
    assert!(report.cut.is_some());
    assert_eq!(bodies(&store, "T", 0), names(0..5));
    // Exactly as long as the one it replaces.
    put(&store, "T", 0, "n5");
    store.kill();
    assert_eq!(bodies(&bench.open(), "T", 0), ["m0", "m1", "m2", "m3", "m4", "n5"]);
}

/// The log was cut at the first damaged record unless a checkpoint vouched for what lay behind.
#[test]
fn damage_costs_only_the_damaged_message_whether_it_was_flushed_or_not() {
    for damaged in 0..6 {
        let bench = Bench::new();
        let stored = bench.killed_with(6);
        bench.overwrite(stored[damaged].physical_offset + 88, b"XX");
        fs::write(bench.path("checkpoint"), vec![0; 4096]).unwrap();
        let (store, report) = bench.open_reporting();
        assert_eq!((report.damaged, report.cut), (1, None), "{damaged}");
        let mut others = names(0..6);
        others.remove(damaged);
        assert_eq!(bodies(&store, "T", 0), others);
        assert_eq!(put(&store, "T", 0, "m6").queue_offset, 6, "no offset is given out twice");
    }
}

#[test]
fn zeros_in_the_middle_of_the_log_cost_only_what_they_hit() {
    for clean in [true, false] {
        let bench = Bench::new();
        let store = bench.open();
        let stored: Vec<_> = names(0..30).iter().map(|name| put(&store, "T", 0, name)).collect();
        if clean {
            store.shutdown().unwrap()
        } else {
            store.kill()
        }
        // From the middle of one message to the middle of another.
        let zeros = stored[3].physical_offset + 50..stored[5].physical_offset + 50;
        bench.overwrite(zeros.start, &vec![0; (zeros.end - zeros.start) as usize]);
        let store = bench.open();
        let kept: Vec<_> = (0..30).filter(|i| !(3..=5).contains(i)).map(|i| format!("m{i}")).collect();
        assert_eq!(bodies(&store, "T", 0), kept, "clean: {clean}");
        assert_eq!(put(&store, "T", 0, "m30").queue_offset, 30);
        assert!(store.damaged_records() > 0);
    }
}

#[test]
fn damage_before_the_last_flush_costs_only_the_damaged_message() {
    let bench = Bench::new();
    let store = bench.open();
    let stored: Vec<_> = names(0..12).iter().map(|name| put(&store, "T", 0, name)).collect();
    store.inner.flush_log().unwrap();
    store.kill();
    bench.overwrite(stored[5].physical_offset + 90, b"damage");
    let (store, report) = bench.open_reporting();
    assert_eq!(report.damaged, 1);
    let mut others = names(0..12);
    others.remove(5);
    assert_eq!(bodies(&store, "T", 0), others);
    assert_eq!(store.max_offset("T", 0), 12, "offsets are not given twice");
}

#[test]
fn a_record_damaged_under_a_running_store_is_skipped_by_readers() {
    let mut bench = Bench::new();
    bench.config.hot_tail = 0;
    let store = bench.open();
    let stored: Vec<_> = names(0..12).iter().map(|name| put(&store, "T", 0, name)).collect();
    bench.overwrite(stored[5].physical_offset + 89, b"X");
    let mut others = names(0..12);
    others.remove(5);
    assert_eq!(bodies(&store, "T", 0), others);
    assert_eq!(store.read_at(stored[5].physical_offset), None);
    let fetched = store.get("T", 0, 5, GetLimits { max_messages: 1, max_bytes: 1 }, &All);
    assert_eq!((fetched.status, fetched.next_begin), (GetStatus::Found, 7), "the next one is served");
}

#[test]
fn recovering_twice_changes_nothing_the_second_time() {
    let bench = Bench::new();
    let stored = bench.killed_with(30);
    bench.overwrite(stored[29].physical_offset + 50, &[0xff; 8]);
    bench.open().kill();
    let first = contents(&bench);
    bench.open().kill();
    assert!(contents(&bench) == first);
}

fn contents(bench: &Bench) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(bench.path("commitlog")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

/// Messages were missed after a crash while the queues lagged behind the log.
#[test]
fn queues_that_lag_behind_the_log_catch_up() {
    let bench = Bench::new();
    bench.killed_with(30);
    let store = bench.open();
    assert_eq!(bodies(&store, "T", 0), names(0..30));
    store.shutdown().unwrap();
    drop(store);
    fs::remove_dir_all(bench.path("consumequeue")).unwrap();
    assert_eq!(bodies(&bench.open(), "T", 0), names(0..30), "after a clean end too");
}

/// The end of a queue file was zeros or leftovers after the machine crashed.
#[test]
fn a_queue_whose_end_is_damaged_is_made_anew() {
    for damage in [[0u8; 60], [0xff; 60], [0x11; 60]] {
        let bench = Bench::new();
        let store = bench.open();
        names(0..12).iter().for_each(|name| drop(put(&store, "T", 0, name)));
        store.shutdown().unwrap();
        drop(store);
        let path = bench.path("consumequeue/T/0/00000000000000000160");
        OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&damage, 20).unwrap();
        let (store, report) = bench.open_reporting();
        assert_eq!(bodies(&store, "T", 0), names(0..12), "{report:?}");
        assert_eq!(put(&store, "T", 0, "m12").queue_offset, 12);
    }
}

#[test]
fn a_queue_file_of_a_wrong_length_is_made_anew() {
    for len in [0, 7, 90] {
        let bench = Bench::new();
        let store = bench.open();
        names(0..20).iter().for_each(|name| drop(put(&store, "T", 0, name)));
        store.shutdown().unwrap();
        drop(store);
        let path = bench.path("consumequeue/T/0/00000000000000000160");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
        assert_eq!(bodies(&bench.open(), "T", 0), names(0..20), "cut to {len} bytes");
    }
}

/// A queue knew of messages that the log had lost: they were acknowledged, so their offsets stay taken.
#[test]
fn a_queue_ahead_of_the_log_gives_no_offset_out_again() {
    let bench = Bench::new();
    let store = bench.open();
    let stored: Vec<_> = names(0..10).iter().map(|name| put(&store, "T", 0, name)).collect();
    store.inner.sync_queues().unwrap();
    store.kill();
    let lost = stored[7].physical_offset;
    for offset in lost..stored[9].end {
        bench.overwrite(offset, &[0]);
    }
    fs::remove_file(bench.path("abort")).unwrap();
    let store = bench.open();
    assert_eq!(bodies(&store, "T", 0), names(0..7));
    assert_eq!(put(&store, "T", 0, "n10").queue_offset, 10);
    store.kill();
    assert_eq!(bodies(&bench.open(), "T", 0), [names(0..7), vec!["n10".into()]].concat());
}

/// The last messages of the log file before the current one could not be found by key.
#[test]
fn messages_of_every_log_file_are_found_by_key_after_a_crash() {
    let mut bench = Bench::new();
    bench.config.index_entries = 1000;
    let store = bench.open();
    for name in names(0..30) {
        put(&store, "T", 0, &name);
        bench.clock.advance(std::time::Duration::from_secs(10));
        // The checkpoint vouches for log and queues all along; the index is never written.
        store.inner.flush_log().unwrap();
        store.inner.sync_queues().unwrap();
    }
    store.kill();
    let store = bench.open();
    for name in names(0..30) {
        assert_eq!(find(&store, &format!("k{name}")), [name.as_str()], "{name}");
    }
}

/// The last index file was deleted after a crash, and with it the only way to find its messages.
#[test]
fn the_last_index_file_is_kept_after_a_crash() {
    let mut bench = Bench::new();
    bench.config.index_entries = 1000;
    let store = bench.open();
    put(&store, "T", 0, "m0");
    store.inner.dispatcher.lock().index.as_mut().unwrap().write_entries().unwrap();
    store.kill();
    let files =
        || fs::read_dir(bench.path("index")).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    let before = files();
    let store = bench.open();
    assert_eq!(files(), before);
    assert_eq!(find(&store, "km0"), ["m0"]);
}

#[test]
fn lost_index_files_are_made_again() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..20).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.shutdown().unwrap();
    drop(store);
    fs::remove_dir_all(bench.path("index")).unwrap();
    let store = bench.open();
    names(0..20).iter().for_each(|name| assert_eq!(find(&store, &format!("u{name}")), [name.as_str()]));
}

fn find(store: &Store, key: &str) -> Vec<String> {
    let found = store.query("T", key, KeyKind::Key, 32, 0, i64::MAX).unwrap();
    found.iter().map(|r| body(r)).collect()
}

/// The checkpoint vouched for queue units that had not been flushed.
#[test]
fn the_checkpoint_follows_the_queues_and_not_the_log() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, "T", 0, "m0");
    store.inner.flush_log().unwrap();
    let times = store.inner.checkpoint.lock().times();
    assert_eq!((times.log, times.queues), (1_700_000_000_000, 0));
    store.inner.sync_queues().unwrap();
    assert_eq!(store.inner.checkpoint.lock().times().queues, 1_700_000_000_000);
}

#[test]
fn a_lost_or_torn_checkpoint_only_makes_recovery_longer() {
    for len in [None, Some(0), Some(20)] {
        let bench = Bench::new();
        bench.killed_with(30);
        let path = bench.path("checkpoint");
        match len {
            None => fs::remove_file(&path).unwrap(),
            Some(len) => OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap(),
        }
        assert_eq!(bodies(&bench.open(), "T", 0), names(0..30));
    }
}

#[test]
fn files_of_another_size_are_refused_with_the_remedy() {
    for size in [500, 2000] {
        let mut bench = Bench::new();
        bench.killed_with(12);
        bench.config.commit_log_file_size = size;
        let clock = Arc::new(bench.clock.clone());
        let error = Store::open(bench.config.clone(), bench.live.clone(), clock).unwrap_err().to_string();
        assert!(error.contains("1000") && error.contains("mappedFileSizeCommitLog"), "{error}");
    }
}

/// A power cut can keep the writes to a file and lose that it was made longer.
#[test]
fn a_last_log_file_of_any_length_is_used() {
    for len in (0..1000).step_by(37) {
        let bench = Bench::new();
        let stored = bench.killed_with(12);
        let path = bench.path("commitlog/00000000000000001000");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
        let store = bench.open();
        let whole = stored.iter().filter(|s| s.end <= 1000 + len as i64).count();
        assert_eq!(bodies(&store, "T", 0), names(0..whole), "{len} bytes");
        assert_eq!(fs::metadata(&path).map_or(1000, |found| found.len()), 1000);
        assert_eq!(put(&store, "T", 0, "next").queue_offset, whole as i64);
    }
}

#[test]
fn what_lies_behind_a_missing_log_file_is_kept() {
    let bench = Bench::new();
    let store = bench.open();
    let stored: Vec<_> = names(0..30).iter().map(|name| put(&store, "T", 0, name)).collect();
    store.shutdown().unwrap();
    fs::remove_file(bench.path("commitlog/00000000000000001000")).unwrap();
    let store = bench.open();
    let kept = names(0..30).into_iter().zip(&stored).filter(|(_, s)| s.physical_offset / 1000 != 1);
    assert_eq!(bodies(&store, "T", 0), kept.map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(put(&store, "T", 0, "next").queue_offset, 30);
}

#[test]
fn a_store_whose_log_was_deleted_begins_anew() {
    for clean in [true, false] {
        let bench = Bench::new();
        let store = bench.open();
        names(0..12).iter().for_each(|name| drop(put(&store, "T", 0, name)));
        put(&store, "U", 0, "deleted");
        store.delete_topic("U").unwrap();
        store.inner.keep_up(true).unwrap();
        if clean {
            store.shutdown().unwrap()
        } else {
            store.kill()
        }
        fs::remove_dir_all(bench.path("commitlog")).unwrap();
        let store = bench.open();
        assert_eq!((store.min_offset("T", 0), store.max_offset("T", 0)), (0, 0));
        assert_eq!(put(&store, "T", 0, "m0").queue_offset, 0);
        put(&store, "U", 0, "new");
        store.kill();
        let store = bench.open();
        assert_eq!((bodies(&store, "T", 0), bodies(&store, "U", 0)), (vec!["m0".into()], vec!["new".into()]));
    }
}

#[test]
fn files_made_in_advance_are_used() {
    let bench = Bench::new();
    let stored = bench.killed_with(3);
    fs::write(bench.path("commitlog/00000000000000001000"), vec![0; 1000]).unwrap();
    fs::write(bench.path("commitlog/00000000000000002000"), b"").unwrap();
    let store = bench.open();
    assert_eq!(store.max_physical_offset(), stored[2].end);
    names(3..20).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    assert_eq!(bodies(&store, "T", 0), names(0..20));
}

#[test]
fn a_topic_deleted_and_made_again_keeps_its_new_numbers() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..9).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    assert!(store.delete_topic("T").unwrap());
    assert_eq!(store.max_offset("T", 0), 0);
    names(20..24).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.kill();
    let store = bench.open();
    assert_eq!(bodies(&store, "T", 0), names(20..24));
    assert_eq!(put(&store, "T", 0, "x").queue_offset, 4);
}

#[derive(Debug, Clone)]
enum Act {
    Put(u8, u8),
    Batch(u8, u8),
    Unwritten(u8),
    Flush,
    SyncQueues,
    KeepUp,
    Kill,
    Shutdown,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => (0..3u8, any::<u8>()).prop_map(|(q, n)| Act::Put(q, n)),
        2 => (0..3u8, 1..4u8).prop_map(|(q, n)| Act::Batch(q, n)),
        1 => (0..3u8).prop_map(Act::Unwritten),
        1 => Just(Act::Flush),
        1 => Just(Act::SyncQueues),
        1 => Just(Act::KeepUp),
        1 => Just(Act::Kill),
        1 => Just(Act::Shutdown),
    ];
    prop::collection::vec(act, 1..60)
}

/// Runs `act` on the store and on the model: the written bodies of each queue.
fn step(bench: &Bench, store: &mut Store, model: &mut [Vec<String>; 3], act: &Act, serial: usize) {
    let name = |i: usize, pad: u8| format!("{serial}.{i}.{}", "x".repeat(usize::from(pad) / 2));
    match *act {
        Act::Put(q, pad) => {
            let stored = put(store, "T", i32::from(q), &name(0, pad));
            assert_eq!(stored.queue_offset, model[usize::from(q)].len() as i64);
            model[usize::from(q)].push(name(0, pad));
        }
        Act::Batch(q, count) => {
            let batch: Vec<_> = (0..usize::from(count)).map(|i| name(i, 0)).collect();
            let records = batch.iter().map(|b| record("T", i32::from(q), b)).collect();
            let stored = store.put_batch(records).unwrap();
            store.ensure_written(stored.last().unwrap()).unwrap();
            model[usize::from(q)].extend(batch);
        }
        Act::Unwritten(q) => {
            let discarded = store.put(record("T", i32::from(q), "gone")).unwrap();
            store.kill();
            assert!(store.ensure_written(&discarded).is_err());
            *store = bench.open();
        }
        Act::Flush => store.inner.flush_log().unwrap(),
        Act::SyncQueues => {
            store.inner.sync_queues().unwrap();
        }
        Act::KeepUp => store.inner.keep_up(true).unwrap(),
        Act::Kill => {
            store.kill();
            *store = bench.open();
        }
        Act::Shutdown => {
            store.shutdown().unwrap();
            *store = bench.open();
        }
    }
    bench.clock.advance(std::time::Duration::from_millis(1_500));
}

/// A longer hunt sets `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_store_is_the_list_of_what_was_written(acts in acts()) {
        let bench = Bench::new();
        let mut store = bench.open();
        let mut model = [const { Vec::new() }; 3];
        for (serial, act) in acts.iter().enumerate() {
            step(&bench, &mut store, &mut model, act, serial);
        }
        store.kill();
        let store = bench.open();
        for (queue, expected) in (0..).zip(&model) {
            prop_assert_eq!(&bodies(&store, "T", queue), expected);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_never_shows_a_message_that_was_not_put(at in 0..5_000i64, bit in 0..8u8, clean: bool) {
        let bench = Bench::new();
        let store = bench.open();
        let stored: Vec<_> = names(0..20).iter().map(|name| put(&store, "T", 0, name)).collect();
        if clean { store.shutdown().unwrap() } else { store.kill() }
        drop(store);
        let at = at % stored[19].end;
        let name = format!("commitlog/{:020}", at / 1000 * 1000);
        let mut bytes = fs::read(bench.path(&name)).unwrap();
        bytes[(at % 1000) as usize] ^= 1 << bit;
        fs::write(bench.path(&name), bytes).unwrap();
        let store = bench.open();
        let seen = bodies(&store, "T", 0);
        let mut rest = names(0..20).into_iter();
        prop_assert!(seen.iter().all(|s| rest.any(|n| n == *s)), "{seen:?}");
    }
}
/// Recovery makes queues anew in memory. A checkpoint that still vouched for them cost a queue at the next crash.
#[test]
fn queues_made_anew_and_not_yet_on_disk_survive_a_second_crash() {
    let bench = Bench::new();
    let mut store = bench.open();
    let mut model = [const { Vec::new() }; 3];
    let mut acts: Vec<Act> =
        [48, 38, 120, 104, 60, 36, 110, 62, 226, 0].iter().map(|n| Act::Put(0, *n)).collect();
    acts.extend([Act::Put(1, 170), Act::Put(1, 0), Act::SyncQueues, Act::Kill, Act::Flush]);
    for (serial, act) in acts.iter().enumerate() {
        step(&bench, &mut store, &mut model, act, serial);
    }
    store.kill();
    assert_eq!(bodies(&bench.open(), "T", 0), model[0]);
}
