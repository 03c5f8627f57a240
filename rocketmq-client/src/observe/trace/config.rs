//! [`TraceConfig`]: that messages are traced, and how.

use rocketmq_remoting::names::TRACE_TOPIC;

/// The region of brokers that name none.
pub(super) const DEFAULT_REGION: &str = "DefaultRegion";

/// That messages are traced, and how. Every stored message, every decided transaction and every call of a handler
/// becomes a record; brokers that trace (`traceOn`, the default) take them on a topic of their own.
///
/// Records wait in memory (2048 at most, then new ones are dropped and counted) and leave together, those of ten events
/// or of five seconds; shutting down the producer or consumer sends what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceConfig {
    /// The topic of the traces. Default: `RMQ_SYS_TRACE_TOPIC`, which brokers with `traceTopicEnable=true` have; any
    /// other topic has to exist, or the broker must create topics.
    pub topic: String,
    /// The records of how many sends or calls leave together, 1 to 20. Default: 10.
    pub batch: usize,
    /// Also trace messages taken back by [`recall`](crate::Producer::recall). Default: false.
    pub recall: bool,
    /// The form and topics of Alibaba's cloud (Java's `AccessChannel.CLOUD`): `topic` is ignored then. Default: false.
    pub cloud: bool,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { topic: TRACE_TOPIC.to_owned(), batch: 10, recall: false, cloud: false }
    }
}

impl TraceConfig {
    /// Traces on this topic.
    pub fn to_topic(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), ..Self::default() }
    }

    pub(super) fn topic_of(&self, region: &str) -> String {
        if self.cloud { format!("rmq_sys_TRACE_DATA_{region}") } else { self.topic.clone() }
    }

    /// Whether a topic is one of traces: those are not traced themselves.
    pub(super) fn is_trace(&self, topic: &str) -> bool {
        if self.cloud { topic.starts_with("rmq_sys_TRACE_DATA_") } else { topic.starts_with(&self.topic) }
    }
}
