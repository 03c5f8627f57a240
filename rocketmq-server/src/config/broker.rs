//! Settings of the broker, under Apache's names.

use std::path::{Path, PathBuf};

use super::key::{ConfigError, Key, Keys, Notes, key};
use super::kind::{
    Addresses, Codes, HOURS, Hidden, HoursOfDay, Kind, LoginJson, MILLIS, Optional, Percent, Plain,
    QueueFileBytes, SECONDS, Words,
};
use super::network::NetworkConfig;
use super::tls::{CLIENT_AUTH, MODE, tls_keys};
use crate::broker::Settings;
use crate::registration::Timing;
use crate::store::{FlushMode, StoreConfig};

/// Settings of one broker: its network, its presence at the name servers, its behaviour, its store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BrokerConfig {
    /// Where to listen. Default: port 10911.
    pub network: NetworkConfig,
    /// Listen on the port two below as well, for clients that use the VIP channel. Default: on.
    pub vip_port: bool,
    /// Where to register, as `host:port`. None: the broker serves those who know its address.
    pub name_servers: Vec<String>,
    /// When to register.
    pub registration: Timing,
    /// The host that clients are told to dial. Default: this machine's first address that is not loopback.
    pub advertised_host: Option<String>,
    /// What the broker does. Folder, port and address in it are taken from the other fields at start.
    pub behaviour: Settings,
    /// Where messages are kept.
    pub store: StoreConfig,
    /// Keys that tools may not change while the broker runs, joined by semicolons.
    pub black_list: String,
    /// The file that [`load`](Self::load) read; what tools change while the broker runs is remembered there.
    pub file: Option<PathBuf>,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        let root = std::env::home_dir().unwrap_or_default().join("store");
        let mut config = Self::in_folder(root);
        config.behaviour.broker_name = host_name().unwrap_or(config.behaviour.broker_name);
        config
    }
}

impl BrokerConfig {
    /// The port clients know a broker by.
    pub const DEFAULT_PORT: u16 = 10911;

    /// The defaults, with the store in `root`.
    pub fn in_folder(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            network: NetworkConfig::on_port(Self::DEFAULT_PORT),
            vip_port: true,
            name_servers: Vec::new(),
            registration: Timing::default(),
            advertised_host: None,
            behaviour: Settings::new(&root),
            store: StoreConfig::new(root),
            black_list: "configBlackList;brokerConfigPath".into(),
            file: None,
        }
    }

    /// Settings for a broker that only this machine reaches, on a port the system chooses.
    pub fn loopback(root: impl Into<PathBuf>) -> Self {
        Self {
            network: NetworkConfig::loopback(),
            vip_port: false,
            advertised_host: Some("127.0.0.1".into()),
            ..Self::in_folder(root)
        }
    }

    /// Sets what the file at `path` says, in TOML or in Java's properties syntax.
    ///
    /// # Errors
    /// When the file cannot be read, or holds a value of the wrong type; each such value is named with its line.
    pub fn load(&mut self, path: &Path) -> Result<Notes, ConfigError> {
        self.file = Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        KEYS.load(path, self)
    }

    /// Sets what the file of TLS settings says: the one that `tls.config.file` names, or `/etc/rocketmq/tls.properties` if
    /// it exists. To be called last: this file wins, as in Apache.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_tls_file(&mut self) -> Result<Notes, ConfigError> {
        match self.network.tls.file() {
            Some(path) => Keys(&[TLS]).load(&path, self),
            None => Ok(Notes::default()),
        }
    }

    /// Sets what a text in properties syntax says.
    ///
    /// # Errors
    /// When a value has the wrong type; `self` may then be half changed.
    pub fn apply(&mut self, properties: &str) -> Result<Notes, ConfigError> {
        KEYS.apply_properties(properties, self)
    }

    /// The name a setting goes by here, whichever of its spellings `key` is.
    pub(super) fn canonical(key: &str) -> Option<&'static str> {
        KEYS.find(key).map(|key| key.name)
    }

    /// Every setting, in properties syntax.
    pub fn properties(&self) -> String {
        KEYS.properties(self)
    }

    /// The settings an operator looks at first, in properties syntax.
    pub fn important(&self) -> String {
        KEYS.important(self)
    }
}

