//! One flipped bit anywhere in any file of a store, after a clean stop and after a crash: at most the message that was hit is
//! lost, that is said, and no offset is given out twice.
//!
//! `FLIPS=1000` flips so many bits in each kind of file, `FLIP_SEED` repeats one flip that a failure has named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tracing::{Event, Level, Metadata, span};

use super::*;

const QUEUES: [(&str, i32); 4] = [("orders", 0), ("orders", 1), ("events", 0), ("events", 7)];
const MESSAGES: usize = 240;

/// Bodies by topic, queue and offset.
type Contents = BTreeMap<(&'static str, i32, i64), String>;

/// The end of the store before the bit flipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Clean,
    /// Killed a while after the last thorough flush.
    Killed,
    /// Killed before anything but the log was written, as a young store.
    KilledEarly,
}

/// A store to flip bits in, and what it had acknowledged.
struct Template {
    bench: Bench,
    acknowledged: Contents,
    /// Log offset and length of the body of each record.
    records: Vec<(i64, usize)>,
}

impl Template {
    fn new(ending: Ending) -> Self {
        let mut bench = Bench::new();
        bench.config.commit_log_file_size = 8 << 10;
        bench.config.queue_file_units = 40;
        bench.config.index_slots = 64;
        bench.config.index_entries = 400;
        let store = bench.open();
        let (mut acknowledged, mut records) = (Contents::new(), Vec::new());
        for i in 0..MESSAGES {
            let (topic, queue) = QUEUES[(i * i / 3 + i) % QUEUES.len()];
            let body = format!("body {i}");
            let stored = put(&store, topic, queue, &body);
            records.push((stored.physical_offset, body.len()));
            acknowledged.insert((topic, queue, stored.queue_offset), body);
            bench.clock.advance(std::time::Duration::from_millis(100));
            if ending == Ending::Killed && i == MESSAGES / 2 {
                store.inner.keep_up(true).unwrap();
            }
            if ending == Ending::Killed && i == MESSAGES * 3 / 4 {
                store.inner.keep_up(false).unwrap();
            }
        }
        if ending == Ending::Clean {
            store.shutdown().unwrap()
        } else {
            store.kill()
        }
        Self { bench, acknowledged, records }
    }

    /// A copy of the store in a folder of its own; in memory where the system offers that.
    fn copy(&self) -> Bench {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        copy_folder(self.bench.dir.path(), dir.path());
        let mut config = self.bench.config.clone();
        config.root = dir.path().into();
        Bench { dir, clock: self.bench.clock.clone(), config, live: self.bench.live.clone() }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below `dir` that holds anything.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return if fs::metadata(dir).is_ok_and(|found| found.len() > 0) { vec![dir.into()] } else { vec![] };
    };
    let mut found: Vec<PathBuf> = entries.flat_map(|entry| files(&entry.unwrap().path())).collect();
    found.sort();
    found
}

/// Counts what is logged at WARN and ERROR.
#[derive(Clone, Default)]
struct Said(Arc<AtomicU64>);

impl tracing::Subscriber for Said {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Relaxed);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Everything the store serves.
fn contents(store: &Store) -> BTreeMap<(String, i32, i64), String> {
    let mut all = BTreeMap::new();
    for topic in store.topics() {
        for queue in [0, 1, 7] {
            let mut at = store.min_offset(&topic, queue);
            while at < store.max_offset(&topic, queue) {
                let fetched = store.get(&topic, queue, at, limits(3), &All);
                assert!(fetched.next_begin > at, "a read must lead on: {fetched:?}");
                for record in &fetched.records {
                    let view = RecordView::parse(record).unwrap();
                    all.insert((topic.to_string(), queue, view.queue_offset()), body(record));
                }
                at = fetched.next_begin;
            }
        }
    }
    all
}

/// Flips one bit of the files below `kind`.
fn flip(template: &Template, kind: &str, ending: Ending, seed: u64) {
    let bench = template.copy();
    let mut chance = StdRng::seed_from_u64(seed);
    let files = files(&bench.dir.path().join(kind));
    let file = &files[chance.random_range(0..files.len())];
    let bit = chance.random_range(0..fs::metadata(file).unwrap().len() * 8);
    flip_bit(file, bit);
    let name = file.strip_prefix(bench.dir.path()).unwrap().display().to_string();
    let what = format!("FLIP_SEED={seed} {kind} {ending:?}: bit {} of byte {} of {name}", bit % 8, bit / 8);
    check_twice(template, &bench, &what);
}

