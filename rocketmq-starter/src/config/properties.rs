//! The `[rocketmq]` table as values. A value that is not configured is `None`: the client has the defaults.

use super::client::ClientProperties;
use super::clusters::{self, ClusterProperties};
use super::keys;
use super::management::ManagementProperties;
use super::parse;
use super::secret::Secret;
use super::section::Section;
use super::sources::Sources;
use super::tls::TlsProperties;
use super::trace::MsgTrace;
use super::tuning::ProducerTuning;
use crate::error::{Mistake, MistakeKind};
use crate::listener::options::MessageModel;
use rocketmq_client::client::SocksProxies;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The values of `[rocketmq]`, for [`App::configure`](crate::App::configure).
///
/// Durations and sizes in the file are texts or numbers of milliseconds and bytes.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| {
///     properties.producer.max_message_size = Some(1 << 20); // bytes
///     properties.producer.send_message_timeout = Some(std::time::Duration::from_secs(5));
/// });
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RocketmqProperties {
    /// `name-server`: `host:port`, several separated by `;`, or the URL of an address server.
    pub name_server: Option<String>,
    /// `[rocketmq.client]`, shared by all producers and consumers.
    pub client: ClientProperties,
    /// `[rocketmq.producer]`, the template's own producer.
    pub producer: ProducerProperties,
    /// `[rocketmq.producers.<name>]`, further producers, each with a template of its own. They take missing
    /// values from `[rocketmq.producer]`, but never the group, and no credentials when they name another name server.
    pub producers: BTreeMap<String, ProducerProperties>,
    /// `[rocketmq.consumer]`.
    pub consumer: ConsumerProperties,
    /// `[rocketmq.pull-consumer]`, the source of `RocketmqTemplate::receive`.
    pub pull_consumer: PullConsumerProperties,
    /// `[rocketmq.pull-consumers.<name>]`, further pull consumers, each with a
    /// [`Receiver`](crate::template::Receiver) of its own. They take nothing from `[rocketmq.pull-consumer]`.
    pub pull_consumers: BTreeMap<String, PullConsumerProperties>,
    /// `[rocketmq.clusters.<name>]`, further clusters.
    pub clusters: BTreeMap<String, ClusterProperties>,
    /// `[rocketmq.tls]`, with feature `tls`.
    pub tls: TlsProperties,
    /// `socks-proxy-config`: SOCKS5 proxies by network, in the JSON of Java's client. Default: none.
    pub socks_proxy_config: Option<Secret>,
    /// `access-channel` is `CLOUD`: traces take the form and topics of Alibaba's cloud. Default: false, `LOCAL`.
    pub cloud: bool,
    /// `[rocketmq.embedded]`, with feature `embedded`.
    pub embedded: EmbeddedProperties,
    /// `[rocketmq.management]`, with feature `management`.
    pub management: ManagementProperties,
}

/// One producer.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.producer.retry_times_when_send_failed = Some(1));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ProducerProperties {
    /// `group`. Required to send.
    pub group: Option<String>,
    /// `name-server`, when it is not that of `[rocketmq]`.
    pub name_server: Option<String>,
    /// `cluster`: a name of `[rocketmq.clusters]`, in place of `name-server`. Default: none.
    pub cluster: Option<String>,
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
    /// The message trace of its sends.
    pub trace: MsgTrace,
    /// Credentials, namespaces, encryption and instance name.
    pub access: Access,
}

/// Credentials, namespaces, encryption and instance name of a producer or consumer.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.producer.access.namespace = Some("staging".into()));
/// # drop(app);
/// ```
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

/// The part of `[rocketmq.consumer]` that belongs to no single listener.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.consumer.await_termination = Some(std::time::Duration::from_secs(5)));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConsumerProperties {
    /// `await-termination`: how long a shutdown waits for messages in flight. Default: 25 s.
    pub await_termination: Option<Duration>,
}

