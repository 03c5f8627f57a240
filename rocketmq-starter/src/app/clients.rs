//! One client for each cluster and access; producers and consumers share them.

use super::backend::Backend;
use super::plan::Party;
use crate::config::{Access, ClientProperties, RocketmqProperties, Secret, TlsProperties};
use crate::error::{Mistake, MistakeKind, StartError};
use crate::replier::Replier;
use rocketmq_client::client::{ClientBuilder, InvalidProxies};
use rocketmq_client::{Client, ClientConfig, Credentials, Interceptor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Stands for an address where the address does not matter.
const ANY_ADDRESS: &str = "127.0.0.1:9876";

/// The clients that are connected so far.
#[derive(Debug)]
pub(crate) struct Clients {
    way: Way,
    open: Vec<Connected>,
}

/// The settings that hold for the connections to all clusters.
#[derive(Clone)]
pub(crate) struct Way {
    client: ClientProperties,
    tls: TlsProperties,
    socks_proxies: Option<Secret>,
    cloud: bool,
    interceptors: Vec<Arc<dyn Interceptor>>,
}

/// A client, and what it was connected for.
#[derive(Debug, Clone)]
pub(crate) struct Connected {
    name_server: String,
    access: Access,
    pub(crate) client: Client,
    pub(crate) replier: Replier,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("socks_proxies", &self.socks_proxies.is_some()).finish_non_exhaustive()
    }
}

impl Clients {
    pub(crate) fn new(way: Way) -> Self {
        Clients { way, open: Vec::new() }
    }

    /// Connects to every cluster, so that what fails is reported together.
    pub(crate) async fn connect(
        &mut self,
        backend: &Backend,
        parties: &[Party<'_>],
    ) -> Result<(), StartError> {
        let (mut mistakes, mut failed) = (Vec::new(), BTreeSet::new());
        for party in parties {
            let name_server = backend.or_default(party.name_server);
            if failed.contains(&name_server) {
                continue;
            }
            if let Err(mistake) = self.get(&name_server, party.access).await {
                mistakes.push(mistake);
                failed.insert(name_server);
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(StartError::of(mistakes)) }
    }

    /// The client for this cluster and access, connected on first use.
    pub(crate) async fn get(&mut self, name_server: &str, access: &Access) -> Result<Connected, Mistake> {
        let same = |known: &&Connected| known.name_server == name_server && known.access == *access;
        if let Some(known) = self.open.iter().find(same) {
            return Ok(known.clone());
        }
        let client = self.way.connect(name_server, access).await?;
        let connected = Connected {
            name_server: name_server.to_owned(),
            access: access.clone(),
            replier: Replier::new(client.clone()),
            client,
        };
        self.open.push(connected.clone());
        Ok(connected)
    }

    pub(crate) async fn shutdown(self) {
        for connected in self.open {
            connected.replier.shutdown().await;
            connected.client.shutdown().await;
        }
    }
}

impl Way {
    pub(crate) fn new(properties: &RocketmqProperties, interceptors: Vec<Arc<dyn Interceptor>>) -> Self {
        Way {
            client: properties.client.clone(),
            tls: properties.tls.clone(),
            socks_proxies: properties.socks_proxy_config.clone(),
            cloud: properties.cloud,
            interceptors,
        }
    }

    /// Reports credentials, proxies and certificates that no cluster could be reached with. Addresses have been checked.
    pub(super) fn check(&self, parties: &[Party<'_>], mistakes: &mut Vec<Mistake>) {
        let mut faults: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for party in parties {
            let builder = self.builder(ANY_ADDRESS, party.access);
            let checked = builder.and_then(|builder| builder.check().map_err(|error| error.to_string()));
            if let Err(fault) = checked {
                faults.entry(fault).or_default().push(&party.who);
            }
        }
        mistakes.extend(faults.into_iter().map(|(fault, who)| {
            Mistake::new(MistakeKind::WrongValue, format!("{}: {fault}", who.join(" and ")))
        }));
    }

    async fn connect(&self, name_server: &str, access: &Access) -> Result<Client, Mistake> {
        let failed = |text: String| Mistake::new(MistakeKind::Connect, text);
        let builder = self.builder(name_server, access).map_err(failed)?;
        builder.connect().await.map_err(|error| failed(format!("the name server \"{name_server}\": {error}")))
    }

    fn builder(&self, name_server: &str, access: &Access) -> Result<ClientBuilder, String> {
        let mut builder = Client::builder(name_server).configure(|config| {
            self.client.apply(config);
            present(config, access);
            config.interceptors.clone_from(&self.interceptors);
            config.cloud = self.cloud;
        });
        if let Some(credentials) = credentials(access)? {
            builder = builder.credentials(Arc::new(credentials));
        }
        if let Some(proxies) = &self.socks_proxies {
            let proxies = proxies.expose().parse();
            builder = builder.socks_proxies(proxies.map_err(|error: InvalidProxies| error.to_string())?);
        }
        if access.tls_enable.or(self.tls.enable) == Some(true) {
            builder = self.encrypted(builder)?;
        }
        Ok(builder)
    }

    #[cfg(feature = "tls")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    fn encrypted(&self, builder: ClientBuilder) -> Result<ClientBuilder, String> {
        Ok(builder.tls(self.tls.client()))
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(&self, _builder: ClientBuilder) -> Result<ClientBuilder, String> {
        Err("`tls-enable` is true: build with the feature `tls` of rocketmq-starter".to_owned())
    }
}

fn present(config: &mut ClientConfig, access: &Access) {
    config.instance_name.clone_from(&access.instance_name);
    config.namespace.clone_from(&access.namespace);
    config.namespace_v2.clone_from(&access.namespace_v2);
}

/// Pairs access key and secret key. Half a pair would go unnoticed until the first refusal.
fn credentials(access: &Access) -> Result<Option<Credentials>, String> {
    let half = |missing: &str| {
        Err(format!("`{missing}` is missing: access-key and secret-key are set together, or not at all"))
    };
    match (&access.access_key, &access.secret_key) {
        (Some(access_key), Some(secret_key)) => {
            let pair = Credentials::new(access_key.expose(), secret_key.expose());
            let token = access.security_token.as_ref().map(Secret::expose);
            Ok(Some(match token {
                Some(token) => pair.with_security_token(token),
                None => pair,
            }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => half("secret-key"),
        (None, Some(_)) => half("access-key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_of_keys_is_a_mistake() {
        let access = Access { access_key: Some(Secret::new("k")), ..Access::default() };
        assert!(credentials(&access).unwrap_err().contains("`secret-key` is missing"));
        let both = Access { secret_key: Some(Secret::new("s")), ..access };
        assert!(credentials(&both).unwrap().is_some());
        assert!(credentials(&Access::default()).unwrap().is_none());
    }
}
