//! A disk that fails when told to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};

use super::super::disk::{Disk, Space};
use super::*;

#[derive(Debug)]
pub(super) struct FaultyDisk {
    /// Bytes that can still be written.
    pub room: AtomicI64,
    pub sync_fails: AtomicBool,
    /// Percent of the disk in use.
    pub used: AtomicI64,
    /// Bytes of a disk that holds nothing but the store; 0: `used` says how full it is.
    pub capacity: AtomicU64,
}

impl Default for FaultyDisk {
    fn default() -> Self {
        Self {
            room: AtomicI64::new(i64::MAX),
            sync_fails: AtomicBool::new(false),
            used: AtomicI64::new(0),
            capacity: AtomicU64::new(0),
        }
    }
}

impl Disk for FaultyDisk {
    fn write_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
        let room = self.room.load(SeqCst).clamp(0, bytes.len() as i64) as usize;
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.fetch_sub(room as i64, SeqCst);
        file.write_at(&bytes[..room], position)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.sync_fails.load(SeqCst) { Err(io::Error::other("EIO")) } else { file.sync_data() }
    }

    fn sync_file_system(&self, dir: &File) -> io::Result<()> {
        self.sync(dir)
    }

    fn space(&self, folder: &Path) -> io::Result<Space> {
        let capacity = self.capacity.load(SeqCst);
        if capacity > 0 {
            let used = size_of(folder)?;
            return Ok(Space { used, available: capacity.saturating_sub(used) });
        }
        let used = self.used.load(SeqCst).unsigned_abs();
        Ok(Space { used, available: 100 - used })
    }
}

/// Bytes of all files below `folder`.
fn size_of(folder: &Path) -> io::Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        size += if found.is_dir() { size_of(&entry.path())? } else { found.len() };
    }
    Ok(size)
}

impl Bench {
    pub(super) fn open_on(&self, disk: &Arc<FaultyDisk>) -> Store {
        Store::open_on(self.config.clone(), self.live.clone(), Arc::new(self.clock.clone()), disk.clone())
            .unwrap()
            .0
    }
}

#[test]
fn a_full_disk_refuses_whole_messages_and_goes_on_when_there_is_room() {
    for room in (0..260).step_by(13) {
        let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
        let store = bench.open_on(&disk);
        put(&store, "T", 0, "m0");
        disk.room.store(room, SeqCst);
        let refused: Vec<_> = (1..4).map(|i| store.put(record("T", 0, &format!("x{i}"))).unwrap()).collect();
        for stored in &refused {
            let error = store.ensure_written(stored).unwrap_err();
            assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
        }
        assert_eq!(bodies(&store, "T", 0), ["m0"], "room for {room} bytes");
        disk.room.store(i64::MAX, SeqCst);
        assert_eq!(put(&store, "T", 0, "m1").queue_offset, 1);
        store.kill();
        assert_eq!(bodies(&bench.open(), "T", 0), ["m0", "m1"], "room for {room} bytes");
    }
}

#[test]
fn a_refused_message_does_not_come_back_after_a_crash() {
    let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    let store = bench.open_on(&disk);
    put(&store, "T", 0, "m0");
    let refused = [store.put(record("T", 0, "x1")).unwrap(), store.put(record("T", 0, "x2")).unwrap()];
    disk.room.store(i64::from(refused[0].size) + 5, SeqCst);
    assert!(store.ensure_written(&refused[1]).is_err() && store.ensure_written(&refused[0]).is_err());
    store.kill();
    assert_eq!(bodies(&bench.open(), "T", 0), ["m0"]);
}

#[test]
fn a_disk_that_fills_up_between_files_loses_nothing_acknowledged() {
    let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    let store = bench.open_on(&disk);
    let mut acknowledged = Vec::new();
    for (i, name) in names(0..60).into_iter().enumerate() {
        disk.room.store(if i % 7 == 3 { (i * 13 % 200) as i64 } else { i64::MAX }, SeqCst);
        if store.put(record("T", 0, &name)).and_then(|stored| store.ensure_written(&stored)).is_ok() {
            acknowledged.push(name);
        }
    }
    disk.room.store(i64::MAX, SeqCst);
    assert_eq!(bodies(&store, "T", 0), acknowledged);
    store.kill();
    assert_eq!(bodies(&bench.open(), "T", 0), acknowledged);
}

