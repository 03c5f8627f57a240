//! One message at a time for each key.

use super::{Layer, Next, async_trait};
use crate::outcome::Handled;
use rocketmq_client::Delivery;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type KeyOf = dyn Fn(&Delivery) -> Option<String> + Send + Sync;

/// Handles messages with the same key one after another in this process, and others side by side. Messages without a key do not
/// wait. It keeps no order among waiting messages: for that, send with `ordered_by` and set `mode = "orderly"`.
///
/// A message that waits occupies one of the listener's `concurrency` handlers, and its `consume-timeout` runs.
///
/// ```
/// use rocketmq_starter::layer::OneAtATime;
/// use rocketmq_starter::{App, Json, Listener};
///
/// let accounts = Listener::new("payments", "ledger", |Json(_payment): Json<u64>| async {})
///     .layer(OneAtATime::by(|payment| payment.property("account").map(str::to_owned)));
/// # drop(App::new().listener(accounts));
/// ```
pub struct OneAtATime {
    key: Box<KeyOf>,
    locks: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

impl OneAtATime {
    /// Takes the first of a message's keys, as the sender gave it by `.key(..)`.
    ///
    /// ```
    /// use rocketmq_starter::layer::OneAtATime;
    ///
    /// let layer = OneAtATime::by_key();
    /// # drop(layer);
    /// ```
    pub fn by_key() -> Self {
        Self::by(|delivery| delivery.keys().next().map(str::to_owned))
    }

    /// Takes a key from each message; those with `None` do not wait.
    ///
    /// ```
    /// use rocketmq_starter::layer::OneAtATime;
    ///
    /// let layer = OneAtATime::by(|delivery| delivery.property("account").map(str::to_owned));
    /// # drop(layer);
    /// ```
    pub fn by(key: impl Fn(&Delivery) -> Option<String> + Send + Sync + 'static) -> Self {
        OneAtATime { key: Box::new(key), locks: Mutex::default() }
    }

    fn lock(&self, key: &str) -> Arc<AsyncMutex<()>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_default().clone()
    }

    /// Forgets the locks of keys that nobody holds or waits for.
    fn forget(&self, keys: &BTreeSet<String>) {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if locks.get(key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                locks.remove(key);
            }
        }
    }
}

/// The locks of some keys. Dropping it, also when the handler is cut, gives them back.
struct Held<'l> {
    layer: &'l OneAtATime,
    keys: BTreeSet<String>,
    guards: Vec<OwnedMutexGuard<()>>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.guards.clear();
        self.layer.forget(&self.keys);
    }
}

#[async_trait]
impl Layer for OneAtATime {
    async fn handle(&self, _group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
        // In the order of the keys: two batches that wait for each other would wait for ever.
        let keys: BTreeSet<_> = deliveries.iter().filter_map(|delivery| (self.key)(delivery)).collect();
        let mut held = Held { layer: self, keys: BTreeSet::new(), guards: Vec::new() };
        for key in keys {
            let lock = self.lock(&key);
            held.keys.insert(key);
            held.guards.push(lock.lock_owned().await);
        }
        next.handle(deliveries).await
    }
}

impl fmt::Debug for OneAtATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneAtATime").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::{handle, keyed};
    use super::*;
    use crate::listener::Listener;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use tokio::sync::Semaphore;

    /// A listener that waits for a permit, and counts those that wait.
    fn waiting() -> (Listener, Arc<AtomicUsize>, Arc<Semaphore>) {
        let (running, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counter, held) = (running.clone(), gate.clone());
        let listener = Listener::new("t", "g", move || {
            let (counter, held) = (counter.clone(), held.clone());
            async move {
                counter.fetch_add(1, SeqCst);
                held.acquire().await.unwrap().forget();
            }
        });
        (listener, running, gate)
    }

    /// Lets all tasks run until each waits.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn equal_keys_wait_and_others_do_not() {
        let (listener, running, gate) = waiting();
        let layer = Arc::new(OneAtATime::by_key());
        let listener = listener.layer_of(layer.clone());
        for key in ["a", "a", "b", ""] {
            let (listener, message) = (listener.clone(), keyed(key));
            tokio::spawn(async move { handle(&listener, &[message]).await });
        }
        settle().await;
        assert_eq!(running.load(SeqCst), 3, "one of the two with key a waits");
        gate.add_permits(3);
        settle().await;
        assert_eq!(running.load(SeqCst), 4);
        gate.add_permits(1);
        settle().await;
        assert!(layer.locks.lock().unwrap().is_empty(), "locks that nobody needs are forgotten");
    }

    #[tokio::test]
    async fn a_handler_that_is_cut_gives_its_key_back() {
        let (listener, running, gate) = waiting();
        let listener = listener.layer(OneAtATime::by_key());
        let (cut, again) = (listener.clone(), listener);
        let task = tokio::spawn(async move { handle(&cut, &[keyed("a")]).await });
        settle().await;
        task.abort();
        assert!(task.await.is_err());
        gate.add_permits(1);
        handle(&again, &[keyed("a")]).await;
        assert_eq!(running.load(SeqCst), 2);
    }
}
