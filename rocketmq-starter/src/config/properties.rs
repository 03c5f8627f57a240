//! The `[rocketmq]` table as values. What is not configured is `None`: the defaults are the client's own.

use super::client::ClientProperties;
use super::reader::{Section, parse};
use super::secret::Secret;
use super::sources::Sources;
use super::tls::TlsProperties;
use super::trace::MsgTrace;
use super::tuning::ProducerTuning;
use crate::error::Mistake;
use crate::listener::options::{MessageModel, OPTION_KEYS};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything under `[rocketmq]`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RocketmqProperties {
    /// `name-server`: `host:port`, several separated by `;`, or the URL of an address server.
    pub name_server: Option<String>,
    /// `[rocketmq.client]`, what all producers and consumers share.
    pub client: ClientProperties,
    /// `[rocketmq.producer]`, the template's own producer.
    pub producer: ProducerProperties,
    /// `[rocketmq.producers.<name>]`, further producers, each with a template of its own. What they leave open
    /// they take from `[rocketmq.producer]`, save the group; and save the credentials when they name another
    /// name server.
    pub producers: BTreeMap<String, ProducerProperties>,
    /// `[rocketmq.consumer]`.
    pub consumer: ConsumerProperties,
    /// `[rocketmq.pull-consumer]`, what the template receives from.
    pub pull_consumer: PullConsumerProperties,
    /// `[rocketmq.tls]`, with feature `tls`.
    pub tls: TlsProperties,
    /// `socks-proxy-config`: SOCKS5 proxies by network, in the JSON of Java's client. Default: none.
    pub socks_proxy_config: Option<Secret>,
    /// `access-channel` is `CLOUD`: traces take the form and topics of Alibaba's cloud. Default: false, `LOCAL`.
    pub cloud: bool,
    /// `[rocketmq.embedded]`, with feature `embedded`.
    pub embedded: EmbeddedProperties,
}

/// One producer.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ProducerProperties {
    /// `group`. Required to send.
    pub group: Option<String>,
    /// `name-server`, when it is not that of `[rocketmq]`.
    pub name_server: Option<String>,
    /// `send-message-timeout`, retries included. Default: 3 s.
    pub send_message_timeout: Option<Duration>,
    /// `retry-times-when-send-failed`. Default: 2.
    pub retry_times_when_send_failed: Option<u32>,
    /// `retry-next-server`: try another broker when a message was stored but not as safely as asked. Default: false.
    pub retry_next_server: Option<bool>,
    /// `compress-message-body-threshold` in bytes. Default: 4096.
    pub compress_message_body_threshold: Option<usize>,
    /// `max-message-size` in bytes. Default: 4 MiB.
    pub max_message_size: Option<usize>,
    /// The settings that Spring leaves to code.
    pub tuning: ProducerTuning,
    /// Whether sends are traced.
    pub trace: MsgTrace,
    /// Who connects, and how.
    pub access: Access,
}

/// How a producer or consumer presents itself to a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// `access-key`. Default: none.
    pub access_key: Option<Secret>,
    /// `secret-key`. Default: none.
    pub secret_key: Option<Secret>,
    /// `security-token`. Default: none.
    pub security_token: Option<Secret>,
    /// `namespace`, which wraps names as 4.x brokers expect it. Default: none.
    pub namespace: Option<String>,
    /// `namespace-v2`, which travels in headers as 5.x brokers expect it. Default: none.
    pub namespace_v2: Option<String>,
    /// `tls-enable`. Default: `enable` of `[rocketmq.tls]`, else false.
    pub tls_enable: Option<bool>,
    /// `instance-name`. Default: unique per client.
    pub instance_name: Option<String>,
}

/// `[rocketmq.consumer]`: how listeners connect unless their attribute says otherwise.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConsumerProperties {
    /// `await-termination`: how long a shutdown waits for messages in flight. Default: 25 s.
    pub await_termination: Option<Duration>,
}

