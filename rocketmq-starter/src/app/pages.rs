//! The pages that an application serves over HTTP.

use crate::config::RocketmqProperties;
use crate::context::Context;
use crate::error::{Mistake, MistakeKind};
#[cfg(feature = "management")]
use crate::web::{Shown, Site};

/// Those that are on.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    #[cfg(feature = "management")]
    shown: Shown,
    #[cfg(feature = "management")]
    management: Option<Site>,
}

impl Pages {
    /// Reports pages that are configured but not built in.
    pub(super) fn check(properties: &RocketmqProperties, mistakes: &mut Vec<Mistake>) {
        if cfg!(not(feature = "management")) && properties.management.address.is_some() {
            let message = "`rocketmq.management.address` is set: build with the feature `management` of rocketmq-starter";
            mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
        }
    }

    /// Starts those that are configured, so that probes get answers while the application starts.
    #[cfg(feature = "management")]
    pub(super) async fn start(properties: &RocketmqProperties) -> Result<Self, Mistake> {
        let shown = Shown::default();
        let management = match properties.management.address {
            Some(address) => Some(crate::management::start(address, shown.clone()).await?),
            None => None,
        };
        Ok(Pages { shown, management })
    }

    #[cfg(not(feature = "management"))]
    #[expect(clippy::unused_async, reason = "with the feature it listens")]
    pub(super) async fn start(_: &RocketmqProperties) -> Result<Self, Mistake> {
        Ok(Pages::default())
    }

    /// Shows the application from now on.
    #[cfg_attr(not(feature = "management"), expect(unused_variables, reason = "nothing shows it"))]
    pub(super) fn show(&self, context: &Context) {
        #[cfg(feature = "management")]
        let _ = self.shown.set(context.clone());
    }

    #[cfg(feature = "management")]
    pub(super) fn management(&self) -> Option<std::net::SocketAddr> {
        self.management.as_ref().map(Site::address)
    }

    pub(super) async fn shutdown(self) {
        #[cfg(feature = "management")]
        if let Some(site) = self.management {
            site.shutdown().await;
        }
    }
}
