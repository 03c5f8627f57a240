//! `[rocketmq.client]`: the settings that all producers and consumers share, under the names of Java's `ClientConfig`.

use super::parse;
use super::section::Section;
use super::set;
use rocketmq_client::ClientConfig;
use std::net::IpAddr;
use std::time::Duration;

/// Settings of the clients of an application: one for each cluster and access.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.client.persist_consumer_offset_interval = Some(std::time::Duration::from_secs(1)));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientProperties {
    /// `client-ip`: the address in the client id. Default: the local one that faces the first name server.
    pub client_ip: Option<IpAddr>,
    /// `unit-name`: appended to the client id and to the URL of an address server. Default: none.
    pub unit_name: Option<String>,
    /// `unit-mode`: marks heartbeats and sends for deployments of several units. Default: false.
    pub unit_mode: Option<bool>,
    /// `vip-channel-enabled`: send to the broker's port - 2. Default: false.
    pub vip_channel_enabled: Option<bool>,
    /// `use-heartbeat-v2`: leave out of heartbeats what the broker (5.x) knows. Default: false.
    pub use_heartbeat_v2: Option<bool>,
    /// `poll-name-server-interval`: between two looks at the routes in use. Default: 30 s.
    pub poll_name_server_interval: Option<Duration>,
    /// `heartbeat-broker-interval`. Default: 30 s; brokers forget a client after 120 s.
    pub heartbeat_broker_interval: Option<Duration>,
    /// `persist-consumer-offset-interval`: between two commits of what was consumed. Default: 5 s.
    pub persist_consumer_offset_interval: Option<Duration>,
    /// `mq-client-api-timeout`: how long a route, heartbeat or membership call may take. Default: 3 s.
    pub mq_client_api_timeout: Option<Duration>,
}

impl ClientProperties {
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        ClientProperties {
            client_ip: section.read("client-ip", parse::address),
            unit_name: section.text("unit-name"),
            unit_mode: section.switch("unit-mode"),
            vip_channel_enabled: section.switch("vip-channel-enabled"),
            use_heartbeat_v2: section.switch("use-heartbeat-v2"),
            poll_name_server_interval: section.read("poll-name-server-interval", parse::interval),
            heartbeat_broker_interval: section.read("heartbeat-broker-interval", parse::interval),
            persist_consumer_offset_interval: section
                .read("persist-consumer-offset-interval", parse::interval),
            mq_client_api_timeout: section.read("mq-client-api-timeout", parse::interval),
        }
    }

    /// Sets the configured values; others keep the client's default.
    pub(crate) fn apply(&self, config: &mut ClientConfig) {
        config.client_ip = self.client_ip.or(config.client_ip);
        config.unit_name = self.unit_name.clone().or(config.unit_name.take());
        set(&mut config.unit_mode, self.unit_mode);
        set(&mut config.vip_channel, self.vip_channel_enabled);
        set(&mut config.heartbeat_v2, self.use_heartbeat_v2);
        set(&mut config.route_refresh, self.poll_name_server_interval);
        set(&mut config.heartbeat_interval, self.heartbeat_broker_interval);
        set(&mut config.persist_offset_interval, self.persist_consumer_offset_interval);
        set(&mut config.api_timeout, self.mq_client_api_timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::Sources;
    use super::*;

    fn read(toml: &str) -> (ClientConfig, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let properties = ClientProperties::read(Section::new(&sources, "rocketmq.client", &mut mistakes));
        let mut config = ClientConfig::default();
        properties.apply(&mut config);
        (config, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_key_reaches_the_client() {
        let (config, mistakes) = read(
            "[rocketmq.client]\nclient-ip='10.1.2.3'\nunit-name='u1'\nunit-mode=true\nvip-channel-enabled=true\n\
             use-heartbeat-v2=true\npoll-name-server-interval=10000\nheartbeat-broker-interval='11s'\n\
             persist-consumer-offset-interval='12s'\nmq-client-api-timeout='13s'",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(config.client_ip, Some(IpAddr::from([10, 1, 2, 3])));
        assert_eq!((config.unit_name.as_deref(), config.unit_mode), (Some("u1"), true));
        assert!(config.vip_channel && config.heartbeat_v2);
        let spans = [
            config.route_refresh,
            config.heartbeat_interval,
            config.persist_offset_interval,
            config.api_timeout,
        ];
        assert_eq!(spans, [10, 11, 12, 13].map(Duration::from_secs));
    }

    #[test]
    fn what_is_not_configured_stays() {
        let (config, mistakes) = read("");
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((config.client_ip, config.unit_name), (None, None));
        assert!(!config.unit_mode && !config.vip_channel && !config.heartbeat_v2);
        assert_eq!(config.heartbeat_interval, ClientConfig::default().heartbeat_interval);
    }

    #[test]
    fn unknown_keys_addresses_and_intervals_of_nothing_are_mistakes() {
        let (_, mistakes) =
            read("[rocketmq.client]\nclient-ip='here'\nheartbeat-broker-interval=0\nunit-nam='u'");
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].contains("IPv4") && mistakes[2].contains("`unit-name`"), "{mistakes:?}");
        assert!(mistakes[1].contains("at least 1 ms"), "{mistakes:?}");
    }
}
