//! One client for each cluster and access; producers and consumers share them.

use super::backend::Backend;
use super::plan::Party;
use crate::config::clusters::Clusters;
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
    clusters: BTreeMap<String, TlsProperties>,
    socks_proxies: Option<Secret>,
    cloud: bool,
    interceptors: Vec<Arc<dyn Interceptor>>,
}

/// The cluster of a producer or consumer, and its account there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'s> {
    /// A name of `[rocketmq.clusters]`, whose certificates hold.
    pub(crate) cluster: Option<&'s str>,
    /// `None` means that of `[rocketmq]`.
    pub(crate) name_server: Option<&'s str>,
    pub(crate) access: &'s Access,
}

/// Names the table of the producer or pull consumer without a name, `rocketmq.producer`, or of one with a name,
/// `rocketmq.producers.audit`.
pub(crate) fn table(kind: &str, name: Option<&str>) -> String {
    match name {
        None => format!("rocketmq.{kind}"),
        Some(name) => format!("rocketmq.{kind}s.{name}"),
    }
}

/// A client, and what it was connected for.
#[derive(Debug, Clone)]
pub(crate) struct Connected {
    cluster: Option<String>,
    pub(crate) name_server: String,
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
            let name_server = backend.or_default(party.site.name_server);
            if failed.contains(&name_server) {
                continue;
            }
            if let Err(mistake) = self.get(backend, party.site).await {
                mistakes.push(mistake);
                failed.insert(name_server);
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(StartError::of(mistakes)) }
    }

    /// Returns the client for this cluster and access, connected on first use.
    pub(crate) async fn get(&mut self, backend: &Backend, site: Site<'_>) -> Result<Connected, Mistake> {
        let name_server = backend.or_default(site.name_server);
        if let Some(known) = self.open.iter().find(|known| known.serves(&name_server, site)) {
            return Ok(known.clone());
        }
        let client = self.way.connect(&name_server, site).await?;
        let connected = Connected {
            cluster: site.cluster.map(str::to_owned),
            name_server,
            access: site.access.clone(),
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

impl Connected {
    /// Tells whether it is connected for this name server, certificates and account.
    fn serves(&self, name_server: &str, site: Site<'_>) -> bool {
        self.name_server == name_server
            && self.cluster.as_deref() == site.cluster
            && self.access == *site.access
    }
}

impl Way {
    pub(crate) fn new(properties: &RocketmqProperties, interceptors: Vec<Arc<dyn Interceptor>>) -> Self {
        Way {
            client: properties.client.clone(),
            tls: properties.tls.clone(),
            clusters: certificates(&properties.clusters),
            socks_proxies: properties.socks_proxy_config.clone(),
            cloud: properties.cloud,
            interceptors,
        }
    }

    /// Reports credentials, proxies and certificates that no cluster could be reached with. Addresses have been checked.
    pub(super) fn check(&self, parties: &[Party<'_>], mistakes: &mut Vec<Mistake>) {
        let mut faults: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for party in parties {
            let builder = self.builder(ANY_ADDRESS, party.site);
            let checked = builder.and_then(|builder| builder.check().map_err(|error| error.to_string()));
            if let Err(fault) = checked {
                faults.entry(fault).or_default().push(&party.who);
            }
        }
        mistakes.extend(faults.into_iter().map(|(fault, who)| {
            Mistake::new(MistakeKind::WrongValue, format!("{}: {fault}", who.join(" and ")))
        }));
    }

    async fn connect(&self, name_server: &str, site: Site<'_>) -> Result<Client, Mistake> {
        let failed = |text: String| Mistake::new(MistakeKind::Connect, text);
        let builder = self.builder(name_server, site).map_err(failed)?;
        builder.connect().await.map_err(|error| failed(format!("the name server \"{name_server}\": {error}")))
    }

    fn builder(&self, name_server: &str, site: Site<'_>) -> Result<ClientBuilder, String> {
        let access = site.access;
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
        let tls = self.certificates_for(site.cluster);
        if access.tls_enable.or(tls.enable).or(self.tls.enable) == Some(true) {
            builder = encrypted(builder, tls)?;
        }
        Ok(builder)
    }

    /// Returns the certificates for a cluster: its own, else those that hold for all.
    fn certificates_for(&self, cluster: Option<&str>) -> &TlsProperties {
        cluster.and_then(|name| self.clusters.get(name)).unwrap_or(&self.tls)
    }
}

#[cfg(feature = "tls")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn encrypted(builder: ClientBuilder, tls: &TlsProperties) -> Result<ClientBuilder, String> {
    Ok(builder.tls(tls.client()))
}

#[cfg(not(feature = "tls"))]
fn encrypted(_builder: ClientBuilder, _tls: &TlsProperties) -> Result<ClientBuilder, String> {
    Err("`tls-enable` is true: build with the feature `tls` of rocketmq-starter".to_owned())
}

/// Returns the certificates of the clusters that have some of their own.
fn certificates(clusters: &Clusters) -> BTreeMap<String, TlsProperties> {
    let own = clusters.iter().filter(|(_, cluster)| cluster.tls != TlsProperties::default());
    own.map(|(name, cluster)| (name.clone(), cluster.tls.clone())).collect()
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
    use crate::config::ClusterProperties;

    #[test]
    fn half_a_pair_of_keys_is_a_mistake() {
        let access = Access { access_key: Some(Secret::new("k")), ..Access::default() };
        assert!(credentials(&access).unwrap_err().contains("`secret-key` is missing"));
        let both = Access { secret_key: Some(Secret::new("s")), ..access };
        assert!(credentials(&both).unwrap().is_some());
        assert!(credentials(&Access::default()).unwrap().is_none());
    }
    #[test]
    fn a_cluster_has_its_own_certificates_else_the_common_ones() {
        let mut properties = RocketmqProperties::default();
        properties.tls.server_name = Some("near".to_owned());
        let tls = TlsProperties { server_name: Some("eu".to_owned()), ..TlsProperties::default() };
        properties
            .clusters
            .insert("eu".to_owned(), ClusterProperties { tls, ..ClusterProperties::default() });
        properties.clusters.insert("us".to_owned(), ClusterProperties::default());
        let way = Way::new(&properties, Vec::new());
        let name = |cluster| way.certificates_for(cluster).server_name.as_deref();
        assert_eq!(
            [name(None), name(Some("eu")), name(Some("us"))],
            [Some("near"), Some("eu"), Some("near")]
        );
    }
}
