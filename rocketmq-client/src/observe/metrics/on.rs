//! Everything is measured. Names and labels are a promise: dashboards are built on them.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::error::SendError;
use crate::messages::{Delivery, Outcome};
use crate::observe::span::label;

pub(crate) const ENABLED: bool = true;

const SENDS: &str = "rocketmq_producer_sends_total";
const SEND_SECONDS: &str = "rocketmq_producer_send_seconds";
const SENDS_RUNNING: &str = "rocketmq_producer_sends_in_flight";
const LATE_REPLIES: &str = "rocketmq_producer_late_replies_total";
const CONSUMES: &str = "rocketmq_consumer_messages_total";
const CONSUME_SECONDS: &str = "rocketmq_consumer_handler_seconds";
const HANDLERS_RUNNING: &str = "rocketmq_consumer_handlers_running";
const PULLS: &str = "rocketmq_consumer_pulls_total";
const PULLED: &str = "rocketmq_consumer_pulled_messages_total";
const THROTTLED: &str = "rocketmq_consumer_throttled_total";
const REDELIVERIES: &str = "rocketmq_consumer_redeliveries_total";
const DEAD_LETTERS: &str = "rocketmq_consumer_dead_letters_total";
const LAG: &str = "rocketmq_consumer_lag";
const REBALANCES: &str = "rocketmq_consumer_rebalances_total";
const CONNECTS: &str = "rocketmq_client_connects_total";
const LOST: &str = "rocketmq_client_connections_lost_total";
const TRACE_DROPPED: &str = "rocketmq_trace_dropped_total";

/// Tells the recorder, if one is installed by now, what the names mean.
pub(crate) fn describe() {
    describe_counter!(
        SENDS,
        Unit::Count,
        "Messages sent, by topic and outcome (ok, or the kind of the error)"
    );
    describe_histogram!(
        SEND_SECONDS,
        Unit::Seconds,
        "Time of one send with its retries, by topic and outcome"
    );
    describe_gauge!(SENDS_RUNNING, Unit::Count, "Sends on their way, by group");
    describe_counter!(LATE_REPLIES, Unit::Count, "Replies that found nobody waiting");
    describe_counter!(CONSUMES, Unit::Count, "Messages handled, by topic, group and outcome");
    describe_histogram!(
        CONSUME_SECONDS,
        Unit::Seconds,
        "Time of one call of a handler, by topic, group and outcome"
    );
    describe_gauge!(HANDLERS_RUNNING, Unit::Count, "Calls of handlers that run, by group");
    describe_counter!(
        PULLS,
        Unit::Count,
        "Pulls and pops, by topic, group and outcome (found, empty, moved, error)"
    );
    describe_counter!(PULLED, Unit::Count, "Messages pulled or popped, by topic and group");
    describe_counter!(
        THROTTLED,
        Unit::Count,
        "Pulls put off, by topic, group and limit (count, bytes, span, unacknowledged, broker)"
    );
    describe_counter!(REDELIVERIES, Unit::Count, "Messages given back for a later try, by topic and group");
    describe_counter!(DEAD_LETTERS, Unit::Count, "Messages given up, by topic and group");
    describe_gauge!(LAG, Unit::Count, "Messages that a member has not done yet, by topic and group");
    describe_counter!(REBALANCES, Unit::Count, "Changes of the queues a member reads, by topic and group");
    describe_counter!(CONNECTS, Unit::Count, "Connections made, by address; more than one is a reconnect");
    describe_counter!(LOST, Unit::Count, "Connections lost, by their other end or an error");
    describe_counter!(TRACE_DROPPED, Unit::Count, "Records of the message trace that were dropped");
}

pub(crate) fn sent(topic: &str, messages: usize, error: Option<&SendError>, took: Duration) {
    let outcome = error.map_or_else(|| "ok".to_owned(), |error| snake_case(&format!("{:?}", error.kind())));
    counter!(SENDS, "topic" => topic.to_owned(), "outcome" => outcome.clone()).increment(messages as u64);
    histogram!(SEND_SECONDS, "topic" => topic.to_owned(), "outcome" => outcome).record(took);
}

/// Converts a name to Prometheus' form: `TopicNotFound` becomes `topic_not_found`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

pub(crate) fn late_reply() {
    counter!(LATE_REPLIES).increment(1);
}

pub(crate) fn consumed(
    group: &str,
    deliveries: &[Delivery],
    outcome: impl Fn(usize) -> Outcome,
    failure: Option<&'static str>,
    took: Duration,
) {
    let ended = |index| failure.unwrap_or_else(|| label(outcome(index)));
    for (index, delivery) in deliveries.iter().enumerate() {
        let labels = [
            ("topic", delivery.topic().to_owned()),
            ("group", group.to_owned()),
            ("outcome", ended(index).to_owned()),
        ];
        if index == 0 {
            histogram!(CONSUME_SECONDS, &labels).record(took);
        }
        counter!(CONSUMES, &labels).increment(1);
    }
}

fn of(group: &str, topic: &str) -> [(&'static str, String); 2] {
    [("topic", topic.to_owned()), ("group", group.to_owned())]
}

pub(crate) fn pulled(group: &str, topic: &str, outcome: &'static str, messages: usize) {
    let [topic_label, group_label] = of(group, topic);
    counter!(PULLS, &[topic_label, group_label, ("outcome", outcome.to_owned())]).increment(1);
    if messages > 0 {
        counter!(PULLED, &of(group, topic)).increment(messages as u64);
    }
}

pub(crate) fn throttled(group: &str, topic: &str, limit: &'static str) {
    let [topic, group] = of(group, topic);
    counter!(THROTTLED, &[topic, group, ("limit", limit.to_owned())]).increment(1);
}

pub(crate) fn given_back(group: &str, topic: &str, dead: bool) {
    counter!(if dead { DEAD_LETTERS } else { REDELIVERIES }, &of(group, topic)).increment(1);
}

pub(crate) fn lag(group: &str, topic: &str, messages: u64) {
    gauge!(LAG, &of(group, topic)).set(messages as f64);
}

pub(crate) fn rebalanced(group: &str, topic: &str) {
    counter!(REBALANCES, &of(group, topic)).increment(1);
}

pub(crate) fn connected(address: &str) {
    counter!(CONNECTS, "address" => address.to_owned()).increment(1);
}

pub(crate) fn connection_lost() {
    counter!(LOST).increment(1);
}

pub(crate) fn trace_dropped(records: usize) {
    counter!(TRACE_DROPPED).increment(records as u64);
}

/// Something that runs until this is dropped.
pub(crate) struct Running(metrics::Gauge);

impl Running {
    pub(crate) fn handler(group: &str) -> Self {
        Self::on(gauge!(HANDLERS_RUNNING, "group" => group.to_owned()))
    }

    pub(crate) fn send(group: &str) -> Self {
        Self::on(gauge!(SENDS_RUNNING, "group" => group.to_owned()))
    }

    fn on(gauge: metrics::Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
