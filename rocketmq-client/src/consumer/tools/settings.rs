//! The settings of consumers as tools list them: those this client has, under the names of the Java client's fields.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::consumer::config::ConsumerConfig;
use crate::consumer::queue::flow::FlowLimits;

/// A field of Java's consumer, and what it would hold.
pub(crate) type Setting = (&'static str, String);

/// Returns the settings that all consumers of a client share.
pub(crate) fn of_client(cluster: &Cluster) -> Vec<Setting> {
    let config = &cluster.config;
    let mut settings = vec![
        ("namesrvAddr", cluster.resolver.servers().join(";")),
        ("pollNameServerInterval", millis(config.route_refresh)),
        ("heartbeatBrokerInterval", millis(config.heartbeat_interval)),
        ("persistConsumerOffsetInterval", millis(config.persist_offset_interval)),
        ("mqClientApiTimeout", millis(config.api_timeout)),
        ("useHeartbeatV2", config.heartbeat_v2.to_string()),
        ("vipChannelEnabled", config.vip_channel.to_string()),
        ("unitMode", config.unit_mode.to_string()),
        ("accessChannel", if config.cloud { "CLOUD" } else { "LOCAL" }.to_owned()),
        ("language", "RUST".to_owned()),
    ];
    #[cfg(feature = "tls")]
    settings.push(("useTLS", config.tls.is_some().to_string()));
    let mut parts = cluster.client_id.split('@');
    settings.extend(["clientIP", "instanceName"].into_iter().zip(parts.by_ref().map(str::to_owned)));
    let named = [
        ("unitName", &config.unit_name),
        ("namespace", &config.namespace),
        ("namespaceV2", &config.namespace_v2),
    ];
    settings.extend(named.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    settings
}

/// Returns the flow limits. Java counts bytes in MiB, and -1 stands for no limit.
pub(crate) fn of_flow(flow: &FlowLimits) -> [Setting; 4] {
    let limit = |limit: Option<usize>| limit.map_or("-1".to_owned(), |limit| limit.to_string());
    [
        ("pullThresholdForQueue", flow.queue_count.to_string()),
        ("pullThresholdSizeForQueue", (flow.queue_bytes >> 20).to_string()),
        ("pullThresholdForTopic", limit(flow.topic_count)),
        ("pullThresholdSizeForTopic", limit(flow.topic_bytes.map(|bytes| bytes >> 20))),
    ]
}

impl ConsumerConfig {
    /// Returns the settings of a push consumer; `concurrency` and `tries` are the present ones.
    pub(crate) fn settings(&self, concurrency: usize, tries: Option<u32>) -> Vec<Setting> {
        let mut settings = vec![
            ("consumeThreadMin", concurrency.to_string()),
            ("consumeThreadMax", concurrency.to_string()),
            ("consumeMessageBatchMaxSize", self.batch.to_string()),
            ("pullBatchSize", self.pull_batch.to_string()),
            ("pullBatchSizeInBytes", self.pull_batch_bytes.to_string()),
            ("pullInterval", millis(self.pull_interval)),
            // Minutes, as in Java, with a fraction where there is one.
            ("consumeTimeout", (self.consume_timeout.as_secs_f64() / 60.0).to_string()),
            ("maxReconsumeTimes", tries.map_or(-1, i64::from).to_string()),
            ("suspendCurrentQueueTimeMillis", millis(self.suspend)),
            ("postSubscriptionWhenPull", self.filter_with_pull.to_string()),
            ("awaitTerminationMillisWhenShutdown", millis(self.shutdown_timeout)),
            ("clientRebalance", (!self.broker_assignment).to_string()),
            ("popInvisibleTime", millis(self.pop.invisible)),
            ("popBatchNums", self.pop.batch.to_string()),
            ("popThresholdForQueue", self.pop.threshold.to_string()),
            ("consumeConcurrentlyMaxSpan", self.flow.max_span.to_string()),
        ];
        settings.extend(of_flow(&self.flow));
        settings
    }
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_javas_names_and_units() {
        let config = ConsumerConfig {
            flow: FlowLimits { topic_bytes: Some(5 << 20), ..FlowLimits::default() },
            consume_timeout: Duration::from_secs(90),
            ..ConsumerConfig::default()
        };
        let settings: std::collections::BTreeMap<_, _> = config.settings(7, None).into_iter().collect();
        for (name, value) in [
            ("consumeThreadMin", "7"),
            ("consumeTimeout", "1.5"),
            ("maxReconsumeTimes", "-1"),
            ("pullThresholdForQueue", "1000"),
            ("pullThresholdSizeForQueue", "100"),
            ("pullThresholdForTopic", "-1"),
            ("pullThresholdSizeForTopic", "5"),
            ("popInvisibleTime", "60000"),
            ("suspendCurrentQueueTimeMillis", "1000"),
        ] {
            assert_eq!(settings[name], value, "{name}");
        }
    }
}
