//! A consumer group in a test, and the assertions about it.

use super::Cluster;
use super::journal::{Entry, list};
use super::wait::{Look, compare, messages, until};
use crate::health::ListenerHealth;
use rocketmq_client::Delivery;
use std::collections::BTreeSet;
use std::panic::Location;
use std::time::Duration;

/// A consumer group of the applications that were [started on](crate::App::start_on) a [`Cluster`], returned by
/// [`Cluster::group`].
///
/// ```no_run
/// # async fn example(cluster: rocketmq_starter::testing::Cluster) {
/// cluster.group("billing").handled(3).await;
/// cluster.group("billing").dead_letters(0).await;
/// # }
/// ```
#[derive(Debug)]
pub struct Group<'c> {
    cluster: &'c Cluster,
    name: String,
    limit: Duration,
}

impl<'c> Group<'c> {
    pub(super) fn new(cluster: &'c Cluster, name: String, limit: Duration) -> Self {
        Group { cluster, name, limit }
    }

    /// Waits at most this long instead of 30 s.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) {
    /// cluster.group("billing").within(std::time::Duration::from_secs(5)).lag(0).await;
    /// # }
    /// ```
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Group { limit, ..self }
    }

    /// Waits until the group's listeners have handled `count` messages, each with the outcome
    /// [`Ack`](crate::Outcome::Ack), and returns these in the order in which they were done.
    ///
    /// ```
    /// use rocketmq_starter::testing::Cluster;
    /// use rocketmq_starter::{App, Json};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// let app = App::new().listen("orders", "billing", |Json(_): Json<u64>| async {});
    /// let _app = app.start_on(&cluster).await?;
    /// cluster.send("orders", 7).await?;
    /// let handled = cluster.group("billing").handled(1).await;
    /// assert_eq!(handled[0].text(), Some("7"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics with each call's message, outcome and error when the group has handled more, or still fewer at the deadline,
    /// and at once when no application has a listener of this group.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[track_caller]
    pub fn handled(&self, count: usize) -> impl Future<Output = Vec<Delivery>> {
        let (place, wanted) = (Location::caller(), count as u64);
        async move {
            self.check(place);
            let look = || compare(self.done().len() as u64, wanted);
            let seen = || self.seen("has handled", self.done().len() as u64, wanted);
            until(self.limit, place, look, seen).await;
            self.done().into_iter().map(|entry| entry.message).collect()
        }
    }

    /// Waits until `count` messages of the group have come back to the broker, or to their orderly queue, to be tried again.
    /// A retry is due by the broker's clock: [`Cluster::advance`] lets it come.
    ///
    /// ```
    /// use rocketmq_starter::testing::Cluster;
    /// use rocketmq_starter::{App, Attempt, Outcome};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// let app = App::new().listen("orders", "billing", |Attempt(attempt): Attempt| async move {
    ///     if attempt == 1 { Outcome::Retry } else { Outcome::Ack }
    /// });
    /// let _app = app.start_on(&cluster).await?;
    /// cluster.send("orders", 7).await?;
    /// cluster.group("billing").retried(1).await;
    /// cluster.advance(Duration::from_secs(10)); // the first retry's delay
    /// cluster.group("billing").handled(1).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics as [`handled`](Self::handled) does.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[track_caller]
    pub fn retried(&self, count: usize) -> impl Future<Output = ()> {
        let (place, wanted) = (Location::caller(), count as u64);
        async move {
            self.check(place);
            let retried = || self.listeners().iter().map(|listener| listener.retried).sum();
            let seen = || self.seen("has given back", retried(), wanted);
            until(self.limit, place, || compare(retried(), wanted), seen).await;
        }
    }

    /// Waits until `%DLQ%` of the group has `count` messages, and returns them.
    ///
    /// ```
    /// use rocketmq_starter::testing::Cluster;
    /// use rocketmq_starter::{App, Json};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// let app = App::new().listen("orders", "billing", |Json(_): Json<u64>| async {});
    /// let _app = app.start_on(&cluster).await?;
    /// cluster.send("orders", "no number").await?;
    /// let dead = cluster.group("billing").dead_letters(1).await;
    /// assert_eq!(dead[0].text(), Some("no number"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics as [`handled`](Self::handled) does.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[track_caller]
    pub fn dead_letters(&self, count: usize) -> impl Future<Output = Vec<Delivery>> {
        let (place, wanted) = (Location::caller(), count as u64);
        async move {
            self.check(place);
            let dead = format!("%DLQ%{}", self.name);
            let dead = self.cluster.topic(dead);
            let seen = || self.seen("has dead letters:", dead.count().unwrap_or_default(), wanted);
            dead.until_received(place, self.limit, wanted, seen).await
        }
    }

    /// Waits until the lag of the group is `count`: the messages in its topics, and among its due retries, that it has not
    /// committed. The [applications of a test](crate::App::start_on) commit every 20 ms. A group in broadcasting mode commits nothing.
    ///
    /// ```
    /// use rocketmq_starter::App;
    /// use rocketmq_starter::testing::Cluster;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// let app = App::new().listen("orders", "billing", || async {});
    /// let app = app.start_on(&cluster).await?;
    /// app.pause("billing");
    /// app.resume("billing");
    /// cluster.send("orders", 7).await?;
    /// cluster.group("billing").lag(0).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics with the calls of the group's listeners when the lag is another at the deadline, and at once when no
    /// application has a listener of this group.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[track_caller]
    pub fn lag(&self, count: u64) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            self.check(place);
            let look = || if self.lag_now() == Some(count) { Look::Done(()) } else { Look::NotYet };
            let seen = || self.seen("lags behind by", self.lag_now().unwrap_or_default(), count);
            until(self.limit, place, look, seen).await;
        }
    }

    fn lag_now(&self) -> Option<u64> {
        let listeners = self.listeners();
        let mut topics: BTreeSet<_> = listeners.into_iter().map(|listener| listener.topic).collect();
        topics.insert(format!("%RETRY%{}", self.name));
        topics.iter().map(|topic| self.cluster.embedded().lag(&self.name, topic)).sum()
    }

    fn done(&self) -> Vec<Entry> {
        let mut entries = self.cluster.journal().of(&self.name);
        entries.retain(Entry::is_done);
        entries
    }

    fn listeners(&self) -> Vec<ListenerHealth> {
        let mut listeners = self.cluster.listeners();
        listeners.retain(|listener| listener.group == self.name);
        listeners
    }

    /// Fails at once for a group that nobody has: it would be waited for in vain.
    fn check(&self, place: &Location<'_>) {
        if self.listeners().is_empty() {
            let known: BTreeSet<_> = self
                .cluster
                .listeners()
                .into_iter()
                .map(|listener| format!("`{}`", listener.group))
                .collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            let name = &self.name;
            panic!(
                "{place}: no listener of group `{name}` is in an application that was started on this cluster; the groups are: \
                 {}",
                if known.is_empty() { "none" } else { &known }
            );
        }
    }

    fn seen(&self, verb: &str, seen: u64, wanted: u64) -> String {
        let Group { name, cluster, .. } = self;
        let calls = cluster.journal().of(name);
        let lag =
            self.lag_now().map_or("unknown, as the broker does not run".to_owned(), |lag| lag.to_string());
        let health = list(self.listeners().into_iter());
        let calls =
            if calls.is_empty() { "\n  no call of a listener".to_owned() } else { list(calls.iter()) };
        format!("group `{name}` {verb} {}, not {wanted}; its lag is {lag}{health}{calls}", messages(seen))
    }
}
