//! The cluster of producers and consumers that name none: the configured one, or the embedded broker.

use super::plan::{Party, no_name_server};
use crate::config::{EMBEDDED, RocketmqProperties};
use crate::error::{Mistake, MistakeKind};
#[cfg(feature = "embedded")]
use std::sync::Arc;

/// That cluster.
#[derive(Debug, Default)]
pub(crate) struct Backend {
    name_server: String,
    /// It stands for every cluster that producers and consumers name, too.
    is_only: bool,
    #[cfg(feature = "embedded")]
    embedded: Option<Arc<rocketmq_server::Embedded>>,
}

impl Backend {
    /// Tells whether an application without a name server gets a broker of its own.
    const fn is_embeddable() -> bool {
        cfg!(feature = "embedded")
    }

    /// Reports producers and consumers that have no cluster.
    pub(super) fn check(properties: &RocketmqProperties, parties: &[Party<'_>], mistakes: &mut Vec<Mistake>) {
        if Self::is_embeddable() {
            return;
        }
        let default = properties.name_server.as_deref();
        let asked = |own: Option<&str>| own.or(default) == Some(EMBEDDED);
        for party in parties.iter().filter(|party| asked(party.site.name_server)) {
            let message = format!(
                "the name server of {} is \"{EMBEDDED}\": build with the feature `embedded` of rocketmq-starter, or name \
                 one such as \"127.0.0.1:9876\"",
                party.who
            );
            mistakes.push(Mistake::new(MistakeKind::NoNameServer, message));
        }
        if default.is_none() && parties.iter().any(|party| party.site.name_server.is_none()) {
            mistakes.push(no_name_server());
        }
    }

    /// Returns the one cluster of all producers and consumers.
    pub(super) fn only(name_server: &str) -> Self {
        Backend {
            name_server: name_server.to_owned(),
            is_only: true,
            #[cfg(feature = "embedded")]
            embedded: None,
        }
    }

    /// Starts the embedded broker if a producer or consumer needs it.
    pub(super) async fn start(
        properties: &RocketmqProperties,
        parties: &[Party<'_>],
    ) -> Result<Self, Mistake> {
        let default = properties.name_server.as_deref();
        let inside = |own: Option<&str>| own.or(default).is_none_or(|name_server| name_server == EMBEDDED);
        if parties.iter().any(|party| inside(party.site.name_server)) {
            let asked = default == Some(EMBEDDED)
                || parties.iter().any(|party| party.site.name_server == Some(EMBEDDED));
            return Self::embed(properties, asked).await;
        }
        Ok(Backend { name_server: default.unwrap_or_default().to_owned(), ..Backend::default() })
    }

    /// Starts the embedded broker. `asked`: the configuration names it.
    #[cfg(feature = "embedded")]
    async fn embed(properties: &RocketmqProperties, asked: bool) -> Result<Self, Mistake> {
        let mut builder = rocketmq_server::Embedded::builder();
        if let Some(folder) = &properties.embedded.store_path {
            builder = builder.store(folder);
        }
        let embedded = builder.start().await.map_err(|error| {
            Mistake::new(MistakeKind::Connect, format!("the embedded broker did not start: {error}"))
        })?;
        let inside = embedded.name_server();
        if asked {
            tracing::info!(name_server = inside, "using a broker inside this application");
        } else {
            tracing::warn!(
                name_server = inside,
                "NO NAME SERVER IS CONFIGURED: messages stay inside this application, on a broker of its own; set \
                 `rocketmq.name-server` to a cluster, or to \"{EMBEDDED}\" if that is what you want"
            );
        }
        let named = properties.name_server.clone().filter(|name_server| name_server != EMBEDDED);
        Ok(Backend {
            name_server: named.unwrap_or(inside),
            embedded: Some(Arc::new(embedded)),
            ..Backend::default()
        })
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_async, reason = "with the feature it starts a broker")]
    async fn embed(_: &RocketmqProperties, _: bool) -> Result<Self, Mistake> {
        Err(no_name_server())
    }

    #[cfg(feature = "embedded")]
    pub(super) fn embedded(&self) -> Option<&Arc<rocketmq_server::Embedded>> {
        self.embedded.as_ref()
    }

    /// Returns the name server that `own` stands for, or the default one.
    pub(super) fn or_default(&self, own: Option<&str>) -> String {
        match own {
            #[cfg(feature = "embedded")]
            Some(EMBEDDED) if !self.is_only => {
                self.embedded.as_ref().map_or_else(String::new, |inside| inside.name_server())
            }
            Some(own) if !self.is_only => own.to_owned(),
            _ => self.name_server.clone(),
        }
    }

    pub(super) async fn shutdown(self) {
        #[cfg(feature = "embedded")]
        // Only a request of the page for development may still hold it; the broker ends when that lets it go.
        if let Some(embedded) = self.embedded.and_then(Arc::into_inner)
            && let Err(error) = embedded.shutdown().await
        {
            tracing::warn!(%error, "the embedded broker did not stop in order");
        }
    }
}
