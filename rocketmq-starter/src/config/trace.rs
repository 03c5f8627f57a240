//! Spring's two keys for RocketMQ's message trace.

use super::section::Section;
use rocketmq_client::TraceConfig;

/// Switch and topic of the message trace.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.producer.trace.enable_msg_trace = Some(true));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsgTrace {
    /// `enable-msg-trace`. Default: false.
    pub enable_msg_trace: Option<bool>,
    /// `customized-trace-topic`. Default: `RMQ_SYS_TRACE_TOPIC`.
    pub customized_trace_topic: Option<String>,
}

impl MsgTrace {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        MsgTrace {
            enable_msg_trace: section.switch("enable-msg-trace"),
            customized_trace_topic: section.text("customized-trace-topic"),
        }
    }

    /// This, and from `other` what it leaves open.
    pub(super) fn or(self, other: &Self) -> Self {
        MsgTrace {
            enable_msg_trace: self.enable_msg_trace.or(other.enable_msg_trace),
            customized_trace_topic: self.customized_trace_topic.or(other.customized_trace_topic.clone()),
        }
    }

    /// For the client; `None` when nothing is traced. A topic alone traces nothing, as in Spring.
    pub(crate) fn to_client(&self) -> Option<TraceConfig> {
        let traced = self.enable_msg_trace == Some(true);
        traced.then(|| {
            self.customized_trace_topic.as_ref().map_or_else(TraceConfig::default, TraceConfig::to_topic)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_alone_traces_nothing() {
        let topic = MsgTrace { customized_trace_topic: Some("t".into()), ..MsgTrace::default() };
        assert_eq!(topic.to_client(), None);
        let on = MsgTrace { enable_msg_trace: Some(true), ..MsgTrace::default() };
        assert_eq!(on.to_client(), Some(TraceConfig::default()));
        assert_eq!(on.or(&topic).to_client(), Some(TraceConfig::to_topic("t")));
    }
}
