//! Settings of the broker, under Apache's names.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::key::{Key, Keys, key};
use super::kind::{
    Addresses, Codes, HOURS, Hidden, Host, HoursOfDay, Kind, LoginJson, MILLIS, MILLIS_OR_NONE, Name,
    Optional, Percent, Plain, QueueFileBytes, SECONDS, SECONDS_OR_NONE, TopicName, Within, Words, only,
    within,
};
use super::network::NetworkConfig;
use super::notes::Notes;
use super::tls::{CLIENT_AUTH, MODE, tls_keys};
use super::update::Rules;
use crate::broker::{Apache, MAX_QUEUES, Role, Settings, UpdateError};
use crate::registration::Timing;
use crate::store::FlushMode;

/// Settings of one broker: its network, its presence at the name servers, its behaviour, its store.
///
/// Keys are Apache's. A mistake in them is an error that names key, value and place; an unknown or useless key is a warning.
///
/// ```
/// use rocketmq_server::config::BrokerConfig;
///
/// let mut config = BrokerConfig::loopback("/tmp/store");
/// let notes = config.apply("brokerName=broker-x\nfileReservedTime=48\nbrokerNam=y\n")?;
/// assert_eq!(config.settings.fixed.broker_name, "broker-x");
/// assert!(notes.warnings()[0].contains("brokerNam"));
///
/// let error = config.apply("fileReservedTime=two days\n").unwrap_err().to_string();
/// assert!(error.contains("fileReservedTime"), "{error}");
/// # Ok::<(), rocketmq_server::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BrokerConfig {
    /// The network. Default: port 10911.
    pub network: NetworkConfig,
    /// Listen on the port two below as well, for clients that use the VIP channel. Default: on.
    pub vip_port: bool,
    /// The name servers to register with, as `host:port`. If there are none, the broker serves those who know its address.
    pub name_servers: Vec<String>,
    /// When to register.
    pub registration: Timing,
    /// The host that clients are told to dial. Default: this machine's first address that is not loopback.
    pub advertised_host: Option<String>,
    /// The settings of the broker and its store.
    pub settings: Settings,
    /// The file that [`load`](Self::load) read; what tools change while the broker runs is remembered there.
    pub file: Option<PathBuf>,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        let root = std::env::home_dir().unwrap_or_default().join("store");
        let mut config = Self::in_folder(root);
        if let Some(name) = host_name() {
            config.settings.fixed.broker_name = name;
        }
        config
    }
}

impl BrokerConfig {
    /// The port clients know a broker by.
    pub const DEFAULT_PORT: u16 = 10911;

    /// The defaults, with the store in `root`.
    pub fn in_folder(root: impl Into<PathBuf>) -> Self {
        Self {
            network: NetworkConfig::on_port(Self::DEFAULT_PORT),
            vip_port: true,
            name_servers: Vec::new(),
            registration: Timing::default(),
            advertised_host: None,
            settings: Settings::new(root),
            file: None,
        }
    }

    /// Settings for a broker that only this machine reaches, on a port the system chooses.
    ///
    /// Its store is a guest on the machine's disk: as long as [`ENOUGH_FREE`](Self::ENOUGH_FREE) bytes are left, it takes
    /// messages however full the disk is, unless a ratio is set.
    pub fn loopback(root: impl Into<PathBuf>) -> Self {
        let mut config = Self {
            network: NetworkConfig::loopback(),
            vip_port: false,
            advertised_host: Some("127.0.0.1".into()),
            ..Self::in_folder(root)
        };
        config.settings.live.store.disk_enough_free = Some(Self::ENOUGH_FREE);
        config
    }