/// `[rocketmq.pull-consumer]`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PullConsumerProperties {
    /// `group`. With `topic`, makes `RocketmqTemplate::receive` available.
    pub group: Option<String>,
    /// `topic`.
    pub topic: Option<String>,
    /// `name-server`, when it is not that of `[rocketmq]`.
    pub name_server: Option<String>,
    /// `message-model`. Default: clustering.
    pub message_model: Option<MessageModel>,
    /// `selector-type` is `SQL92`. Default: false, tags.
    pub sql: bool,
    /// `selector-expression`. Default: `*`.
    pub selector_expression: Option<String>,
    /// `pull-batch-size`. Default: 10.
    pub pull_batch_size: Option<u32>,
    /// Whether what is received is traced.
    pub trace: MsgTrace,
    /// Who connects, and how.
    pub access: Access,
}

/// `[rocketmq.embedded]`: the broker that runs inside the application when no name server is configured.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EmbeddedProperties {
    /// `store-path`: where messages are kept. Default: a temporary folder that is removed at the end.
    pub store_path: Option<PathBuf>,
}

const ROOT: &str = "rocketmq";

impl RocketmqProperties {
    /// Reads every key, and adds all that is wrong to `mistakes`.
    pub(crate) fn read(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Self {
        let mut root = Section::new(sources, ROOT, mistakes);
        let name_server = root.text("name-server");
        root.text("profile");
        let cloud = root.read("access-channel", parse::word(&[("LOCAL", false), ("CLOUD", true)]));
        let socks_proxy_config = root.secret("socks-proxy-config");
        let tables = ["client", "producer", "producers", "consumer", "pull-consumer", "tls", "embedded"]
            .map(|table| root.table(table));
        root.finish();
        let [client, producer, producers, consumer, pull_consumer, tls, embedded] = tables;
        RocketmqProperties {
            name_server: name_server.or_else(|| usual_variable(sources)),
            client: ClientProperties::read(Section::new(sources, &client, mistakes)),
            producer: ProducerProperties::read(Section::new(sources, &producer, mistakes)),
            producers: read_producers(sources, &producers, mistakes),
            consumer: ConsumerProperties::read(Section::new(sources, &consumer, mistakes)),
            pull_consumer: PullConsumerProperties::read(Section::new(sources, &pull_consumer, mistakes)),
            tls: TlsProperties::read(Section::new(sources, &tls, mistakes)),
            socks_proxy_config,
            cloud: cloud.unwrap_or_default(),
            embedded: EmbeddedProperties::read(Section::new(sources, &embedded, mistakes)),
        }
    }
}

/// Every client of RocketMQ reads this variable when nothing else names a name server.
fn usual_variable(sources: &Sources) -> Option<String> {
    sources.resolve("${NAMESRV_ADDR:}").ok().filter(|address| !address.is_empty())
}

fn read_producers(
    sources: &Sources,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) -> BTreeMap<String, ProducerProperties> {
    let names = sources.keys(path).into_iter().map(|(name, _)| name);
    names
        .map(|name| {
            let section = Section::new(sources, &format!("{path}.{name}"), mistakes);
            (name, ProducerProperties::read(section))
        })
        .collect()
}

impl ProducerProperties {
    fn read(mut section: Section<'_>) -> Self {
        section.without_effect(
            "retry-times-when-send-async-failed",
            "every send is asynchronous and retried alike",
        );
        let read = ProducerProperties {
            trace: MsgTrace::read(&mut section),
            group: section.text("group"),
            name_server: section.text("name-server"),
            send_message_timeout: section.period("send-message-timeout"),
            retry_times_when_send_failed: section.count("retry-times-when-send-failed"),
            retry_next_server: section.switch("retry-next-server"),
            compress_message_body_threshold: section.bytes("compress-message-body-threshold"),
            max_message_size: section.bytes("max-message-size"),
            tuning: ProducerTuning::read(&mut section),
            access: Access::read(&mut section),
        };
        section.finish();
        read
    }

