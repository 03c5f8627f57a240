//! The health of an application and its listeners: their state, their last error, and their counters.
//!
//! [`Context::health`](crate::Context::health) and [`RunningApp::health`](crate::RunningApp::health) give it, for
//! readiness probes and for people; it is `Serialize`:
//!
//! ```no_run
//! # fn probe(app: &rocketmq_starter::RunningApp) {
//! let health = app.health();
//! if !health.ready {
//!     eprintln!("{health}"); // names each listener that gets nothing, its group and topic, and why
//! }
//! # }
//! ```

mod counters;
mod trend;

pub(crate) use counters::{Counters, InFlight};
pub use trend::LagGrowth;
pub(crate) use trend::Trend;

use rocketmq_client::consumer::{HealthChange, TopicHealth};
pub use rocketmq_client::consumer::{LastError, TopicState};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;
use std::time::Duration;

/// The number of calls without any success between them that makes a listener one that only fails.
const FAILING: u64 = 3;
/// The default time for which a lag must grow before it is told.
pub(crate) const LAG_GROWS_FOR: Duration = Duration::from_secs(60);

/// The state of an application at one moment.
///
/// ```no_run
/// # fn probe(app: &rocketmq_starter::RunningApp) {
/// assert!(app.health().ready);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The application has started and no shutdown has begun, and every listener [is ready](ListenerHealth::is_ready).
    pub ready: bool,
    /// One entry for each listener that is enabled.
    pub listeners: Vec<ListenerHealth>,
}

/// The state of one listener, and its counters since the application started.
///
/// ```no_run
/// # fn probe(app: &rocketmq_starter::RunningApp) {
/// for listener in app.health().listeners {
///     println!("{}: {} handled, lag {:?}", listener.name, listener.handled, listener.lag);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
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
    /// Its group is paused: messages that were pulled are handled, and no others come.
    pub paused: bool,
    /// Number of messages that its group handles at once; 0 when its consumer does not run.
    pub concurrency: usize,
    /// Number of queues of its topic that this application reads; 0 is normal where the group has more members than the
    /// topic has queues.
    pub queues: usize,
    /// Messages in these queues that are not done yet, by the newest answers of the brokers. `None` while unknown.
    pub lag: Option<u64>,
    /// Set when the lag has grown at each look for `rocketmq.management.lag-grows-for`, 60 s by default.
    pub lag_growth: Option<LagGrowth>,
    /// The newest error of its connection or subscription, also when it is over.
    #[serde(serialize_with = "error")]
    pub last_error: Option<LastError>,
    /// The error of the newest lookup of a route if no name server answered it. Messages come on from the brokers that are known.
    #[serde(serialize_with = "error")]
    pub name_server_error: Option<LastError>,
    /// Messages that are done.
    pub handled: u64,
    /// Messages that will be tried again: the broker took them back, or they wait in their orderly queue.
    pub retried: u64,
    /// Messages that went to `%DLQ%group`, also because their tries were used up.
    pub dead_lettered: u64,
    /// Calls that panicked; their messages are tried again.
    pub panicked: u64,
    /// Messages that were not done at the last calls; 0 as soon as one is done.
    pub failing: u64,
    /// The newest reason for which a message was not done, in the words of the log.
    #[serde(serialize_with = "error")]
    pub last_failure: Option<LastError>,
    /// Messages its handler holds now.
    pub in_flight: usize,
}

/// Writes an error with its time in RFC 3339.
fn error<S: Serializer>(error: &Option<LastError>, serializer: S) -> Result<S::Ok, S::Error> {
    struct Shown<'e>(&'e LastError);
    impl Serialize for Shown<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("LastError", 2)?;
            fields.serialize_field("text", &self.0.text)?;
            fields.serialize_field("at", &humantime::format_rfc3339_millis(self.0.at).to_string())?;
            fields.end()
        }
    }
    error.as_ref().map(Shown).serialize(serializer)
}

impl ListenerHealth {
    /// Returns true while the brokers answer.
    ///
    /// ```no_run
    /// # fn probe(app: &rocketmq_starter::RunningApp) {
    /// assert!(app.health().listeners.iter().all(|listener| listener.is_connected()));
    /// # }
    /// ```
    pub fn is_connected(&self) -> bool {
        matches!(self.state, TopicState::Consuming | TopicState::NoTopic | TopicState::Refused)
    }

    /// Returns true while the brokers know the subscription and serve it.
    ///
    /// ```no_run
    /// # fn probe(app: &rocketmq_starter::RunningApp) {
    /// assert!(app.health().listeners.iter().all(|listener| listener.is_subscribed()));
    /// # }
    /// ```
    pub fn is_subscribed(&self) -> bool {
        self.state == TopicState::Consuming
    }

    /// Returns true while it gets messages as soon as there are some: it is subscribed, or waits for a topic to which
    /// nothing was sent yet. A paused listener is ready too: somebody wants it so.
    ///
    /// ```no_run
    /// # fn probe(app: &rocketmq_starter::RunningApp) {
    /// assert!(app.health().listeners.iter().all(|listener| listener.is_ready()));
    /// # }
    /// ```
    pub fn is_ready(&self) -> bool {
        matches!(self.state, TopicState::Consuming | TopicState::NoTopic)
    }

    /// Returns the reasons, as sentences, for which it gets no messages or gets nowhere with them: it is not subscribed, no
    /// name server answers, it is paused, its last calls failed, its lag grows. Empty when all is well.
    ///
    /// ```no_run
    /// # fn probe(app: &rocketmq_starter::RunningApp) {
    /// for listener in app.health().listeners {
    ///     listener.reasons().iter().for_each(|reason| println!("{reason}"));
    /// }
    /// # }
    /// ```
    pub fn reasons(&self) -> Vec<String> {
        let reasons = [self.obstacle(), self.routes(), self.pause(), self.failure(), self.growth()];
        reasons.into_iter().flatten().map(|reason| format!("{} {reason}", self.who())).collect()
    }

