//! De-duplication of messages by key.

use super::memory::SeenInMemory;
use super::{Layer, Next, async_trait};
use crate::outcome::{BoxError, Handled};
use rocketmq_client::Delivery;
use std::fmt;
use std::time::Duration;

/// The default lease, the default of `consume-timeout`: no handler runs longer.
const LEASE: Duration = Duration::from_secs(15 * 60);

type KeyOf = dyn Fn(&Delivery) -> Option<String> + Send + Sync;

/// The answer to a claim.
///
/// ```
/// use rocketmq_starter::BoxError;
/// use rocketmq_starter::layer::{Claim, SeenInMemory, SeenKeys};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let (seen, lease) = (SeenInMemory::default(), Duration::from_secs(60));
/// assert_eq!(seen.claim("order-7", lease).await?, Claim::Mine);
/// assert_eq!(seen.claim("order-7", lease).await?, Claim::Held);
/// seen.done("order-7").await?;
/// assert_eq!(seen.claim("order-7", lease).await?, Claim::Done);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The key was free; it is the caller's until `done`, `release` or the end of the lease.
    Mine,
    /// Another call handles a message with this key.
    Held,
    /// A message with this key was handled.
    Done,
}

/// Remembers the keys of messages that were handled. [`SeenInMemory`] does so in the process; implement it on a database to do so
/// for all processes of a group and beyond their end.
///
/// `claim` is one atomic step: of two callers at the same time one gets [`Claim::Mine`].
///
/// ```
/// use rocketmq_starter::BoxError;
/// use rocketmq_starter::layer::{Claim, Deduplicate, SeenKeys, async_trait};
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// /// Remembers all keys for ever, and ignores leases: for a test.
/// #[derive(Default)]
/// struct AllKeys(Mutex<HashMap<String, Claim>>);
///
/// #[async_trait]
/// impl SeenKeys for AllKeys {
///     async fn claim(&self, key: &str, _lease: Duration) -> Result<Claim, BoxError> {
///         let mut keys = self.0.lock().unwrap();
///         let before = keys.get(key).copied();
///         keys.entry(key.to_owned()).or_insert(Claim::Held);
///         Ok(before.unwrap_or(Claim::Mine))
///     }
///
///     async fn done(&self, key: &str) -> Result<(), BoxError> {
///         self.0.lock().unwrap().insert(key.to_owned(), Claim::Done);
///         Ok(())
///     }
///
///     async fn release(&self, key: &str) -> Result<(), BoxError> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
/// }
///
/// let layer = Deduplicate::with(AllKeys::default());
/// # drop(layer);
/// ```
#[async_trait]
pub trait SeenKeys: Send + Sync + 'static {
    /// Claims a key for at most `lease`.
    ///
    /// # Errors
    /// The store cannot be asked: the message is tried again later.
    async fn claim(&self, key: &str, lease: Duration) -> Result<Claim, BoxError>;

    /// Notes that the message of a claimed key was handled.
    ///
    /// # Errors
    /// The store cannot be told. The message is done all the same; another one with its key may be handled after the lease.
    async fn done(&self, key: &str) -> Result<(), BoxError>;

    /// Gives a claimed key back, since its message was not handled.
    ///
    /// # Errors
    /// The store cannot be told: the message cannot be handled before the end of the lease.
    async fn release(&self, key: &str) -> Result<(), BoxError>;
}

/// Hands each key to the handler once: a message whose key was handled before is done without the handler. RocketMQ delivers at
/// least once, so a message comes twice after a crash, and a sender that is unsure sends it twice.
///
/// The key is remembered for each group and topic when the handler is done with its message; one that fails is tried again. If the
/// process dies between the handler's work and that note, the handler is called once more: write both in one transaction of your
/// database if that matters. A message that comes while another one with its key is at work is tried again later. Messages without a
/// key always reach the handler.
///
/// ```
/// use rocketmq_starter::layer::Deduplicate;
/// use rocketmq_starter::{App, Json, Listener};
///
/// // By the first of the message's keys, as `template.send(..).key(order.id)` gives it.
/// let billing = Listener::new("orders", "billing", |Json(_order): Json<u64>| async {}).layer(Deduplicate::in_memory());
/// // By something else.
/// let by_id = Deduplicate::in_memory().by(|delivery| Some(delivery.message_id().to_owned()));
/// # drop((App::new().listener(billing), by_id));
/// ```
pub struct Deduplicate<S = SeenInMemory> {
    seen: S,
    key: Box<KeyOf>,
    lease: Duration,
}

impl Deduplicate {
    /// Remembers the newest 100,000 keys for a day, in this process.
    ///
    /// ```
    /// use rocketmq_starter::layer::Deduplicate;
    ///
    /// let layer = Deduplicate::in_memory();
    /// # drop(layer);
    /// ```
    pub fn in_memory() -> Self {
        Self::with(SeenInMemory::default())
    }
}

impl<S: SeenKeys> Deduplicate<S> {
    /// Remembers keys in a store of your own.
    ///
    /// ```
    /// use rocketmq_starter::layer::{Deduplicate, SeenInMemory};
    ///
    /// let layer = Deduplicate::with(SeenInMemory::default().at_most(1_000));
    /// # drop(layer);
    /// ```
    pub fn with(seen: S) -> Self {
        Deduplicate {
            seen,
            key: Box::new(|delivery| delivery.keys().next().map(str::to_owned)),
            lease: LEASE,
        }
    }

