//! The keys that were handled, in memory.

use super::async_trait;
use super::deduplicate::{Claim, SeenKeys};
use crate::outcome::BoxError;
use rocketmq_client::Clock;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The default number of keys.
const MOST: usize = 100_000;
/// The default time for which a handled key is remembered.
const FOR: Duration = Duration::from_secs(24 * 3600);
/// The end of the times that keys are remembered for.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Remembers keys in this process: the newest 100,000 keys for a day, unless said otherwise. A key takes about 150 bytes and its
/// own length twice. What it holds is lost with the process, and other processes of the group do not see it.
///
/// ```
/// use rocketmq_starter::layer::{Deduplicate, SeenInMemory};
/// use std::time::Duration;
///
/// let layer = Deduplicate::with(SeenInMemory::default().at_most(1_000).remembered_for(Duration::from_secs(3600)));
/// # drop(layer);
/// ```
#[derive(Debug)]
pub struct SeenInMemory {
    most: usize,
    keep: Duration,
    clock: Clock,
    keys: Mutex<Keys>,
}

/// The keys, and the order in which they are forgotten.
#[derive(Debug, Default)]
struct Keys {
    known: HashMap<String, Entry>,
    ends: BTreeSet<(SystemTime, String)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    is_done: bool,
    ends: SystemTime,
}

impl Default for SeenInMemory {
    fn default() -> Self {
        SeenInMemory { most: MOST, keep: FOR, clock: Clock::default(), keys: Mutex::default() }
    }
}

impl SeenInMemory {
    /// Limits the number of keys; 0 counts as 1. The one that would be forgotten next makes room.
    ///
    /// ```
    /// use rocketmq_starter::layer::SeenInMemory;
    ///
    /// let seen = SeenInMemory::default().at_most(1_000_000);
    /// # drop(seen);
    /// ```
    #[must_use]
    pub fn at_most(self, keys: usize) -> Self {
        SeenInMemory { most: keys.max(1), ..self }
    }

    /// Sets the time for which a handled key is remembered.
    ///
    /// ```
    /// use rocketmq_starter::layer::SeenInMemory;
    ///
    /// let seen = SeenInMemory::default().remembered_for(std::time::Duration::from_secs(3600));
    /// # drop(seen);
    /// ```
    #[must_use]
    pub fn remembered_for(self, time: Duration) -> Self {
        SeenInMemory { keep: time.min(NEVER), ..self }
    }

    /// Takes the time from another clock than the machine's.
    ///
    /// ```
    /// use rocketmq_starter::layer::SeenInMemory;
    ///
    /// let seen = SeenInMemory::default().clock(rocketmq_client::Clock::default());
    /// # drop(seen);
    /// ```
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        SeenInMemory { clock, ..self }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Keys, SystemTime) -> T) -> T {
        let now = self.clock.now();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.forget_old(now);
        act(&mut keys, now)
    }
}

impl Keys {
    fn forget_old(&mut self, now: SystemTime) {
        while self.ends.first().is_some_and(|(ends, _)| *ends <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.known.remove(&key);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.known.remove(key) {
            self.ends.remove(&(entry.ends, key.to_owned()));
        }
    }

    fn put(&mut self, key: &str, entry: Entry, most: usize) {
        self.remove(key);
        while self.known.len() >= most {
            self.forget_first();
        }
        self.known.insert(key.to_owned(), entry);
        self.ends.insert((entry.ends, key.to_owned()));
    }
}

#[async_trait]
impl SeenKeys for SeenInMemory {
    async fn claim(&self, key: &str, lease: Duration) -> Result<Claim, BoxError> {
        Ok(self.with(|keys, now| match keys.known.get(key) {
            Some(Entry { is_done: true, .. }) => Claim::Done,
            Some(_) => Claim::Held,
            None => {
                let ends = now + lease.min(NEVER);
                keys.put(key, Entry { is_done: false, ends }, self.most);
                Claim::Mine
            }
        }))
    }

    async fn done(&self, key: &str) -> Result<(), BoxError> {
        self.with(|keys, now| keys.put(key, Entry { is_done: true, ends: now + self.keep }, self.most));
        Ok(())
    }

    async fn release(&self, key: &str) -> Result<(), BoxError> {
        self.with(|keys, _| keys.remove(key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    const HOUR: Duration = Duration::from_secs(3600);

    /// A memory, and its time in seconds.
    fn memory() -> (SeenInMemory, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(1_000_000));
        let told = seconds.clone();
        let clock = Clock::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(told.load(SeqCst)));
        (SeenInMemory::default().clock(clock), seconds)
    }

    async fn claim(memory: &SeenInMemory, key: &str) -> Claim {
        memory.claim(key, HOUR).await.expect("a memory")
    }

    #[tokio::test]
    async fn a_key_is_held_then_done_then_forgotten() {
        let (memory, seconds) = memory();
        let memory = memory.remembered_for(HOUR * 2);
        assert_eq!(claim(&memory, "a").await, Claim::Mine);
        assert_eq!(claim(&memory, "a").await, Claim::Held);
        memory.done("a").await.unwrap();
        seconds.fetch_add(7_199, SeqCst);
        assert_eq!(claim(&memory, "a").await, Claim::Done);
        seconds.fetch_add(1, SeqCst);
        assert_eq!(claim(&memory, "a").await, Claim::Mine);
    }

    #[tokio::test]
    async fn a_claim_ends_by_its_release_or_with_its_lease() {
        let (memory, seconds) = memory();
        assert_eq!(claim(&memory, "a").await, Claim::Mine);
        memory.release("a").await.unwrap();
        assert_eq!(claim(&memory, "a").await, Claim::Mine);
        seconds.fetch_add(3_600, SeqCst);
        assert_eq!(claim(&memory, "a").await, Claim::Mine);
        memory.release("never claimed").await.unwrap();
    }

    #[tokio::test]
    async fn the_number_of_keys_is_limited() {
        let (memory, seconds) = memory();
        let memory = memory.at_most(2);
        for key in ["a", "b", "c"] {
            assert_eq!(claim(&memory, key).await, Claim::Mine);
            memory.done(key).await.unwrap();
            seconds.fetch_add(1, SeqCst);
        }
        assert_eq!((claim(&memory, "b").await, claim(&memory, "c").await), (Claim::Done, Claim::Done));
        assert_eq!(claim(&memory, "a").await, Claim::Mine, "the oldest made room");
        let keys = memory.keys.lock().unwrap();
        assert_eq!((keys.known.len(), keys.ends.len()), (2, 2));
    }

    #[tokio::test]
    async fn times_without_end_do_not_overflow() {
        let (memory, _) = memory();
        let memory = memory.remembered_for(Duration::MAX);
        assert_eq!(memory.claim("a", Duration::MAX).await.unwrap(), Claim::Mine);
        memory.done("a").await.unwrap();
        assert_eq!(claim(&memory, "a").await, Claim::Done);
    }
}
