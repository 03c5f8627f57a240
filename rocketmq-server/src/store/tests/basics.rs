use super::*;

#[test]
fn messages_come_back_in_order_across_many_files() {
    let bench = Bench::new();
    let store = bench.open();
    for name in names(0..50) {
        put(&store, "T", 0, &name);
    }
    assert_eq!(bodies(&store, "T", 0), names(0..50));
    assert!(store.max_physical_offset() > 5_000, "several files were filled");
}

#[test]
fn a_message_is_seen_only_once_it_was_written() {
    let bench = Bench::new();
    let store = bench.open();
    let stored = store.put(record("T", 0, "m0")).unwrap();
    assert_eq!(store.max_offset("T", 0), 0);
    assert_eq!(store.read_at(stored.physical_offset), None);
    store.ensure_written(&stored).unwrap();
    assert_eq!(store.max_offset("T", 0), 1);
    assert_eq!(store.read_at(stored.physical_offset).unwrap().body, "m0");
}

#[test]
fn a_clean_restart_reads_almost_nothing_and_keeps_everything() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..40).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.shutdown().unwrap();
    drop(store);
    let (store, report) = bench.open_reporting();
    assert!(!report.abnormal && !report.rebuilt && report.cut.is_none(), "{report:?}");
    assert_eq!(report.records, 0);
    assert_eq!(bodies(&store, "T", 0), names(0..40));
    assert_eq!(put(&store, "T", 0, "m40").queue_offset, 40);
}

#[test]
fn a_killed_store_recovers_everything_that_was_written() {
    let bench = Bench::new();
    let store = bench.open();
    names(0..40).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.put(record("T", 0, "never written")).unwrap();
    store.kill();
    let (store, report) = bench.open_reporting();
    assert!(report.abnormal);
    assert_eq!(bodies(&store, "T", 0), names(0..40));
    assert_eq!(put(&store, "T", 0, "m40").queue_offset, 40);
}