    /// Takes another key from each message; those with `None` always reach the handler.
    ///
    /// ```
    /// use rocketmq_starter::layer::Deduplicate;
    ///
    /// let layer = Deduplicate::in_memory().by(|delivery| delivery.property("order").map(str::to_owned));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn by(self, key: impl Fn(&Delivery) -> Option<String> + Send + Sync + 'static) -> Self {
        Deduplicate { key: Box::new(key), ..self }
    }

    /// Sets the time after which the key of a handler that died is free again. Default: 15 minutes. It must be longer than the
    /// handler may run (`consume-timeout`).
    ///
    /// ```
    /// use rocketmq_starter::layer::Deduplicate;
    ///
    /// let layer = Deduplicate::in_memory().lease(std::time::Duration::from_secs(60));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Deduplicate { lease, ..self }
    }

    /// Claims the key of a delivery. Returns an answer if the handler shall not see it.
    async fn claim(&self, key: Option<&str>) -> Option<Handled> {
        match self.seen.claim(key?, self.lease).await {
            Ok(Claim::Mine) => None,
            Ok(Claim::Done) => Some(Handled::decided(rocketmq_client::Outcome::Ack)),
            Ok(Claim::Held) => Some(Handled::failed("another message with its key is being handled")),
            Err(error) => Some(Handled::failed(format!("its key cannot be looked up: {error}"))),
        }
    }

    /// Notes how the handler left the message of a key that was claimed.
    async fn conclude(&self, key: &str, handled: &Handled) {
        let noted = if handled.is_done() { self.seen.done(key).await } else { self.seen.release(key).await };
        if let Err(error) = noted {
            tracing::warn!(key, %error, "the store of handled keys was not told about a message");
        }
    }
}

#[async_trait]
impl<S: SeenKeys> Layer for Deduplicate<S> {
    async fn handle(&self, group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
        let scoped = |it: &Delivery| (self.key)(it).map(|key| format!("{group}/{}/{key}", it.topic()));
        let keys: Vec<_> = deliveries.iter().map(scoped).collect();
        let mut answers = Vec::with_capacity(deliveries.len());
        for key in &keys {
            answers.push(self.claim(key.as_deref()).await);
        }
        let open = |index: &usize| answers[*index].is_none();
        let open: Vec<_> = (0..deliveries.len()).filter(open).collect();
        if !open.is_empty() {
            let fresh: Vec<_> = open.iter().map(|index| deliveries[*index].clone()).collect();
            for (index, handled) in open.into_iter().zip(next.handle(&fresh).await) {
                if let Some(key) = &keys[index] {
                    self.conclude(key, &handled).await;
                }
                answers[index] = Some(handled);
            }
        }
        let missing = || Handled::failed("the handler gave no answer for this message");
        answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }
}

impl<S: fmt::Debug> fmt::Debug for Deduplicate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deduplicate")
            .field("seen", &self.seen)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::{handle, keyed};
    use super::*;
    use crate::extract::Keys;
    use crate::listener::Listener;
    use crate::outcome::Verdict;
    use rocketmq_client::Outcome;
    use std::sync::{Arc, Mutex};

    /// A listener that notes the keys it sees, and fails at the first try of `bad`.
    fn noting() -> (Listener, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let notes = seen.clone();
        let listener = Listener::new("t", "g", move |Keys(keys): Keys| {
            let notes = notes.clone();
            async move {
                let key = keys.first().cloned().unwrap_or_default();
                let mut notes = notes.lock().unwrap();
                notes.push(key.clone());
                let first = notes.iter().filter(|known| **known == key).count() == 1;
                if key == "bad" && first { Err("the first try") } else { Ok(()) }
            }
        });
        (listener, seen)
    }

    fn is_done(handled: &[Handled]) -> Vec<bool> {
        handled.iter().map(Handled::is_done).collect()
    }

    #[tokio::test]
    async fn a_key_reaches_the_handler_until_it_is_done_once() {
        let (listener, seen) = noting();
        let listener = listener.layer(Deduplicate::in_memory());
        for key in ["a", "bad", "a", "bad", "bad", "", ""] {
            handle(&listener, &[keyed(key)]).await;
        }
        assert_eq!(*seen.lock().unwrap(), ["a", "bad", "bad", "", ""]);
    }

    #[tokio::test]
    async fn a_key_twice_in_a_batch_is_handled_once() {
        let (listener, seen) = noting();
        let listener = listener.layer(Deduplicate::in_memory());
        let handled = handle(&listener, &["a", "b", "a", "bad"].map(keyed)).await;
        assert_eq!(is_done(&handled), [true, true, false, false], "the second comes again and is done then");
        assert_eq!(*seen.lock().unwrap(), ["a", "b", "bad"]);
        assert_eq!(is_done(&handle(&listener, &[keyed("a")]).await), [true]);
    }

    /// A store without connection.
    struct Broken;

    #[async_trait]
    impl SeenKeys for Broken {
        async fn claim(&self, _: &str, _: Duration) -> Result<Claim, BoxError> {
            Err("no route to the database".into())
        }
        async fn done(&self, _: &str) -> Result<(), BoxError> {
            Ok(())
        }
        async fn release(&self, _: &str) -> Result<(), BoxError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_store_that_fails_lets_nothing_pass_but_messages_without_key() {
        let (listener, seen) = noting();
        let listener = listener.layer(Deduplicate::with(Broken));
        let handled = handle(&listener, &["a", ""].map(keyed)).await;
        assert!(handled[0].verdict.to_string().contains("no route to the database"), "{handled:?}");
        assert!(matches!(handled[1].verdict, Verdict::Decided(Outcome::Ack)));
        assert_eq!(*seen.lock().unwrap(), [""]);
    }
}