    /// This producer with what it leaves open taken from the default one.
    pub(crate) fn inheriting(&self, default: &ProducerProperties) -> ProducerProperties {
        let elsewhere = self.name_server.is_some() && self.name_server != default.name_server;
        let own = self.clone();
        ProducerProperties {
            group: own.group,
            name_server: own.name_server.or_else(|| default.name_server.clone()),
            send_message_timeout: own.send_message_timeout.or(default.send_message_timeout),
            retry_times_when_send_failed: own
                .retry_times_when_send_failed
                .or(default.retry_times_when_send_failed),
            retry_next_server: own.retry_next_server.or(default.retry_next_server),
            compress_message_body_threshold: own
                .compress_message_body_threshold
                .or(default.compress_message_body_threshold),
            max_message_size: own.max_message_size.or(default.max_message_size),
            tuning: own.tuning.or(&default.tuning),
            trace: own.trace.or(&default.trace),
            // Credentials of one cluster are not shown to another.
            access: if elsewhere { own.access } else { own.access.or(&default.access) },
        }
    }
}

impl Access {
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        Access {
            access_key: section.secret("access-key"),
            secret_key: section.secret("secret-key"),
            security_token: section.secret("security-token"),
            namespace: section.text("namespace"),
            namespace_v2: section.text("namespace-v2"),
            tls_enable: section.switch("tls-enable"),
            instance_name: section.text("instance-name"),
        }
    }

    /// These, and from `other` what they leave open.
    pub(crate) fn or(self, other: &Access) -> Access {
        let other = other.clone();
        Access {
            access_key: self.access_key.or(other.access_key),
            secret_key: self.secret_key.or(other.secret_key),
            security_token: self.security_token.or(other.security_token),
            namespace: self.namespace.or(other.namespace),
            namespace_v2: self.namespace_v2.or(other.namespace_v2),
            tls_enable: self.tls_enable.or(other.tls_enable),
            instance_name: self.instance_name.or(other.instance_name),
        }
    }
}

impl ConsumerProperties {
    /// The options of listeners are read with the listeners; here they are only known.
    fn read(mut section: Section<'_>) -> Self {
        for key in OPTION_KEYS.iter().filter(|key| **key != "await-termination") {
            section.table(key);
        }
        for key in ["group", "topic", "message-model", "selector-type", "selector-expression"] {
            section.without_effect(key, "each listener's attribute says it, as in Spring");
        }
        section.table("listeners");
        section.table("groups");
        let read = ConsumerProperties { await_termination: section.period("await-termination") };
        section.finish();
        read
    }
}

impl PullConsumerProperties {
    fn read(mut section: Section<'_>) -> Self {
        let sql = section.read("selector-type", parse::word(&[("TAG", false), ("SQL92", true)]));
        let read = PullConsumerProperties {
            group: section.text("group"),
            topic: section.text("topic"),
            name_server: section.text("name-server"),
            message_model: section.read("message-model", MessageModel::parse),
            sql: sql.unwrap_or_default(),
            selector_expression: section.text("selector-expression"),
            pull_batch_size: section.read("pull-batch-size", parse::count_within(1, 1024)),
            trace: MsgTrace::read(&mut section),
            access: Access::read(&mut section),
        };
        section.finish();
        read
    }
}

