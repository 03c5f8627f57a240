//! The cluster for all that name none of their own: configured, or embedded.

use crate::config::RocketmqProperties;
use crate::error::{Mistake, MistakeKind};

/// What `rocketmq.name-server` says to have the embedded broker, even where `NAMESRV_ADDR` is set.
const EMBEDDED: &str = "embedded";

/// That cluster.
#[derive(Debug, Default)]
pub(crate) struct Backend {
    name_server: String,
    #[cfg(feature = "embedded")]
    embedded: Option<rocketmq_server::Embedded>,
}

impl Backend {
    /// Whether an application without a name server gets a broker of its own.
    pub(super) const fn is_embeddable() -> bool {
        cfg!(feature = "embedded")
    }

    /// `needed`: something has no name server of its own.
    pub(super) async fn start(properties: &RocketmqProperties, needed: bool) -> Result<Self, Mistake> {
        match properties.name_server.as_deref() {
            Some(name_server) if name_server != EMBEDDED => {
                Ok(Backend { name_server: name_server.to_owned(), ..Backend::default() })
            }
            _ if needed => Self::embed(properties).await,
            _ => Ok(Backend::default()),
        }
    }

    #[cfg(feature = "embedded")]
    async fn embed(properties: &RocketmqProperties) -> Result<Self, Mistake> {
        let mut builder = rocketmq_server::Embedded::builder();
        if let Some(folder) = &properties.embedded.store_path {
            builder = builder.store(folder);
        }
        let embedded = builder.start().await.map_err(|error| {
            Mistake::new(MistakeKind::Connect, format!("the embedded broker did not start: {error}"))
        })?;
        let name_server = embedded.name_server();
        tracing::warn!(name_server, "no name server is configured: using a broker inside this application");
        Ok(Backend { name_server, embedded: Some(embedded) })
    }

    #[cfg(not(feature = "embedded"))]
    async fn embed(_: &RocketmqProperties) -> Result<Self, Mistake> {
        let message =
            "`rocketmq.name-server` is \"embedded\": build with the feature `embedded` of rocketmq-starter";
        Err(Mistake::new(MistakeKind::NoNameServer, message))
    }

    #[cfg(feature = "embedded")]
    pub(super) fn embedded(&self) -> Option<&rocketmq_server::Embedded> {
        self.embedded.as_ref()
    }

    /// The name server of its own, or this one.
    pub(super) fn or_default(&self, own: Option<String>) -> String {
        own.unwrap_or_else(|| self.name_server.clone())
    }

    pub(super) async fn shutdown(self) {
        #[cfg(feature = "embedded")]
        if let Some(embedded) = self.embedded
            && let Err(error) = embedded.shutdown().await
        {
            tracing::warn!(%error, "the embedded broker did not stop in order");
        }
    }
}