/// `[rocketmq.pull-consumer]`.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.pull_consumer.pull_batch_size = Some(100));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PullConsumerProperties {
    /// `group`. With `topic`, makes `RocketmqTemplate::receive` available.
    pub group: Option<String>,
    /// `topic`.
    pub topic: Option<String>,
    /// `name-server`, when it is not that of `[rocketmq]`.
    pub name_server: Option<String>,
    /// `cluster`: a name of `[rocketmq.clusters]`, in place of `name-server`. Default: none.
    pub cluster: Option<String>,
    /// `message-model`. Default: clustering.
    pub message_model: Option<MessageModel>,
    /// `selector-type` is `SQL92`. Default: false, tags.
    pub sql: bool,
    /// `selector-expression`. Default: `*`.
    pub selector_expression: Option<String>,
    /// `pull-batch-size`. Default: 10.
    pub pull_batch_size: Option<u32>,
    /// The message trace of received messages.
    pub trace: MsgTrace,
    /// Credentials, namespaces, encryption and instance name.
    pub access: Access,
}

/// `[rocketmq.embedded]`: the broker that runs inside the application when no name server is configured.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.embedded.store_path = Some("store".into()));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EmbeddedProperties {
    /// `store-path`: the folder of the messages. Default: a temporary folder that is removed at the end.
    pub store_path: Option<PathBuf>,
}

/// `rocketmq.name-server` that asks for the broker inside the application.
pub(crate) const EMBEDDED: &str = "embedded";

impl RocketmqProperties {
    /// Reads every key; placeholders without a value go to `mistakes`. Wrong names are kept: the check of the sources
    /// reports them, and an absent name would cause further complaints.
    pub(crate) fn read(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Self {
        let mut root = Section::new(sources, "rocketmq", mistakes);
        RocketmqProperties {
            name_server: root.text("name-server"),
            socks_proxy_config: root
                .read("socks-proxy-config", |text| socks_proxies(text).map(|_| Secret::new(text.trim()))),
            cloud: root.read("access-channel", access_channel).unwrap_or_default(),
            client: ClientProperties::read(root.below("client")),
            producer: ProducerProperties::read(root.below("producer")),
            consumer: ConsumerProperties::read(root.below("consumer")),
            pull_consumer: PullConsumerProperties::read(root.below("pull-consumer")),
            tls: TlsProperties::read(root.below("tls")),
            embedded: EmbeddedProperties::read(root.below("embedded")),
            management: ManagementProperties::read(root.below("management")),
            producers: read_producers(sources, mistakes),
            pull_consumers: read_pull_consumers(sources, mistakes),
            clusters: clusters::read(sources, mistakes),
        }
        .or_usual_variable(sources)
    }

    /// Reports names and addresses that are wrong and that `before`, checked with the sources, did not have.
    pub(crate) fn check_changes(&self, before: &Self, mistakes: &mut Vec<Mistake>) {
        let before = before.names();
        let changed = self.names().into_iter().filter(|(key, text)| before.get(key) != Some(text));
        for (key, text) in changed {
            let below = key.split('.').skip(1);
            let refused = keys::follow(below).ok().and_then(|place| place.node.refuses(text));
            if let Some((takes, _)) = refused {
                let message = format!("`{key}` is \"{text}\", set by App::configure; it takes {takes}");
                mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
            }
        }
    }

    /// Names and addresses, by key.
    fn names(&self) -> BTreeMap<String, &str> {
        let mut names = vec![("rocketmq.name-server".to_owned(), &self.name_server)];
        for (name, cluster) in &self.clusters {
            names.push((format!("rocketmq.clusters.{name}.name-server"), &cluster.name_server));
        }
        let own = std::iter::once(("rocketmq.pull-consumer".to_owned(), &self.pull_consumer));
        let further =
            self.pull_consumers.iter().map(|(name, it)| (format!("rocketmq.pull-consumers.{name}"), it));
        for (table, pull) in own.chain(further) {
            names.push((format!("{table}.group"), &pull.group));
            names.push((format!("{table}.topic"), &pull.topic));
            names.push((format!("{table}.name-server"), &pull.name_server));
        }
        let own = std::iter::once(("rocketmq.producer".to_owned(), &self.producer));
        let further = self.producers.iter().map(|(name, it)| (format!("rocketmq.producers.{name}"), it));
        for (table, producer) in own.chain(further) {
            names.push((format!("{table}.group"), &producer.group));
            names.push((format!("{table}.name-server"), &producer.name_server));
        }
        names.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))).collect()
    }

    /// Every client of RocketMQ reads this variable when nothing else names a name server.
    fn or_usual_variable(mut self, sources: &Sources) -> Self {
        if self.name_server.is_none() {
            let usual = sources.resolve("${NAMESRV_ADDR:}").ok();
            self.name_server = usual.filter(|address| !address.is_empty());
        }
        self
    }
}

