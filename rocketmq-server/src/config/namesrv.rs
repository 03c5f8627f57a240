//! Settings of the name server, under Apache's names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::ConfigError;
use super::key::{Key, Keys, key};
use super::kind::{Hidden, Kind, MILLIS, Optional, Plain, SECONDS, SECONDS_OR_NONE, Within, within};
use super::network::NetworkConfig;
use super::notes::Notes;
use super::tls::{CLIENT_AUTH, MODE, tls_keys};
use super::update::Rules;
use crate::broker::UpdateError;

/// Settings of one name server. Every default is Apache's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamesrvConfig {
    /// The network. Default: port 9876.
    pub network: NetworkConfig,
    /// The file that keeps the key-value configuration; `None` keeps it in memory only.
    pub kv_path: Option<PathBuf>,
    /// The file that `updateNamesrvConfig` rewrites; `None` keeps changes in memory only.
    pub config_path: Option<PathBuf>,
    /// The file that [`load`](Self::load) read; what tools change while the name server runs is remembered there.
    pub file: Option<PathBuf>,
    /// The settings that can change while the name server runs.
    pub live: NamesrvLive,
}

/// Settings of a name server that can change while it runs. Every default is Apache's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamesrvLive {
    /// The interval in which silent brokers are looked for. Default: 5 s.
    pub scan_interval: Duration,
    /// Answer routes with `orderTopicConf`. Default: off.
    pub order_messages: bool,
    /// Tell registering brokers which topics are ordered. Default: on.
    pub return_order_topics: bool,
    /// A slave may stand in for its master. Default: off.
    pub acting_master: bool,
    /// A registration removes the topics it does not list. Default: off.
    pub delete_missing_topics: bool,
    /// Serve the list of all topics. Default: on.
    pub all_topic_list: bool,
    /// Serve the other topic lists. Default: on.
    pub topic_list: bool,
    /// Answer no route until `wait_for_service` after the start, so that brokers can register first. Default: off.
    pub need_wait_for_service: bool,
    /// Default: 45 s.
    pub wait_for_service: Duration,
    /// Keys, joined by semicolons, that no admin may change.
    pub black_list: String,
}

impl Default for NamesrvConfig {
    fn default() -> Self {
        Self {
            network: NetworkConfig::on_port(Self::DEFAULT_PORT),
            kv_path: in_home("kvConfig.json"),
            config_path: in_home("namesrv.properties"),
            file: None,
            live: NamesrvLive::default(),
        }
    }
}

impl Default for NamesrvLive {
    fn default() -> Self {
        Self {
            scan_interval: Duration::from_secs(5),
            order_messages: false,
            return_order_topics: true,
            acting_master: false,
            delete_missing_topics: false,
            all_topic_list: true,
            topic_list: true,
            need_wait_for_service: false,
            wait_for_service: Duration::from_secs(45),
            black_list: "configBlackList;configStorePath;kvConfigPath".into(),
        }
    }
}

fn in_home(file: &str) -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join("namesrv").join(file))
}

const KEYS: Keys<NamesrvConfig> = Keys(&[OWN, TLS]);

const TLS: &[Key<NamesrvConfig>] = tls_keys!();

const OWN: &[Key<NamesrvConfig>] = &[
    key!(important "listenPort", Plain, network.listen_port),
    key!(important "bindAddress", Plain, network.bind_address),
    key!("serverChannelMaxIdleTimeSeconds", SECONDS, network.idle),
    key!("shutdownWaitTimeSeconds", SECONDS_OR_NONE, network.shutdown_wait),
    key!("trustedProxies", Plain, network.trusted_proxies),
    key!("maxConnections", within!(1, 10000000), network.max_connections),
    key!("maxConnectionMemory", within!(16777216, 1099511627776), network.max_connection_memory),
    key!(important "kvConfigPath", Optional, kv_path),
    key!(important "configStorePath", Optional, config_path),
    key!("scanNotActiveBrokerInterval", MILLIS, live.scan_interval),
    key!("orderMessageEnable", Plain, live.order_messages),
    key!("returnOrderTopicConfigToBroker", Plain, live.return_order_topics),
    key!("supportActingMaster", Plain, live.acting_master),
    key!("deleteTopicWithBrokerRegistration", Plain, live.delete_missing_topics),
    key!("enableAllTopicList", Plain, live.all_topic_list),
    key!("enableTopicList", Plain, live.topic_list),
    key!("needWaitForService", Plain, live.need_wait_for_service),
    key!("waitSecondsForService", SECONDS_OR_NONE, live.wait_for_service),
    key!("configBlackList", Plain, live.black_list),
];

