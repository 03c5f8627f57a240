//! [`ConsumerHealth`]: the state of a push consumer.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::member::PushMember;
use crate::consumer::health::{HealthBook, LastError, TopicHealth};
use crate::observe::metrics;

/// Shows the state of a consumer at each call. It outlives the consumer, whose topics are
/// [`Stopped`](crate::consumer::TopicState::Stopped) then.
///
/// ```no_run
/// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::consumer::TopicState;
///
/// let health = running.health();
/// let ready = health.topics().iter().all(|topic| topic.state == TopicState::Consuming);
/// println!("ready: {ready}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ConsumerHealth {
    book: HealthBook,
    member: Weak<PushMember>,
}

impl ConsumerHealth {
    pub(crate) fn of(member: &Arc<PushMember>) -> Self {
        Self { book: member.group.health.clone(), member: Arc::downgrade(member) }
    }

    /// Returns one entry for each topic, sorted by name.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", running.health().topics());
    /// # Ok(())
    /// # }
    /// ```
    pub fn topics(&self) -> Vec<TopicHealth> {
        let member = self.member();
        self.book.topics(|topic| member.as_ref().map(|member| member.backlog(topic)))
    }

    /// Returns true between [`Running::pause`](crate::Running::pause) and [`Running::resume`](crate::Running::resume); false
    /// when the consumer has ended.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.pause();
    /// assert!(running.health().is_paused());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_paused(&self) -> bool {
        self.member().is_some_and(|member| member.group.is_paused())
    }

    /// Returns the number of handlers that may run at once; 0 when the consumer has ended.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} handlers", running.health().concurrency());
    /// # Ok(())
    /// # }
    /// ```
    pub fn concurrency(&self) -> usize {
        self.member().map_or(0, |member| member.engine.concurrency())
    }

    /// Returns the error of the newest lookup of a route if no name server answered it. The consumer reads on from the brokers
    /// that it knows. `None` when the consumer has ended.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(error) = running.health().name_server_error() {
    ///     println!("{} at {:?}", error.text, error.at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn name_server_error(&self) -> Option<LastError> {
        let member = self.member()?;
        let unanswered = member.group.calls.cluster.unanswered.lock();
        unanswered.clone().map(|(text, at)| LastError { text, at })
    }

    /// Returns the consumer while it runs.
    fn member(&self) -> Option<Arc<PushMember>> {
        self.member.upgrade().filter(|member| !member.group.stopped.is_cancelled())
    }

    /// Shows the lag of each topic to the metrics every so often, until the consumer ends.
    pub(super) async fn measure(self, group: String, every: Duration) {
        while self.member().is_some() {
            for topic in self.topics() {
                if let Some(lag) = topic.lag {
                    metrics::lag(&group, &topic.topic, lag);
                }
            }
            tokio::time::sleep(every).await;
        }
    }
}

impl fmt::Debug for ConsumerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.topics()).finish()
    }
}