impl EmbeddedProperties {
    fn read(mut section: Section<'_>) -> Self {
        let read = EmbeddedProperties { store_path: section.text("store-path").map(PathBuf::from) };
        section.finish();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> (RocketmqProperties, Vec<String>) {
        let mut mistakes = Vec::new();
        let properties = RocketmqProperties::read(&Sources::from_toml(toml, &[]), &mut mistakes);
        (properties, mistakes.iter().map(ToString::to_string).collect())
    }

    /// Every key of rocketmq-spring's `application.properties`, as its README writes them.
    const SPRING: &str = r#"
        [rocketmq]
        name-server = "127.0.0.1:9876"
        access-channel = "LOCAL"
        [rocketmq.producer]
        group = "my-group"
        namespace = "n"
        namespace-v2 = "m"
        send-message-timeout = 300000
        compress-message-body-threshold = 4096
        max-message-size = 4194304
        retry-times-when-send-async-failed = 0
        retry-next-server = true
        retry-times-when-send-failed = 2
        access-key = "AK"
        secret-key = "SK"
        enable-msg-trace = true
        customized-trace-topic = "my-trace-topic"
        tls-enable = false
        instance-name = "a"
        [rocketmq.pull-consumer]
        group = "my-pull"
        topic = "t"
        namespace = "n"
        namespace-v2 = "m"
        message-model = "CLUSTERING"
        selector-type = "TAG"
        selector-expression = "*"
        access-key = "AK"
        secret-key = "SK"
        pull-batch-size = 10
        enable-msg-trace = false
        customized-trace-topic = "t"
        tls-enable = false
        instance-name = "a"
        [rocketmq.consumer]
        access-key = "AK"
        secret-key = "SK"
        customized-trace-topic = "t"
        namespace = "n"
        namespace-v2 = "m"
        group = "g"
        topic = "t"
        message-model = "CLUSTERING"
        selector-type = "TAG"
        selector-expression = "*"
        pull-batch-size = 10
        tls-enable = false
        instance-name = "a"
        enable-msg-trace = false
        [rocketmq.consumer.listeners.ledger]
        payments = false
    "#;

    #[test]
    fn springs_own_keys_port_line_by_line() {
        let (properties, mistakes) = read(SPRING);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(properties.producer.send_message_timeout, Some(Duration::from_secs(300)));
        assert_eq!(properties.pull_consumer.message_model, Some(MessageModel::Clustering));
    }

    #[test]
    fn the_access_channel_is_one_of_two_words() {
        assert!(!read("[rocketmq]\naccess-channel = 'local'").0.cloud);
        assert!(read("[rocketmq]\naccess-channel = 'CLOUD'").0.cloud);
        let (_, mistakes) = read("[rocketmq]\naccess-channel = 'CLUOD'");
        assert!(mistakes.len() == 1 && mistakes[0].contains("CLOUD"), "{mistakes:?}");
    }

    #[test]
    fn every_mistake_is_reported_not_only_the_first() {
        let (_, mistakes) = read(
            "[rocketmq]\nname-servr = 'x'\n[rocketmq.producer]\nmax-message-size = 'big'\n[rocketmq.consumer]\nconcurency = 3",
        );
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(
            mistakes[0].contains("`name-server`") && mistakes[2].contains("`concurrency`"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn secrets_are_not_in_debug() {
        let (properties, _) = read("[rocketmq.producer]\naccess-key = 'ak-7'\nsecret-key = 'sk-7'");
        assert_eq!(properties.producer.access.secret_key.as_ref().map(Secret::expose), Some("sk-7"));
        let shown = format!("{properties:?}");
        assert!(!shown.contains("k-7"), "{shown}");
    }

    #[test]
    fn a_further_producer_inherits_but_takes_no_credentials_to_another_cluster() {
        let (properties, mistakes) = read(
            "[rocketmq.producer]\ngroup='a'\naccess-key='k'\nmax-message-size=9\n\
             [rocketmq.producers.near]\ngroup='b'\n[rocketmq.producers.far]\ngroup='c'\nname-server='far:1'",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let near = properties.producers["near"].inheriting(&properties.producer);
        assert_eq!((near.max_message_size, near.access.access_key.is_some()), (Some(9), true));
        let far = properties.producers["far"].inheriting(&properties.producer);
        assert_eq!((far.max_message_size, far.access.access_key.is_some()), (Some(9), false));
    }
}