impl NamesrvConfig {
    /// The port clients look for a name server on.
    pub const DEFAULT_PORT: u16 = 9876;

    /// Settings for a name server that leaves nothing behind: loopback, any port, no files.
    pub fn ephemeral() -> Self {
        Self { network: NetworkConfig::loopback(), kv_path: None, config_path: None, ..Self::default() }
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
        self.apply_from("the settings", properties)
    }

    /// Sets what a text in properties syntax says, which came from `place`, as people are told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_from(&mut self, place: &str, properties: &str) -> Result<Notes, ConfigError> {
        KEYS.apply_text(place, properties, self)
    }

    /// Takes what a tool sent, in properties syntax, and remembers it in the file the name server was started with.
    ///
    /// # Errors
    /// A protected key, one that nobody knows or that has no effect, a value that does not fit, settings with which the name
    /// server would not start (which `check` says), a file that cannot be written; `self` is as it was then.
    pub fn update(
        &mut self,
        properties: &str,
        check: impl Fn(&Self) -> Result<(), String>,
    ) -> Result<(), UpdateError> {
        let black_list = format!("rocketmqHome;{}", self.live.black_list);
        let rules = Rules { black_list: &black_list, file: self.file.as_deref(), check: &check };
        *self = KEYS.updated(self, properties, &rules)?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_file_apaches_own_name_server_starts_with_is_understood() {
        let (_folder, path) =
            write("namesrv.conf", "listenPort=19876\nbindAddress=127.0.0.1\nkvConfigPath=/tmp/kv.json\n");
        let mut config = NamesrvConfig::default();
        let notes = config.load(&path).unwrap();
        assert_eq!(notes, Notes::default());
        assert_eq!(config.network.listen_port, 19876);
        assert!(config.network.bind_address.is_loopback());
        assert_eq!(config.kv_path, Some(PathBuf::from("/tmp/kv.json")));
    }

    #[test]
    fn what_does_nothing_and_what_nobody_knows_are_told_apart() {
        let mut config = NamesrvConfig::default();
        let notes = config.apply("serverWorkerThreads=8\nlistenProt=1\nqwertz=2\n").unwrap();
        assert_eq!(notes.inert[0].key, "serverWorkerThreads");
        assert_eq!(
            notes.warnings(),
            [
                "`serverWorkerThreads` has no effect: requests are handled as they are read: there are no pools of \
                 threads, and no queues in front of them",
                "the settings: unknown setting `listenProt`; did you mean `listenPort`?",
                "the settings: unknown setting `qwertz`",
            ]
        );
    }

    #[test]
    fn every_wrong_value_is_named_with_its_file_line_and_remedy() {
        let (_folder, path) = write("n.toml", "listenPort = 70000\nenableTopicList = 1\n");
        let error = NamesrvConfig::default().load(&path).unwrap_err().to_string();
        let file = path.display();
        assert_eq!(
            error,
            format!(
                "{file} line 1: `listenPort` is \"70000\", but must be a number from 0 to 65535\n\
                 {file} line 2: `enableTopicList` is \"1\", but must be true or false"
            )
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = NamesrvConfig::default().load(Path::new("/nowhere/n.conf")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/n.conf"), "{error}");
    }

    #[test]
    fn a_printed_configuration_reads_back_as_itself() {
        let mut config = NamesrvConfig::ephemeral();
        config.live.order_messages = true;
        let mut read = NamesrvConfig::default();
        assert_eq!(read.apply(&config.properties()).unwrap(), Notes::default());
        assert_eq!(read, config);
        assert!(config.important().starts_with("listenPort=0\n"));
    }
}