#[test]
fn after_a_failed_flush_no_more_messages_are_taken_and_reading_goes_on() {
    let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    let store = bench.open_on(&disk);
    put(&store, "T", 0, "m0");
    disk.sync_fails.store(true, SeqCst);
    assert!(store.inner.flush_log().is_err());
    disk.sync_fails.store(false, SeqCst);
    assert!(matches!(store.put(record("T", 0, "m1")), Err(StoreError::FlushFailed { .. })));
    assert!(store.inner.flush_log().is_err(), "a later success would prove nothing");
    assert_eq!(bodies(&store, "T", 0), ["m0"]);
    store.shutdown().unwrap();
    assert!(bench.open_reporting().1.abnormal, "the next start reads what is really there");
}

#[tokio::test]
async fn a_failed_flush_tells_those_who_wait() {
    let (mut bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    bench.live.flush_mode = FlushMode::Sync;
    let store = bench.open_on(&disk);
    store.start_background().unwrap();
    disk.sync_fails.store(true, SeqCst);
    let stored = store.put(record("T", 0, "m0")).unwrap();
    assert!(!store.flushed(stored.end, std::time::Duration::from_secs(5)).await);
    assert_eq!(store.max_offset("T", 0), 0);
}

#[test]
fn the_oldest_files_stay_on_a_full_disk_where_they_may_not_go_before_they_expire() {
    let mut bench = Bench::new();
    bench.live.clean_forcibly = false;
    let disk = Arc::new(FaultyDisk::default());
    let store = bench.open_on(&disk);
    for name in names(0..30) {
        put(&store, "T", 0, &name);
    }
    disk.used.store(95, SeqCst);
    assert_eq!(store.delete_expired().unwrap(), Cleaned::default());
    store.tune(StoreLive { clean_forcibly: true, ..bench.live.clone() });
    assert!(store.delete_expired().unwrap().commit_log_files > 0);
}

#[test]
fn a_disk_above_the_warning_level_refuses_messages_and_frees_the_oldest_files() {
    let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    let store = bench.open_on(&disk);
    names(0..40).iter().for_each(|name| drop(put(&store, "T", 0, name)));
    store.inner.sync_queues().unwrap();
    disk.used.store(91, SeqCst);
    let cleaned = store.delete_expired().unwrap();
    assert!(cleaned.commit_log_files > 0 && cleaned.queue_files > 0, "{cleaned:?}");
    let refused = store.put(record("T", 0, "x")).unwrap_err();
    assert!(refused.to_string().contains("91 %"), "{refused}");
    disk.used.store(50, SeqCst);
    store.delete_expired().unwrap();
    put(&store, "T", 0, "m40");
}

/// The store was full before the first look, and forced cleaning then deleted more than it had to.
#[test]
fn a_small_disk_never_fills_up_and_loses_only_the_oldest_messages() {
    const CAPACITY: u64 = 512 << 10;
    let (mut bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    bench.config.index_enabled = false;
    bench.config.commit_log_file_size = 8_000;
    bench.config.queue_file_units = 512;
    disk.capacity.store(CAPACITY, SeqCst);
    let store = bench.open_on(&disk);
    let deleted = Arc::new(AtomicI64::new(0));
    let heard = deleted.clone();
    store.on_deletion(move |lost| {
        let [lost] = lost else { panic!("there is one queue: {lost:?}") };
        assert_eq!((&*lost.topic, lost.queue_id, lost.from), ("T", 0, heard.swap(lost.to, SeqCst)));
    });
    for name in names(0..6_000) {
        put(&store, "T", 0, &name);
        if store.inner.threads.take_look() {
            store.delete_expired().unwrap();
        }
        if !name.ends_with("99") {
            continue;
        }
        let used = store.disk_used().unwrap();
        assert!(used < 0.9, "{name}: {used}");
        assert!(store.min_offset("T", 0) == 0 || used > 0.75, "{name}: {used}, no need to delete");
    }
    assert_eq!(store.min_offset("T", 0), deleted.load(SeqCst));
    assert!(deleted.load(SeqCst) > 1_000);
}

#[test]
fn a_store_on_a_full_disk_opens_after_a_crash_without_its_index_and_is_read() {
    let (bench, disk) = (Bench::new(), Arc::new(FaultyDisk::default()));
    let store = bench.open_on(&disk);
    (0..40).for_each(|i| drop(put(&store, "T", 0, &format!("m{i}"))));
    store.kill();
    drop(store);
    let _ = std::fs::remove_dir_all(bench.dir.path().join("index"));
    disk.room.store(0, SeqCst);
    let store = bench.open_on(&disk);
    assert_eq!(bodies(&store, "T", 0), names(0..40));
    assert!(store.put(record("T", 0, "refused")).and_then(|put| store.ensure_written(&put)).is_err());
    disk.room.store(i64::MAX, SeqCst);
    assert_eq!(put(&store, "T", 0, "m40").queue_offset, 40);
    store.kill();
    drop(store);
    assert_eq!(bodies(&bench.open(), "T", 0), names(0..41));
}