    /// Free bytes that are enough for a broker on a developer's machine: 1 GiB, as long as a file of the commit log.
    pub const ENOUGH_FREE: u64 = 1 << 30;

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
        self.apply_from("the settings", properties)
    }

    /// Sets what a text in properties syntax says, which came from `place`, as people are told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_from(&mut self, place: &str, properties: &str) -> Result<Notes, ConfigError> {
        KEYS.apply_text(place, properties, self)
    }

    /// Takes what a tool sent, in properties syntax, and remembers it in the file the broker was started with.
    ///
    /// # Errors
    /// A protected key, one that nobody knows or that has no effect, a value that does not fit, settings with which the
    /// broker would not start (by this type's own rules and by `check`), a file that cannot be written; `self` is as it was
    /// then.
    pub fn update(
        &mut self,
        properties: &str,
        check: impl Fn(&Self) -> Result<(), String>,
    ) -> Result<(), UpdateError> {
        let check = |changed: &Self| changed.settings.check().and_then(|()| check(changed));
        let rules =
            Rules { black_list: &self.settings.live.black_list, file: self.file.as_deref(), check: &check };
        *self = KEYS.updated(self, properties, &rules)?;
        Ok(())
    }

    /// Every setting, in properties syntax.
    pub fn properties(&self) -> String {
        KEYS.properties(self) + EXPECTED_BY_TOOLS
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

/// The broker refuses providers of others: if it ignored one, it would follow other rules than its owner wrote.
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

/// The roles that this broker can play. A slave would be a copy that does not follow.
const ROLE: Words<Role> = Words {
    words: &[("ASYNC_MASTER", Role::AsyncMaster), ("SYNC_MASTER", Role::SyncMaster)],
    expected: "ASYNC_MASTER or SYNC_MASTER: this broker does not replicate",
};

const APACHE: Words<Apache> = Words {
    words: &[("5.4.0", Apache::V5_4_0), ("4.9.7", Apache::V4_9_7)],
    expected: "5.4.0 or 4.9.7, the versions of Apache's broker that this one can stand in for",
};

/// The owner of a broker who switches this on counts on a second copy of each message.
const NO_REPLICAS: Words<()> = only(&[("false", ())], "false: this broker does not replicate");

const NO_PLUG_IN: Words<()> = only(&[("", ())], "left out: this broker runs no stores of others");

/// A setting that has one value here: any other would be a promise that is not kept.
macro_rules! refused {
    ($name:literal, $words:expr) => {
        Key {
            name: $name,
            aliases: &[],
            set: |_, text| $words.parse(text),
            show: |_| $words.show(&()),
            important: false,
            secret: false,
            live: false,
        }
    };
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

/// Lines that mqadmin 4.9.7 expects in the settings of every broker. They hold for this one.
const EXPECTED_BY_TOOLS: &str = "filterServerNums=0\nslaveReadEnable=false\n";

/// Every queue costs memory, and requests go through all of a topic.
const QUEUES: Within<i32> = Within { least: 1, most: MAX_QUEUES, expected: "a whole number from 1 to 65536" };

const KEYS: Keys<BrokerConfig> = Keys(&[OWN, TLS]);

const TLS: &[Key<BrokerConfig>] = tls_keys!();

const OWN: &[Key<BrokerConfig>] = &[
    key!(important "brokerClusterName", Name, settings.fixed.cluster),
    key!(important "brokerName", Name, settings.fixed.broker_name),
    key!(important "brokerId", within!(0, 9223372036854775807), settings.fixed.broker_id),
    key!(important "brokerRole", ROLE, settings.fixed.role),
    key!("apacheVersion", APACHE, settings.fixed.apache_version),
    key!("inSyncReplicas", within!(0, 2147483647), settings.live.in_sync_replicas),
    key!("slaveTimeout", MILLIS, settings.live.slave_timeout),
    refused!("enableDLegerCommitLog", NO_REPLICAS),
    refused!("enableControllerMode", NO_REPLICAS),
    refused!("duplicationEnable", NO_REPLICAS),
    refused!("messageStorePlugIn", NO_PLUG_IN),
    key!(important "namesrvAddr", Addresses, name_servers),
    key!(important "brokerIP1", Host, advertised_host),
    key!(important "listenPort" | "port", Plain, network.listen_port),
    key!(important "bindAddress", Plain, network.bind_address),
    key!("serverChannelMaxIdleTimeSeconds", SECONDS, network.idle),
    key!("shutdownWaitTimeSeconds", SECONDS_OR_NONE, network.shutdown_wait),
    key!("trustedProxies", Plain, network.trusted_proxies),
    key!("maxConnections", within!(1, 10000000), network.max_connections),
    key!("maxConnectionMemory", within!(16777216, 1099511627776), network.max_connection_memory),
    // Before `tls.enable`, which says it more exactly.
    Key {
        name: "useTLS",
        aliases: &[],
        set: |config, text| {
            config.network.tls.outgoing = Some(Kind::<bool>::parse(&Plain, text)?);
            Ok(())
        },
        show: |config| config.network.tls.is_outgoing().to_string(),
        important: false,
        secret: false,
        live: false,
    },
    key!("registerNameServerPeriod", MILLIS, registration.period),
    key!("registerBrokerTimeoutMills", MILLIS, registration.timeout),
    key!("brokerPermission", within!(0, 7), settings.live.broker_permission),
    key!(important "autoCreateTopicEnable", Plain, settings.live.auto_create_topics),
    key!(important "autoCreateSubscriptionGroup", Plain, settings.live.auto_create_groups),
    key!(important "defaultTopicQueueNums", QUEUES, settings.fixed.default_topic_queues),
    key!("clusterTopicEnable", Plain, settings.fixed.cluster_topic),
    key!("brokerTopicEnable", Plain, settings.fixed.broker_topic),
    key!("traceTopicEnable" | "autoTraceBrokerEnable", Plain, settings.fixed.trace_topic),
    key!("msgTraceTopicName" | "msgTrackTopicName", TopicName, settings.fixed.trace_topic_name),
    key!("traceOn", Plain, settings.fixed.trace_on),
    key!("regionId", Name, settings.fixed.region),
    key!("maxMessageSize", within!(1, 1073741824), settings.live.max_message_size),
    key!("rejectTransactionMessage", Plain, settings.live.reject_transactions),
    key!("rejectPullConsumerEnable", Plain, settings.live.reject_pull_consumers),
    key!("litePullMessageEnable", Plain, settings.live.lite_pull),
    key!(important "enablePropertyFilter", Plain, settings.live.property_filter),
    key!("storeReplyMessageEnable", Plain, settings.live.store_reply_messages),
    key!("useServerSideResetOffset", Plain, settings.live.server_side_reset),
    key!("recallMessageEnable", Plain, settings.live.recall),
    key!("enableMixedMessageType", Plain, settings.live.mixed_message_type),
    key!("longPollingEnable", Plain, settings.live.long_polling),
    key!("shortPollingTimeMills", MILLIS, settings.live.short_polling),
    key!("pullThreadPoolQueueCapacity", within!(0, 2147483647), settings.live.max_parked_pulls),
    key!("maxTransferBytesOnMessageInMemory", within!(1, 2147483647), settings.live.max_pull_bytes),
    key!("maxTransferCountOnMessageInMemory", within!(1, 2147483647), settings.live.max_pull_messages),
    key!("accessMessageInMemoryMaxRatio", within!(0, 100), settings.live.in_memory_percent),
    key!("maxMsgsNumBatch", within!(1, 2147483647), settings.live.max_query_messages),
    key!("notifyConsumerIdsChangedEnable", Plain, settings.live.notify_consumer_changes),
    key!("channelExpiredTimeout", MILLIS, settings.live.channel_expiry),
    key!("sendThreadPoolQueueCapacity", within!(1, 2147483647), settings.live.max_waiting_sends),
    key!("startAcceptSendRequestTimeStamp", Plain, settings.live.accept_sends_from),
    key!("flushConsumerOffsetInterval", MILLIS, settings.live.persist_interval),
    key!("messageDelayLevel", Plain, settings.fixed.delay_levels),
    key!("timerWheelEnable", Plain, settings.fixed.timers),
    key!("timerMaxDelaySec", SECONDS, settings.live.timer_max_delay),
    key!("transactionTimeOut" | "transactionTimeout", MILLIS_OR_NONE, settings.live.transaction_timeout),
    key!("transactionCheckInterval", MILLIS, settings.live.transaction_check_interval),
    key!("transactionCheckMax", within!(1, 2147483647), settings.live.transaction_check_max),
    key!("reviveQueueNum", QUEUES, settings.fixed.revive_queues),
    key!("enableRetryTopicV2", Plain, settings.live.pop.retry_topic_v2),
    key!("retrieveMessageFromPopRetryTopicV1", Plain, settings.live.pop.read_retry_topic_v1),
    key!("popFromRetryProbability", within!(0, 100), settings.live.pop.retry_first_percent),
    key!("popResponseReturnActualRetryTopic", Plain, settings.live.pop.actual_retry_topic),
    key!("initPopOffsetByCheckMsgInMem", Plain, settings.live.pop.young_from_start),
    key!("popPollingSize", within!(0, 2147483647), settings.live.pop.waiting_per_queue),
    key!("maxPopPollingSize", within!(0, 2147483647), settings.live.pop.waiting),
    key!("aclEnable", Plain, settings.fixed.acl.plain),
    key!("rocketmqHome", Optional, settings.fixed.acl.home),
    key!("authenticationEnabled", Plain, settings.fixed.acl.authentication),
    key!("authenticationWhitelist", Codes, settings.fixed.acl.authentication_whitelist),
    key!(secret "initAuthenticationUser", USER, settings.fixed.acl.first_user),
    key!(secret "innerClientAuthenticationCredentials", CREDENTIALS, settings.fixed.acl.own_login),
    key!("authorizationEnabled", Plain, settings.fixed.acl.authorization),
    key!("authorizationWhitelist", Codes, settings.fixed.acl.authorization_whitelist),
    refused!("authenticationProvider", PROVIDER),
    refused!("authenticationMetadataProvider", PROVIDER),
    refused!("authenticationStrategy", PROVIDER),
    refused!("authorizationProvider", PROVIDER),
    refused!("authorizationMetadataProvider", PROVIDER),
    refused!("authorizationStrategy", PROVIDER),
    key!(important "storePathRootDir", Plain, settings.fixed.store.root),
    key!("storePathCommitLog", Optional, settings.fixed.store.commit_log_dir),
    key!(important "flushDiskType", FLUSH, settings.live.store.flush_mode),
    key!("syncFlushTimeout", MILLIS, settings.live.sync_flush_timeout),
    key!("flushIntervalCommitLog", MILLIS, settings.fixed.store.flush_interval),
    key!("flushIntervalConsumeQueue", MILLIS, settings.fixed.store.queue_write_interval),
    key!("flushConsumeQueueThoroughInterval", MILLIS, settings.fixed.store.queue_flush_interval),
    key!(
        "mappedFileSizeCommitLog" | "mapedFileSizeCommitLog",
        within!(65536, 1099511627776),
        settings.fixed.store.commit_log_file_size
    ),
    key!(
        "mappedFileSizeConsumeQueue" | "mapedFileSizeConsumeQueue",
        QueueFileBytes,
        settings.fixed.store.queue_file_units
    ),
    key!("messageIndexEnable", Plain, settings.fixed.store.index_enabled),
    key!("maxHashSlotNum", within!(1, 500000000), settings.fixed.store.index_slots),
    key!("maxIndexNum", within!(2, 500000000), settings.fixed.store.index_entries),
    key!("checkCRCOnRecover", Plain, settings.fixed.store.check_crc_on_recover),
    key!(important "fileReservedTime", HOURS, settings.live.store.file_reserved),
    key!(important "deleteWhen", HoursOfDay, settings.live.store.delete_hours),
    key!("cleanResourceInterval", MILLIS, settings.fixed.store.clean_interval),
    key!("deleteFileBatchMax", within!(1, 2147483647), settings.live.store.delete_batch),
    key!("diskMaxUsedSpaceRatio", Percent, settings.live.store.disk_max_used),
    key!("cleanFileForciblyEnable", Plain, settings.live.store.clean_forcibly),
    key!("diskSpaceCleanForciblyRatio", Percent, settings.live.store.disk_clean_forcibly),
    key!("diskSpaceWarningLevelRatio", Percent, settings.live.store.disk_warning),
    key!("configBlackList", Plain, settings.live.black_list),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsMode;
    use std::time::Duration;

    /// A file that a script writes for Apache's broker.
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
        let [warning] = &notes.warnings()[..] else { panic!("{notes:?}") };
        assert!(warning.starts_with("`brokerIP2` has no effect: it makes no copies"), "{warning}");
        assert_eq!(config.network.listen_port, 20911);
        assert_eq!(config.name_servers, ["127.0.0.1:19876"]);
        assert_eq!(config.settings.fixed.store.commit_log_file_size, 134_217_728);
        assert_eq!(config.settings.fixed.store.commit_log_dir(), Path::new("/data/s/commitlog"));
        assert!((config.settings.live.store.disk_max_used - 0.95).abs() < f64::EPSILON);
    }

    fn load(bytes: &[u8]) -> Result<BrokerConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broker.conf");
        std::fs::write(&path, bytes).unwrap();
        let mut config = BrokerConfig::in_folder(folder.path());
        assert_eq!(config.load(&path)?, Notes::default());
        Ok(config)
    }

    #[test]
    fn a_file_that_an_editor_of_another_system_wrote_is_read() {
        let marked = load(b"\xEF\xBB\xBFbrokerName=b\r\nbrokerId=0\r\n").unwrap();
        assert_eq!(marked.settings.fixed.broker_name, "b");
        let gbk = load(b"# \xD6\xD0\xCE\xC4\nbrokerName=b\n").unwrap();
        assert_eq!(gbk.settings.fixed.broker_name, "b");
        let unclear = load(b"brokerName=b\nregionId=\xD6\xD0\n").unwrap_err().to_string();
        assert!(unclear.contains("line 2") && unclear.contains("save the file as UTF-8"), "{unclear}");
        let wide = load(b"\xFF\xFEb\0").unwrap_err().to_string();
        assert!(wide.contains("UTF-16"), "{wide}");
    }

    #[test]
    fn the_old_spelling_alone_works_too() {
        let mut config = BrokerConfig::in_folder("s");
        config.apply("mapedFileSizeCommitLog=1048576\nmapedFileSizeConsumeQueue=200\n").unwrap();
        assert_eq!(
            (config.settings.fixed.store.commit_log_file_size, config.settings.fixed.store.queue_file_units),
            (1_048_576, 10)
        );
    }

    #[test]
    fn a_printed_configuration_reads_back_as_itself() {
        let printed = BrokerConfig::in_folder("/data/store").properties();
        for expected_by_tools in ["slaveReadEnable=false", "filterServerNums=0", "useTLS=false"] {
            assert!(printed.lines().any(|line| line == expected_by_tools), "{expected_by_tools}");
        }
        let mut config = BrokerConfig::in_folder("/data/store");
        config.apply("flushDiskType=SYNC_FLUSH\ndeleteWhen=04;16\nfileReservedTime=48\n").unwrap();
        let mut read = BrokerConfig::default();
        assert_eq!(read.apply(&config.properties()).unwrap(), Notes::default());
        assert_eq!(read.properties(), config.properties());
        assert_eq!(read.settings.live.store.delete_hours, [4, 16]);
        assert_eq!(read.settings.live.store.file_reserved, Duration::from_secs(48 * 3600));
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
        let acl = &config.settings.fixed.acl;
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
