//! The health of an application and its listeners: their state, their last error, and their counters.
//!
//! [`Context::health`](crate::Context::health) and [`RunningApp::health`](crate::RunningApp::health) give it, for
//! readiness probes and for people:
//!
//! ```no_run
//! # fn probe(app: &rocketmq_starter::RunningApp) {
//! let health = app.health();
//! if !health.ready {
//!     eprintln!("{health}"); // names each listener that gets nothing, its group and topic, and why
//! }
//! # }
//! ```

use crate::outcome::Verdict;
use rocketmq_client::Outcome;
use rocketmq_client::consumer::{HealthChange, TopicHealth};
pub use rocketmq_client::consumer::{LastError, TopicState};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The state of an application at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The application has started and no shutdown has begun, and every listener [is ready](ListenerHealth::is_ready).
    pub ready: bool,
    /// One entry for each listener that is enabled.
    pub listeners: Vec<ListenerHealth>,
}

/// The state of one listener, and its counters since the application started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerHealth {
    /// Its name: that of the function, unless the attribute gives another.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its topic.
    pub topic: String,
    /// Tells if it gets messages, and the kind of obstacle if it does not.
    pub state: TopicState,
    /// Number of queues of its topic that this application reads; 0 is normal where the group has more members than the
    /// topic has queues.
    pub queues: usize,
    /// Messages in these queues that are not done yet, by the newest answers of the brokers. `None` while unknown.
    pub lag: Option<u64>,
    /// The newest error of its connection or subscription, also when it is over.
    pub last_error: Option<LastError>,
    /// Messages that are done.
    pub handled: u64,
    /// Messages that will be tried again: the broker took them back, or they wait in their orderly queue.
    pub retried: u64,
    /// Messages that went to `%DLQ%group`, also because their tries were used up.
    pub dead_lettered: u64,
    /// Calls that panicked; their messages are tried again.
    pub panicked: u64,
    /// Messages its handler holds now.
    pub in_flight: usize,
}

impl ListenerHealth {
    /// Returns true while the brokers answer.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, TopicState::Consuming | TopicState::NoTopic | TopicState::Refused)
    }

    /// Returns true while the brokers know the subscription and serve it.
    pub fn is_subscribed(&self) -> bool {
        self.state == TopicState::Consuming
    }

    /// Returns true while it gets messages as soon as there are some: it is subscribed, or waits for a topic to which
    /// nothing was sent yet.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, TopicState::Consuming | TopicState::NoTopic)
    }

    /// Takes over what the consumer knows of the topic.
    pub(crate) fn with(self, topic: TopicHealth) -> Self {
        ListenerHealth {
            state: topic.state,
            queues: topic.queues,
            lag: topic.lag,
            last_error: topic.last_error,
            retried: topic.given_back,
            dead_lettered: topic.dead_lettered,
            ..self
        }
    }
}

impl fmt::Display for ListenerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenerHealth { name, group, topic, state, .. } = self;
        write!(f, "the listener `{name}` (group `{group}`, topic `{topic}`) is {state}")?;
        match &self.last_error {
            Some(error) if !self.is_subscribed() => write!(f, ": {}", error.text),
            _ => Ok(()),
        }
    }
}

/// `ready`, or `not ready` with each listener that is not.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ready {
            return f.write_str("ready");
        }
        f.write_str("not ready")?;
        let mut broken = self.listeners.iter().filter(|listener| !listener.is_ready()).peekable();
        if broken.peek().is_none() {
            return f.write_str(": the application is starting or shutting down");
        }
        broken.try_for_each(|listener| write!(f, "\n  {listener}"))
    }
}

/// Logs that a listener's topic came into another state.
pub(crate) fn log(listener: &str, change: &HealthChange) {
    let HealthChange { group, topic, to, .. } = change;
    match &change.error {
        Some(error) if *to == TopicState::NoTopic => {
            tracing::info!(listener, group, topic, "no message comes yet: {}", error.text);
        }
        Some(error) => tracing::warn!(listener, group, topic, "no message comes ({to}): {}", error.text),
        None if change.from == TopicState::Starting => tracing::info!(listener, group, topic, "subscribed"),
        None => tracing::info!(listener, group, topic, "messages come again; it was {}", change.from),
    }
}

/// Counts the results of a listener's calls.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    handled: AtomicU64,
    panicked: AtomicU64,
    in_flight: AtomicUsize,
}

impl Counters {
    /// Counts messages as in flight until the guard is dropped, even when the call is cut.
    pub(crate) fn enter(&self, messages: usize) -> InFlight<'_> {
        self.in_flight.fetch_add(messages, Relaxed);
        InFlight { counters: self, messages }
    }

    /// Retries and dead letters are counted where a broker took them.
    pub(crate) fn concluded(&self, verdict: &Verdict, outcome: Outcome) {
        if matches!(verdict, Verdict::Panicked(_)) {
            self.panicked.fetch_add(1, Relaxed);
        }
        if outcome == Outcome::Ack {
            self.handled.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn health(&self) -> ListenerHealth {
        ListenerHealth {
            handled: self.handled.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            ..ListenerHealth::default()
        }
    }
}

/// See [`Counters::enter`].
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    counters: &'a Counters,
    messages: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(self.messages, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &str, state: TopicState) -> ListenerHealth {
        ListenerHealth {
            name: name.into(),
            group: "g".into(),
            topic: "t".into(),
            state,
            ..Default::default()
        }
    }

    #[test]
    fn an_application_that_is_not_ready_says_which_listener_is_why() {
        let listeners = vec![listener("a", TopicState::Consuming), listener("b", TopicState::Starting)];
        let health = Health { ready: false, listeners };
        assert_eq!(health.to_string(), "not ready\n  the listener `b` (group `g`, topic `t`) is starting");
        let health = Health { ready: false, listeners: vec![listener("a", TopicState::NoTopic)] };
        assert!(health.to_string().ends_with("starting or shutting down"), "{health}");
        assert_eq!(Health { ready: true, listeners: Vec::new() }.to_string(), "ready");
    }

    #[test]
    fn each_state_says_whether_there_is_a_connection_and_a_subscription() {
        use TopicState::{Consuming, NoTopic, Refused, Starting, Stopped, Unreachable};
        let all = [Consuming, NoTopic, Refused, Starting, Stopped, Unreachable].map(|state| {
            let it = listener("a", state);
            (it.is_connected(), it.is_subscribed(), it.is_ready())
        });
        let none = (false, false, false);
        assert_eq!(all, [(true, true, true), (true, false, true), (true, false, false), none, none, none]);
    }
}
