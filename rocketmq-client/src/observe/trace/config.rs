//! [`TraceConfig`]: the options of the message trace.

use rocketmq_remoting::names::TRACE_TOPIC;

/// The region of brokers that name none.
pub(super) const DEFAULT_REGION: &str = "DefaultRegion";

/// Sets up the message trace. Every stored message, every decided transaction and every call of a handler becomes a
/// record; brokers that trace (`traceOn`, the default) store the records in a topic of their own.
///
/// Records wait in memory, 2048 at most; then new ones are dropped and counted. They leave together after ten events or
/// five seconds; the shutdown of a producer or consumer sends the rest.
///
/// ```
/// use rocketmq_client::{Client, TraceConfig};
///
/// let builder = Client::builder("127.0.0.1:9876").trace(TraceConfig::to_topic("traces"));
/// # drop(builder);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceConfig {
    /// The topic of the traces. Default: `RMQ_SYS_TRACE_TOPIC`, which brokers with `traceTopicEnable=true` have; any
    /// other topic has to exist, or the broker must create topics.
    pub topic: String,
    /// The number of sends or calls whose records leave together, 1 to 20. Default: 10.
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
    /// Traces to this topic.
    ///
    /// ```
    /// assert_eq!(rocketmq_client::TraceConfig::to_topic("traces").topic, "traces");
    /// ```
    pub fn to_topic(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), ..Self::default() }
    }

    pub(super) fn topic_of(&self, region: &str) -> String {
        if self.cloud { format!("rmq_sys_TRACE_DATA_{region}") } else { self.topic.clone() }
    }

    /// Tells whether a topic is one of traces, which are not traced themselves.
    pub(super) fn is_trace(&self, topic: &str) -> bool {
        if self.cloud { topic.starts_with("rmq_sys_TRACE_DATA_") } else { topic.starts_with(&self.topic) }
    }
}
