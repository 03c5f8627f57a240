//! [`TopicHealth`] and its parts: the state of a topic, as applications see it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Tells whether a consumer gets the messages of a topic, and why not.
///
/// ```
/// use rocketmq_client::consumer::TopicState;
///
/// let is_ready = |state| matches!(state, TopicState::Consuming | TopicState::NoTopic);
/// assert!(!is_ready(TopicState::default()));
/// assert_eq!(TopicState::NoTopic.to_string(), "waiting for its topic");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TopicState {
    /// No broker has answered yet.
    #[default]
    Starting,
    /// The brokers know the subscription, and every queue that this member holds can be read.
    Consuming,
    /// No broker has the topic yet. The consumer looks for it again and reads it once it is there.
    NoTopic,
    /// A name server or a broker does not answer.
    Unreachable,
    /// A broker refuses: credentials, permissions, or the filter.
    Refused,
    /// The consumer was shut down or dropped.
    Stopped,
}

impl fmt::Display for TopicState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TopicState::Starting => "starting",
            TopicState::Consuming => "consuming",
            TopicState::NoTopic => "waiting for its topic",
            TopicState::Unreachable => "unreachable",
            TopicState::Refused => "refused",
            TopicState::Stopped => "stopped",
        })
    }
}

/// Holds an error and its time.
///
/// ```no_run
/// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
/// for topic in running.health().topics() {
///     if let Some(error) = topic.last_error {
///         println!("{} at {:?}", error.text, error.at);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastError {
    /// The error as a sentence, with the server that it came from.
    pub text: String,
    /// The time of its last occurrence, by the client's clock.
    pub at: SystemTime,
}

impl LastError {
    /// Makes one, for health that an application reports itself.
    ///
    /// ```
    /// use rocketmq_client::consumer::LastError;
    ///
    /// let error = LastError::new("no disk".to_owned(), std::time::SystemTime::UNIX_EPOCH);
    /// assert_eq!(error.text, "no disk");
    /// ```
    pub fn new(text: String, at: SystemTime) -> Self {
        Self { text, at }
    }
}

/// Describes one topic of a consumer at one moment.
///
/// ```no_run
/// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
/// for topic in running.health().topics() {
///     println!("{}: {}, {} queues, lag {:?}, {:?}", topic.topic, topic.state, topic.queues, topic.lag, topic.last_error);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicHealth {
    /// The topic, without namespace.
    pub topic: String,
    /// Its state.
    pub state: TopicState,
    /// The number of its queues that this member reads.
    pub queues: usize,
    /// Messages in these queues that are not committed yet (with POP: not acknowledged), by the newest answers of the
    /// brokers. `None` while this is not known.
    pub lag: Option<u64>,
    /// Messages that will be tried again: the broker took them back, or they wait in their orderly queue.
    pub given_back: u64,
    /// Messages that went to `%DLQ%group`.
    pub dead_lettered: u64,
    /// The newest error, also when it is over.
    pub last_error: Option<LastError>,
}

/// Tells that a topic came into another state; [`on_health`](crate::PushConsumerBuilder::on_health) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthChange {
    /// The group, without namespace.
    pub group: String,
    /// The topic, without namespace.
    pub topic: String,
    /// The state before.
    pub from: TopicState,
    /// The state now.
    pub to: TopicState,
    /// The error that keeps it from consuming; `None` when it consumes.
    pub error: Option<LastError>,
}

/// Is called once for each change of state.
pub(crate) type OnHealth = Arc<dyn Fn(&HealthChange) + Send + Sync>;

/// The queues of a topic that a member reads, and the messages that wait in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) queues: usize,
    pub(crate) lag: Option<u64>,
}

impl Backlog {
    /// Adds up the lags of queues.
    pub(crate) fn of(lags: impl IntoIterator<Item = Option<u64>>) -> Self {
        let lags: Vec<_> = lags.into_iter().collect();
        let lag = lags.iter().copied().sum::<Option<u64>>().filter(|_| !lags.is_empty());
        Self { queues: lags.len(), lag }
    }

    /// Adds another backlog. The lag of a backlog without queues does not count.
    pub(crate) fn and(self, other: Backlog) -> Self {
        match (self.queues, other.queues) {
            (_, 0) => self,
            (0, _) => other,
            _ => {
                Self { queues: self.queues + other.queues, lag: self.lag.zip(other.lag).map(|(a, b)| a + b) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_known_when_that_of_each_queue_is() {
        let unknown = Backlog::of([]);
        assert_eq!(unknown, Backlog::default());
        assert_eq!(Backlog::of([Some(2), None]), Backlog { queues: 2, lag: None });
        let known = Backlog::of([Some(2), Some(0)]);
        assert_eq!(known, Backlog { queues: 2, lag: Some(2) });
        assert_eq!((known.and(unknown), unknown.and(known)), (known, known));
        assert_eq!(known.and(Backlog::of([Some(1)])), Backlog { queues: 3, lag: Some(3) });
        assert_eq!(known.and(Backlog::of([None])).lag, None);
    }
}
