//! One client for each cluster and each way to present oneself there; producers and consumers share them.

use crate::config::{Access, ClientProperties, RocketmqProperties, Secret, TlsProperties};
use crate::error::{Mistake, MistakeKind};
use crate::replier::Replier;
use rocketmq_client::{Client, ClientBuilder, ClientConfig, Credentials, Interceptor};
use std::fmt;
use std::sync::Arc;

/// The clients that are connected so far.
#[derive(Debug)]
pub(crate) struct Clients {
    way: Way,
    open: Vec<Connected>,
}

/// How every cluster is reached.
struct Way {
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
    pub(crate) fn new(properties: &RocketmqProperties, interceptors: Vec<Arc<dyn Interceptor>>) -> Self {
        let way = Way {
            client: properties.client.clone(),
            tls: properties.tls.clone(),
            socks_proxies: properties.socks_proxy_config.clone(),
            cloud: properties.cloud,
            interceptors,
        };
        Clients { way, open: Vec::new() }
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
    async fn connect(&self, name_server: &str, access: &Access) -> Result<Client, Mistake> {
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
            let proxies = proxies.expose().parse().map_err(|error| {
                let text = format!("`rocketmq.socks-proxy-config` cannot be used: {error}");
                Mistake::new(MistakeKind::WrongValue, text)
            })?;
            builder = builder.socks_proxies(proxies);
        }
        if access.tls_enable.or(self.tls.enable) == Some(true) {
            builder = self.encrypted(builder)?;
        }
        builder.connect().await.map_err(|error| {
            let text = format!("`rocketmq.name-server` is \"{name_server}\": {error}");
            Mistake::new(MistakeKind::Connect, text)
        })
    }

    #[cfg(feature = "tls")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    fn encrypted(&self, builder: ClientBuilder) -> Result<ClientBuilder, Mistake> {
        Ok(builder.tls(self.tls.client()))
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(&self, _builder: ClientBuilder) -> Result<ClientBuilder, Mistake> {
        let text = "`tls-enable` is true: build with the feature `tls` of rocketmq-starter";
        Err(Mistake::new(MistakeKind::Connect, text))
    }
}

fn present(config: &mut ClientConfig, access: &Access) {
    config.instance_name.clone_from(&access.instance_name);
    config.namespace.clone_from(&access.namespace);
    config.namespace_v2.clone_from(&access.namespace_v2);
}

/// Half a pair of keys would go unnoticed until the first refusal.
fn credentials(access: &Access) -> Result<Option<Credentials>, Mistake> {
    let half = |missing: &str| {
        let text =
            format!("`{missing}` is missing: access-key and secret-key are set together, or not at all");
        Err(Mistake::new(MistakeKind::WrongValue, text))
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
        assert!(credentials(&access).unwrap_err().to_string().contains("`secret-key` is missing"));
        let both = Access { secret_key: Some(Secret::new("s")), ..access };
        assert!(credentials(&both).unwrap().is_some());
        assert!(credentials(&Access::default()).unwrap().is_none());
    }
}