/// Checks addresses as the client does; `embedded` is the broker inside.
pub(super) fn name_server(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == EMBEDDED {
        return Ok(text.to_owned());
    }
    let checked = rocketmq_client::Client::builder(text).check();
    checked.map(|()| text.to_owned()).map_err(|error| {
        format!("addresses such as \"127.0.0.1:9876\", separated by `;`, or \"embedded\": {error}")
    })
}

/// Tells whether traces take the form of Alibaba's cloud.
pub(super) fn access_channel(text: &str) -> Result<bool, String> {
    parse::word(&[("LOCAL", false), ("CLOUD", true)], text)
}

/// Tells whether the expression is an SQL92 condition.
pub(super) fn selector_type(text: &str) -> Result<bool, String> {
    parse::word(&[("TAG", false), ("SQL92", true)], text)
}

pub(super) fn socks_proxies(text: &str) -> Result<SocksProxies, String> {
    text.parse().map_err(|error| format!("proxies by network, in the JSON of Java's client: {error}"))
}

fn read_producers(sources: &Sources, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, ProducerProperties> {
    let names = sources.names("rocketmq.producers").into_iter();
    names
        .map(|(name, _)| {
            let section = Section::new(sources, &format!("rocketmq.producers.{name}"), mistakes);
            (name, ProducerProperties::read(section))
        })
        .collect()
}

fn read_pull_consumers(
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> BTreeMap<String, PullConsumerProperties> {
    let names = sources.names("rocketmq.pull-consumers").into_iter();
    names
        .map(|(name, _)| {
            let section = Section::new(sources, &format!("rocketmq.pull-consumers.{name}"), mistakes);
            (name, PullConsumerProperties::read(section))
        })
        .collect()
}

impl ProducerProperties {
    fn read(mut section: Section<'_>) -> Self {
        ProducerProperties {
            trace: MsgTrace::read(&mut section),
            group: section.text("group"),
            name_server: section.text("name-server"),
            cluster: section.text("cluster"),
            send_message_timeout: section.read("send-message-timeout", parse::interval),
            retry_times_when_send_failed: section.count("retry-times-when-send-failed"),
            retry_next_server: section.switch("retry-next-server"),
            compress_message_body_threshold: section.bytes("compress-message-body-threshold"),
            max_message_size: section.bytes("max-message-size"),
            tuning: ProducerTuning::read(&mut section),
            access: Access::read(&mut section),
        }
    }

    /// Fills missing values from the default producer. `cluster` is the name server of the application.
    pub(crate) fn inheriting(
        &self,
        default: &ProducerProperties,
        cluster: Option<&str>,
    ) -> ProducerProperties {
        let elsewhere = self.is_elsewhere(default, cluster);
        let says_where = self.cluster.is_some() || self.name_server.is_some();
        let place = if says_where { self } else { default };
        let own = self.clone();
        ProducerProperties {
            group: own.group,
            name_server: place.name_server.clone(),
            cluster: place.cluster.clone(),
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

    /// Tells whether it goes to another cluster than the default producer.
    fn is_elsewhere(&self, default: &ProducerProperties, cluster: Option<&str>) -> bool {
        let near = default.name_server.as_deref().or(cluster);
        match (&self.cluster, self.name_server.as_deref()) {
            (Some(own), _) => default.cluster.as_ref() != Some(own),
            (None, Some(own)) => default.cluster.is_some() || near != Some(own),
            (None, None) => false,
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

    /// Fills missing values from `other`.
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
    /// Reads the values that belong to no listener.
    fn read(mut section: Section<'_>) -> Self {
        ConsumerProperties { await_termination: section.period("await-termination") }
    }
}

impl PullConsumerProperties {
    fn read(mut section: Section<'_>) -> Self {
        PullConsumerProperties {
            group: section.text("group"),
            topic: section.text("topic"),
            name_server: section.text("name-server"),
            cluster: section.text("cluster"),
            message_model: section.read("message-model", MessageModel::parse),
            sql: section.read("selector-type", selector_type).unwrap_or_default(),
            selector_expression: section.text("selector-expression"),
            pull_batch_size: section.read("pull-batch-size", parse::count_within::<1, 1024>),
            trace: MsgTrace::read(&mut section),
            access: Access::read(&mut section),
        }
    }
}

impl EmbeddedProperties {
    fn read(mut section: Section<'_>) -> Self {
        EmbeddedProperties { store_path: section.read("store-path", parse::path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> (RocketmqProperties, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let properties = RocketmqProperties::read(&sources, &mut mistakes);
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
    fn what_the_program_changes_is_checked_like_a_file() {
        let (before, mistakes) = read("[rocketmq.producer]\ngroup = 'a b'");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        let mut after = before.clone();
        after.name_server = Some("nowhere".to_owned());
        after.producers.insert(
            "x".to_owned(),
            ProducerProperties {
                group: Some("DEFAULT_PRODUCER".to_owned()),
                ..ProducerProperties::default()
            },
        );
        let mut found = Vec::new();
        after.check_changes(&before, &mut found);
        assert_eq!(found.len(), 2, "{found:?}: the group was reported with its line");
        assert!(found[0].to_string().starts_with("`rocketmq.name-server` is \"nowhere\""), "{found:?}");
        assert!(found[1].to_string().starts_with("`rocketmq.producers.x.group`"), "{found:?}");
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
        let near = properties.producers["near"].inheriting(&properties.producer, Some("near:1"));
        assert_eq!((near.max_message_size, near.access.access_key.is_some()), (Some(9), true));
        let same = properties.producers["far"].inheriting(&properties.producer, Some("far:1"));
        assert!(same.access.access_key.is_some(), "the same cluster, said twice");
        let far = properties.producers["far"].inheriting(&properties.producer, Some("near:1"));
        assert_eq!((far.max_message_size, far.access.access_key.is_some()), (Some(9), false));
    }

    #[test]
    fn a_further_producer_inherits_the_cluster_unless_it_says_where_it_goes() {
        let (mut properties, mistakes) = read(
            "[rocketmq.producer]\ngroup='a'\naccess-key='k'\ncluster='eu'\n[rocketmq.producers.same]\ngroup='b'\n\
             [rocketmq.producers.us]\ngroup='c'\ncluster='us'\n[rocketmq.producers.far]\ngroup='d'\nname-server='far:1'",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let seen = |properties: &RocketmqProperties, name: &str| {
            let own = properties.producers[name].inheriting(&properties.producer, Some("near:1"));
            (own.cluster, own.name_server, own.access.access_key.is_some())
        };
        assert_eq!(seen(&properties, "same"), (Some("eu".to_owned()), None, true));
        assert_eq!(seen(&properties, "us"), (Some("us".to_owned()), None, false));
        assert_eq!(seen(&properties, "far"), (None, Some("far:1".to_owned()), false));
        properties.producer.cluster = Some("us".to_owned());
        assert_eq!(
            seen(&properties, "us"),
            (Some("us".to_owned()), None, true),
            "the same cluster, said twice"
        );
    }
}