fn flip_bit(file: &Path, bit: u64) {
    let mut bytes = fs::read(file).unwrap();
    bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    fs::write(file, bytes).unwrap();
}

fn check_twice(template: &Template, bench: &Bench, what: &str) {
    let said = Said::default();
    tracing::subscriber::with_default(said.clone(), || {
        let known = check(template, bench, what, &said);
        check_again(bench, what, &known);
    });
}

/// Opens the store and compares what it serves with what was acknowledged.
fn check(
    template: &Template,
    bench: &Bench,
    what: &str,
    said: &Said,
) -> BTreeMap<(String, i32, i64), String> {
    let (store, report) = bench.open_reporting();
    let serves = contents(&store);
    let key = |(topic, queue, offset): &(&str, i32, i64)| ((*topic).to_owned(), *queue, *offset);
    let lost: Vec<_> =
        template.acknowledged.iter().filter(|(place, body)| serves.get(&key(place)) != Some(*body)).collect();
    let acknowledged: BTreeMap<_, _> =
        template.acknowledged.iter().map(|(place, body)| (key(place), body)).collect();
    let foreign: Vec<_> = serves.iter().filter(|(place, _)| !acknowledged.contains_key(*place)).collect();
    assert!(lost.len() <= 1, "{what}: lost {lost:?}, {report:?}");
    assert!(foreign.len() <= lost.len(), "{what}: served and never put there {foreign:?}, {report:?}");
    assert!(lost.is_empty() || said.0.load(Relaxed) > 0, "{what}: {lost:?} was lost without a word");
    for (topic, queue) in QUEUES {
        let used =
            template.acknowledged.keys().filter(|place| (place.0, place.1) == (topic, queue)).count() as i64;
        let given = put(&store, topic, queue, "next").queue_offset;
        assert!(given >= used, "{what}: {topic}/{queue} gave {given} out again, {report:?}");
    }
    let known = contents(&store);
    store.shutdown().unwrap();
    known
}

/// Nothing more is lost at the next start, which has nothing to mend.
fn check_again(bench: &Bench, what: &str, known: &BTreeMap<(String, i32, i64), String>) {
    let (store, report) = bench.open_reporting();
    assert!(!report.abnormal && !report.rebuilt && report.records == 0, "{what}: {report:?}");
    assert_eq!(&contents(&store), known, "{what}");
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
    number("FLIP_SEED").map_or(0..number("FLIPS").unwrap_or(24), |seed| seed..seed + 1)
}

fn flip_many(kind: &str) {
    for ending in [Ending::Clean, Ending::Killed, Ending::KilledEarly] {
        let template = Template::new(ending);
        if files(&template.bench.dir.path().join(kind)).is_empty() {
            continue;
        }
        for seed in seeds() {
            flip(&template, kind, ending, seed);
        }
    }
}

/// Bytes and bits of a record's head, which its checksum leaves out: size, queue, queue offset, log offset, flag, store time.
const HEAD: [(u64, u64); 14] = [
    (3, 0),
    (0, 7),
    (15, 0),
    (15, 2),
    (12, 7),
    (27, 0),
    (27, 3),
    (20, 6),
    (20, 2),
    (35, 0),
    (39, 3),
    (39, 2),
    (56, 6),
    (63, 0),
];

#[test]
fn in_the_heads_of_records() {
    for ending in [Ending::Clean, Ending::Killed, Ending::KilledEarly] {
        let template = Template::new(ending);
        for seed in seeds() {
            let (start, body_len) = template.records[(seed * 37) as usize % MESSAGES];
            let topic = (88 + body_len as u64 + 1, seed % 5);
            let (byte, bit) = *HEAD.get(seed as usize % (HEAD.len() + 1)).unwrap_or(&topic);
            let bench = template.copy();
            let size = bench.config.commit_log_file_size as i64;
            let file = bench.dir.path().join(format!("commitlog/{:020}", start / size * size));
            flip_bit(&file, ((start % size) as u64 + byte) * 8 + bit);
            let what = format!(
                "FLIP_SEED={seed} head {ending:?}: bit {bit} of byte {byte} of the record at {start}"
            );
            check_twice(&template, &bench, &what);
        }
    }
}

#[test]
fn in_the_commit_log() {
    flip_many("commitlog");
}

#[test]
fn in_consume_queues() {
    flip_many("consumequeue");
}

#[test]
fn in_the_index() {
    flip_many("index");
}

#[test]
fn in_the_checkpoint() {
    flip_many("checkpoint");
}

#[test]
fn in_the_seal() {
    flip_many("seal");
}
