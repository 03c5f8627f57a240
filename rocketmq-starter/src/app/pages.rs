//! The pages that an application serves over HTTP.

use super::backend::Backend;
use crate::config::RocketmqProperties;
use crate::context::Context;
#[cfg(feature = "dev-page")]
use crate::dev::DevPage;
use crate::error::{Mistake, MistakeKind};
use crate::listener::Observer;
#[cfg(feature = "management")]
use crate::web::PageServer;
#[cfg(any(feature = "management", feature = "dev-page"))]
use crate::web::Shown;

/// Those that are on.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    #[cfg(any(feature = "management", feature = "dev-page"))]
    shown: Shown,
    #[cfg(feature = "management")]
    management: Option<PageServer>,
    #[cfg(feature = "dev-page")]
    dev: Option<DevPage>,
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
        Ok(Pages { shown, management, ..Pages::default() })
    }

    #[cfg(not(feature = "management"))]
    #[expect(clippy::unused_async, reason = "with the feature it listens")]
    pub(super) async fn start(_: &RocketmqProperties) -> Result<Self, Mistake> {
        Ok(Pages::default())
    }

    /// Shows the application from now on.
    #[cfg_attr(
        not(any(feature = "management", feature = "dev-page")),
        expect(unused_variables, reason = "nothing shows it")
    )]
    pub(super) fn show(&self, context: &Context) {
        #[cfg(any(feature = "management", feature = "dev-page"))]
        let _ = self.shown.set(context.clone());
    }

    /// Opens the page for development if there is a broker inside.
    #[cfg(feature = "dev-page")]
    pub(super) async fn develop(&mut self, backend: &Backend) -> Result<(), Mistake> {
        if let Some(broker) = backend.embedded() {
            self.dev = Some(DevPage::open(broker, self.shown.clone()).await?);
        }
        Ok(())
    }

    #[cfg(not(feature = "dev-page"))]
    #[expect(clippy::unused_async, reason = "with the feature it listens")]
    pub(super) async fn develop(&mut self, _: &Backend) -> Result<(), Mistake> {
        Ok(())
    }

    /// Returns who notes the messages that listeners settle, for the page for development.
    pub(super) fn observer(&self) -> Option<Observer> {
        #[cfg(feature = "dev-page")]
        if let Some(dev) = &self.dev {
            let journal = dev.journal().clone();
            return Some(Observer::new(move |settled| journal.write(settled)));
        }
        None
    }

    #[cfg(feature = "dev-page")]
    pub(super) fn dev_page(&self) -> Option<std::net::SocketAddr> {
        self.dev.as_ref().map(DevPage::address)
    }

    /// Closes the page for development; it needs the broker.
    #[cfg_attr(
        not(feature = "dev-page"),
        expect(clippy::unused_async, reason = "with the feature it closes")
    )]
    pub(super) async fn shutdown_dev_page(&mut self) {
        #[cfg(feature = "dev-page")]
        if let Some(dev) = self.dev.take() {
            dev.shutdown().await;
        }
    }

    #[cfg(feature = "management")]
    pub(super) fn management(&self) -> Option<std::net::SocketAddr> {
        self.management.as_ref().map(PageServer::address)
    }

    pub(super) async fn shutdown(self) {
        #[cfg(feature = "management")]
        if let Some(site) = self.management {
            site.shutdown().await;
        }
    }
}