    fn who(&self) -> String {
        format!("the listener `{}` (group `{}`, topic `{}`)", self.name, self.group, self.topic)
    }

    fn obstacle(&self) -> Option<String> {
        let ListenerHealth { state, last_error, .. } = self;
        match last_error {
            _ if self.is_subscribed() => None,
            Some(error) => Some(format!("is {state}: {}", error.text)),
            None => Some(format!("is {state}")),
        }
    }

    fn routes(&self) -> Option<String> {
        let error = self.name_server_error.as_ref().filter(|_| self.is_subscribed())?;
        Some(format!("works with the routes it knows, since no name server answers: {}", error.text))
    }

    fn pause(&self) -> Option<String> {
        self.paused.then(|| "is paused: no message comes until its group is resumed".to_owned())
    }

    fn failure(&self) -> Option<String> {
        let error = self.last_failure.as_ref().filter(|_| self.failing >= FAILING)?;
        let at = humantime::format_rfc3339_seconds(error.at);
        Some(format!("only fails: {} messages in a row, the newest at {at}: {}", self.failing, error.text))
    }

    fn growth(&self) -> Option<String> {
        let LagGrowth { from, to, within } = self.lag_growth?;
        let within = humantime::format_duration(Duration::from_millis(within.as_millis() as u64));
        Some(format!("falls behind: its lag grew from {from} to {to} messages within {within}"))
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

/// The listener and its state, with the error that caused it.
impl fmt::Display for ListenerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.obstacle().unwrap_or_else(|| format!("is {}", self.state));
        write!(f, "{} {state}", self.who())
    }
}

impl Health {
    /// Returns the reasons of all listeners, [as sentences](ListenerHealth::reasons), and of an application that is starting or
    /// shutting down. An application that is ready may have some: paused groups, handlers that only fail, lags that grow.
    ///
    /// ```no_run
    /// # fn probe(app: &rocketmq_starter::RunningApp) {
    /// let health = app.health();
    /// assert!(health.reasons().is_empty(), "{health}");
    /// # }
    /// ```
    pub fn reasons(&self) -> Vec<String> {
        let is_calm = |it: &ListenerHealth| it.is_ready() || it.state == TopicState::Stopped;
        let busy = !self.ready && self.listeners.iter().all(is_calm);
        let busy = busy.then(|| "the application is starting or shutting down".to_owned());
        busy.into_iter().chain(self.listeners.iter().flat_map(ListenerHealth::reasons)).collect()
    }
}

/// `ready` or `not ready`, and each reason on a line of its own.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ready { "ready" } else { "not ready" })?;
        self.reasons().iter().try_for_each(|reason| write!(f, "\n  {reason}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Verdict;
    use rocketmq_client::Outcome;
    use std::time::SystemTime;

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
        let health = Health { ready: false, listeners: vec![listener("a", TopicState::Consuming)] };
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

    #[test]
    fn a_listener_is_one_that_only_fails_until_a_message_is_done() {
        let counters = Counters::default();
        let fail = || counters.concluded(&Verdict::Failed("no disk".into()), Outcome::Retry);
        (1..FAILING).for_each(|_| fail());
        let health = || counters.health().with_state(TopicState::Consuming);
        assert!(health().reasons().is_empty(), "a few failures are usual");
        fail();
        let reasons = health().reasons();
        assert!(reasons[0].contains("only fails: 3 messages in a row"), "{reasons:?}");
        assert!(reasons[0].ends_with("the handler failed: no disk"), "{reasons:?}");
        counters.concluded(&Verdict::Decided(Outcome::Ack), Outcome::Ack);
        assert!(health().reasons().is_empty());
    }

    impl ListenerHealth {
        fn with_state(self, state: TopicState) -> Self {
            ListenerHealth { state, ..self }
        }
    }

    #[test]
    fn one_listener_may_have_several_reasons_and_still_be_ready() {
        let growth = LagGrowth { from: 1, to: 70, within: Duration::from_millis(61_000) };
        let it =
            ListenerHealth { paused: true, lag_growth: Some(growth), ..listener("a", TopicState::NoTopic) };
        let health = Health { ready: true, listeners: vec![it] };
        let lines: Vec<_> = health.to_string().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 4, "{health}");
        assert_eq!(lines[0], "ready");
        assert!(lines[1].ends_with("is waiting for its topic"), "{health}");
        assert!(lines[2].contains("is paused"), "{health}");
        assert!(lines[3].ends_with("grew from 1 to 70 messages within 1m 1s"), "{health}");
    }

    #[test]
    fn health_is_json_with_words_and_times_that_people_read() {
        let error = LastError::new("no".to_owned(), SystemTime::UNIX_EPOCH + Duration::from_millis(1_500));
        let it = ListenerHealth { last_error: Some(error), ..listener("a", TopicState::NoTopic) };
        let json = serde_json::to_value(Health { ready: true, listeners: vec![it] }).unwrap();
        let listener = &json["listeners"][0];
        assert_eq!(listener["state"], "no-topic");
        let error = serde_json::json!({"text": "no", "at": "1970-01-01T00:00:01.500Z"});
        assert_eq!((&listener["last_error"], &listener["last_failure"]), (&error, &serde_json::Value::Null));
        assert_eq!((&json["ready"], &listener["lag"]), (&true.into(), &serde_json::Value::Null));
    }
}
