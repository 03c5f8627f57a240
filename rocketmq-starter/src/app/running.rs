//! An application at work, and how it ends.

use super::backend::Backend;
use super::clients::Clients;
use super::consumers::Consumers;
use super::hooks::Hooks;
use crate::context::Context;
use crate::health::Health;
use crate::template::RocketmqTemplate;
use futures_util::future::join_all;

/// An application at work.
///
/// Dropping it stops it without waiting: messages in flight are cut and delivered again later.
#[derive(Debug)]
#[must_use = "dropping it stops the application"]
pub struct RunningApp {
    context: Context,
    consumers: Consumers,
    clients: Clients,
    backend: Backend,
    on_stop: Hooks,
}

impl RunningApp {
    pub(super) fn new(
        context: Context,
        consumers: Consumers,
        clients: Clients,
        backend: Backend,
        on_stop: Hooks,
    ) -> Self {
        RunningApp { context, consumers, clients, backend, on_stop }
    }

    /// States, templates, clients, groups and health.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The template over `[rocketmq.producer]`; none when no `rocketmq.producer.group` is configured.
    pub fn template(&self) -> Option<&RocketmqTemplate> {
        self.context.template()
    }

    /// Whether the application is ready, if not why, and what its listeners did so far.
    pub fn health(&self) -> Health {
        self.context.health()
    }

    /// The broker inside this application, when one runs; its time can be moved forward.
    #[cfg(feature = "embedded")]
    pub fn embedded(&self) -> Option<&rocketmq_server::Embedded> {
        self.backend.embedded()
    }

    /// As [`Context::pause`].
    pub fn pause(&self, group: &str) -> bool {
        self.context.pause(group)
    }

    /// As [`Context::resume`].
    pub fn resume(&self, group: &str) -> bool {
        self.context.resume(group)
    }

    /// As [`Context::set_concurrency`].
    pub fn set_concurrency(&self, group: &str, handlers: usize) -> bool {
        self.context.set_concurrency(group, handlers)
    }

    /// Waits until [`Context::stop`] is called.
    pub async fn stopped(&self) {
        self.context.stopped().await;
    }

    /// Ends the application in order: consumers finish what is in flight (each for up to its `await-termination`)
    /// and commit, the stop hooks run, producers send what they still hold, connections are closed.
    pub async fn shutdown(self) {
        self.context.set_ready(false);
        self.consumers.shutdown().await;
        self.on_stop.run_all(&self.context).await;
        self.context.stop_receiving().await;
        let templates = self.context.templates();
        join_all(templates.map(|template| template.producer().shutdown())).await;
        self.clients.shutdown().await;
        self.backend.shutdown().await;
    }
}