/// Brokers of one cluster need different names, and machines have them already.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

const FLUSH: Words<FlushMode> = Words {
    words: &[("ASYNC_FLUSH", FlushMode::Async), ("SYNC_FLUSH", FlushMode::Sync)],
    expected: "ASYNC_FLUSH or SYNC_FLUSH",
};

/// Says what cannot be had here instead of ignoring it: someone who sets it counts on a second copy.
const ROLE: Words<()> = Words {
    words: &[("ASYNC_MASTER", ()), ("SYNC_MASTER", ())],
    expected: "ASYNC_MASTER or SYNC_MASTER: this broker does not replicate",
};

/// A provider of one's own that were ignored would leave the broker to other rules than its owner wrote.
const PROVIDER: Words<()> = Words {
    words: &[
        ("", ()),
        ("org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider", ()),
        ("org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider", ()),
        ("org.apache.rocketmq.auth.authentication.strategy.StatelessAuthenticationStrategy", ()),
        ("org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider", ()),
        ("org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider", ()),
        ("org.apache.rocketmq.auth.authorization.strategy.StatelessAuthorizationStrategy", ()),
    ],
    expected: "left out, or Apache's default class: this broker has its own and runs no other",
};

/// A key that may name the class that is built in.
const fn provider(name: &'static str) -> Key<BrokerConfig> {
    Key {
        name,
        aliases: &[],
        set: |_, text| PROVIDER.parse(text),
        show: |_| PROVIDER.show(&()),
        important: false,
        secret: false,
    }
}

const USER: LoginJson = LoginJson {
    user: "username",
    password: "password",
    expected: "JSON such as {\"username\":\"admin\",\"password\":\"secret\"}",
};

const CREDENTIALS: LoginJson = LoginJson {
    user: "accessKey",
    password: "secretKey",
    expected: "JSON such as {\"accessKey\":\"admin\",\"secretKey\":\"secret\"}",
};

const KEYS: Keys<BrokerConfig> = Keys(&[OWN, TLS]);

const TLS: &[Key<BrokerConfig>] = tls_keys!();

const OWN: &[Key<BrokerConfig>] = &[
    key!(important "brokerClusterName", Plain, behaviour.cluster),
    key!(important "brokerName", Plain, behaviour.broker_name),
    key!(important "brokerId", Plain, behaviour.broker_id),
    Key {
        name: "brokerRole",
        aliases: &[],
        set: |_, text| ROLE.parse(text),
        show: |_| ROLE.show(&()),
        important: true,
        secret: false,
    },
    key!(important "namesrvAddr", Addresses, name_servers),
    key!(important "brokerIP1", Optional, advertised_host),
    key!(important "listenPort" | "port", Plain, network.listen_port),
    key!(important "bindAddress", Plain, network.bind_address),
    key!("serverChannelMaxIdleTimeSeconds", SECONDS, network.idle),
    key!("shutdownWaitTimeSeconds", SECONDS, network.shutdown_wait),
    key!("trustedProxies", Plain, network.trusted_proxies),
    key!("registerNameServerPeriod", MILLIS, registration.period),
    key!("registerBrokerTimeoutMills", MILLIS, registration.timeout),
    key!("brokerPermission", Plain, behaviour.broker_permission),
    key!(important "autoCreateTopicEnable", Plain, behaviour.auto_create_topics),
    key!(important "autoCreateSubscriptionGroup", Plain, behaviour.auto_create_groups),
    key!(important "defaultTopicQueueNums", Plain, behaviour.default_topic_queues),
    key!("clusterTopicEnable", Plain, behaviour.cluster_topic),
    key!("brokerTopicEnable", Plain, behaviour.broker_topic),
    key!("traceTopicEnable" | "autoTraceBrokerEnable", Plain, behaviour.trace_topic),
    key!("msgTraceTopicName" | "msgTrackTopicName", Plain, behaviour.trace_topic_name),
    key!("traceOn", Plain, behaviour.trace_on),
    key!("regionId", Plain, behaviour.region),
    key!("maxMessageSize", Plain, behaviour.max_message_size),
    key!("rejectTransactionMessage", Plain, behaviour.reject_transactions),
    key!("rejectPullConsumerEnable", Plain, behaviour.reject_pull_consumers),
    key!("litePullMessageEnable", Plain, behaviour.lite_pull),
    key!(important "enablePropertyFilter", Plain, behaviour.property_filter),
    key!("storeReplyMessageEnable", Plain, behaviour.store_reply_messages),
    key!("useServerSideResetOffset", Plain, behaviour.server_side_reset),
    key!("recallMessageEnable", Plain, behaviour.recall),
    key!("enableMixedMessageType", Plain, behaviour.mixed_message_type),
    key!("longPollingEnable", Plain, behaviour.long_polling),
    key!("shortPollingTimeMills", MILLIS, behaviour.short_polling),
    key!("pullThreadPoolQueueCapacity", Plain, behaviour.max_parked_pulls),
    key!("maxTransferBytesOnMessageInMemory", Plain, behaviour.max_pull_bytes),
    key!("maxTransferCountOnMessageInMemory", Plain, behaviour.max_pull_messages),
    key!("accessMessageInMemoryMaxRatio", Plain, behaviour.in_memory_percent),
    key!("maxMsgsNumBatch", Plain, behaviour.max_query_messages),
    key!("notifyConsumerIdsChangedEnable", Plain, behaviour.notify_consumer_changes),
    key!("channelExpiredTimeout", MILLIS, behaviour.channel_expiry),
    key!("sendThreadPoolQueueCapacity", Plain, behaviour.max_waiting_sends),
    key!("startAcceptSendRequestTimeStamp", Plain, behaviour.accept_sends_from),
    key!("flushConsumerOffsetInterval", MILLIS, behaviour.persist_interval),
    key!("messageDelayLevel", Plain, behaviour.delay_levels),
    key!("timerWheelEnable", Plain, behaviour.timers),
    key!("timerMaxDelaySec", SECONDS, behaviour.timer_max_delay),
    key!("transactionTimeOut" | "transactionTimeout", MILLIS, behaviour.transaction_timeout),
    key!("transactionCheckInterval", MILLIS, behaviour.transaction_check_interval),
    key!("transactionCheckMax", Plain, behaviour.transaction_check_max),
    key!("reviveQueueNum", Plain, behaviour.revive_queues),
    key!("enableRetryTopicV2", Plain, behaviour.pop.retry_topic_v2),
    key!("retrieveMessageFromPopRetryTopicV1", Plain, behaviour.pop.read_retry_topic_v1),
    key!("popFromRetryProbability", Plain, behaviour.pop.retry_first_percent),
    key!("popResponseReturnActualRetryTopic", Plain, behaviour.pop.actual_retry_topic),
    key!("initPopOffsetByCheckMsgInMem", Plain, behaviour.pop.young_from_start),
    key!("popPollingSize", Plain, behaviour.pop.waiting_per_queue),
    key!("maxPopPollingSize", Plain, behaviour.pop.waiting),
    key!("aclEnable", Plain, behaviour.acl.plain),
    key!("rocketmqHome", Optional, behaviour.acl.home),
    key!("authenticationEnabled", Plain, behaviour.acl.authentication),
    key!("authenticationWhitelist", Codes, behaviour.acl.authentication_whitelist),
    key!(secret "initAuthenticationUser", USER, behaviour.acl.first_user),
    key!(secret "innerClientAuthenticationCredentials", CREDENTIALS, behaviour.acl.own_login),
    key!("authorizationEnabled", Plain, behaviour.acl.authorization),
    key!("authorizationWhitelist", Codes, behaviour.acl.authorization_whitelist),
    provider("authenticationProvider"),
    provider("authenticationMetadataProvider"),
    provider("authenticationStrategy"),
    provider("authorizationProvider"),
    provider("authorizationMetadataProvider"),
    provider("authorizationStrategy"),
    key!(important "storePathRootDir", Plain, store.root),
    key!("storePathCommitLog", Optional, store.commit_log_dir),
    key!(important "flushDiskType", FLUSH, store.flush_mode),
    key!("syncFlushTimeout", MILLIS, behaviour.sync_flush_timeout),
    key!("flushIntervalCommitLog", MILLIS, store.flush_interval),
    key!("flushIntervalConsumeQueue", MILLIS, store.queue_write_interval),
    key!("flushConsumeQueueThoroughInterval", MILLIS, store.queue_flush_interval),
    key!("mappedFileSizeCommitLog" | "mapedFileSizeCommitLog", Plain, store.commit_log_file_size),
    key!("mappedFileSizeConsumeQueue" | "mapedFileSizeConsumeQueue", QueueFileBytes, store.queue_file_units),
    key!("messageIndexEnable", Plain, store.index_enabled),
    key!("maxHashSlotNum", Plain, store.index_slots),
    key!("maxIndexNum", Plain, store.index_entries),
    key!("checkCRCOnRecover", Plain, store.check_crc_on_recover),
    key!(important "fileReservedTime", HOURS, store.file_reserved),
    key!(important "deleteWhen", HoursOfDay, store.delete_hours),
    key!("cleanResourceInterval", MILLIS, store.clean_interval),
    key!("deleteFileBatchMax", Plain, store.delete_batch),
    key!("diskMaxUsedSpaceRatio", Percent, store.disk_max_used),
    key!("diskSpaceCleanForciblyRatio", Percent, store.disk_clean_forcibly),
    key!("diskSpaceWarningLevelRatio", Percent, store.disk_warning),
    key!("configBlackList", Plain, black_list),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsMode;
    use std::time::Duration;

    /// What a script that runs Apache's broker writes for it.
    const APACHE_FILE: &str = "listenPort=20911\nnamesrvAddr=127.0.0.1:19876\nbrokerIP1=127.0.0.1\n\
        brokerIP2=127.0.0.1\nbindAddress=127.0.0.1\nbrokerClusterName=DefaultCluster\nbrokerName=broker-a\n\
        storePathRootDir=/data/s\nstorePathCommitLog=/data/s/commitlog\nautoCreateTopicEnable=true\n\
        mapedFileSizeCommitLog=134217728\nmappedFileSizeCommitLog=134217728\ndiskMaxUsedSpaceRatio=95\n\
        enablePropertyFilter=true\ntimerWheelEnable=true\n";

    #[test]
    fn the_file_apaches_own_broker_starts_with_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.conf");
        std::fs::write(&path, APACHE_FILE).unwrap();
        let mut config = BrokerConfig::default();
        let notes = config.load(&path).unwrap();
        assert_eq!(notes.warnings(), ["these settings of Apache's do nothing here: brokerIP2"]);
        assert_eq!(config.network.listen_port, 20911);
        assert_eq!(config.name_servers, ["127.0.0.1:19876"]);
        assert_eq!(config.store.commit_log_file_size, 134_217_728);
        assert_eq!(config.store.commit_log_dir(), Path::new("/data/s/commitlog"));
        assert!((config.store.disk_max_used - 0.95).abs() < f64::EPSILON);
    }

    #[test]
    fn the_old_spelling_alone_works_too() {
        let mut config = BrokerConfig::in_folder("s");
        config.apply("mapedFileSizeCommitLog=1048576\nmapedFileSizeConsumeQueue=200\n").unwrap();
        assert_eq!((config.store.commit_log_file_size, config.store.queue_file_units), (1_048_576, 10));
    }

    #[test]
    fn a_printed_configuration_reads_back_as_itself() {
        let mut config = BrokerConfig::in_folder("/data/store");
        config.apply("flushDiskType=SYNC_FLUSH\ndeleteWhen=04;16\nfileReservedTime=48\n").unwrap();
        let mut read = BrokerConfig::default();
        assert_eq!(read.apply(&config.properties()).unwrap(), Notes::default());
        assert_eq!(read.properties(), config.properties());
        assert_eq!(read.store.delete_hours, [4, 16]);
        assert_eq!(read.store.file_reserved, Duration::from_secs(48 * 3600));
    }

    #[test]
    fn the_settings_of_tls_come_from_a_file_of_their_own_which_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.properties");
        std::fs::write(
            &path,
            "tls.server.certPath=/c.pem\ntls.server.keyPassword=pw-7\ntls.client.authServer=false\n",
        )
        .unwrap();
        let mut config = BrokerConfig::in_folder("s");
        let own = format!(
            "tls.config.file={}\ntls.server.certPath=/d.pem\ntls.server.mode=enforcing\n",
            path.display()
        );
        config.apply(&own).unwrap();
        assert_eq!(config.load_tls_file().unwrap(), Notes::default());
        let tls = &config.network.tls;
        assert_eq!((tls.mode, tls.certificate.as_deref()), (TlsMode::Enforcing, Some(Path::new("/c.pem"))));
        assert!(tls.is_outgoing() && !tls.verify);
        assert_eq!(tls.key_password.as_deref(), Some("pw-7"));
        assert!(!config.properties().contains("pw-7") && !format!("{config:?}").contains("pw-7"));
        let error = config.apply("tls.server.mode=strict\n").unwrap_err().to_string();
        assert!(error.contains("permissive, enforcing or disabled"), "{error}");
    }

    #[test]
    fn replication_is_refused_rather_than_ignored() {
        let error = BrokerConfig::in_folder("s").apply("brokerRole=SLAVE\n").unwrap_err().to_string();
        assert!(
            error.contains("`brokerRole` is \"SLAVE\"") && error.contains("does not replicate"),
            "{error}"
        );
    }

    #[test]
    fn access_control_as_apaches_file_has_it_and_no_secret_in_what_is_printed() {
        let mut config = BrokerConfig::in_folder("s");
        let text = "authenticationEnabled=true\nauthorizationWhitelist=28, 38\n\
            authorizationMetadataProvider=org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider\n\
            initAuthenticationUser={\"username\":\"admin\",\"password\":\"hush-hush\"}\n\
            innerClientAuthenticationCredentials={\"accessKey\":\"admin\",\"secretKey\":\"hush-hush\"}\n";
        assert_eq!(config.apply(text).unwrap(), Notes::default());
        let acl = &config.behaviour.acl;
        assert_eq!((acl.authentication, acl.authorization_whitelist.as_slice()), (true, &[28, 38][..]));
        let login = acl.first_user.as_ref().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("admin", "hush-hush"));
        assert_eq!(acl.own_login, acl.first_user);
        assert!(!config.properties().contains("hush-hush") && !format!("{config:?}").contains("hush-hush"));
        assert!(config.properties().contains("admin"));
        for bad in [
            "initAuthenticationUser=admin",
            "initAuthenticationUser={\"username\":\"admin\"}",
            "authenticationProvider=com.example.Own",
        ] {
            assert!(config.apply(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_server_without_a_port_is_refused() {
        let error = BrokerConfig::in_folder("s").apply("namesrvAddr=localhost\n").unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:9876;192.168.0.1:9876"), "{error}");
    }
}
