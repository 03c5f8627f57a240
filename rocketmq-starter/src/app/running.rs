//! A running application and its end.

use super::backend::Backend;
use super::clients::Clients;
use super::consumers::Consumers;
use super::hooks::Hooks;
use super::pages::Pages;
use super::watch::Watching;
use crate::context::Context;
use crate::health::Health;
use crate::template::RocketmqTemplate;
use futures_util::future::join_all;

/// A running application, returned by [`App::start`](crate::App::start).
///
/// Dropping it stops the application at once: the broker delivers the messages in flight again.
///
/// ```no_run
/// use rocketmq_starter::App;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::new().discover().start().await?;
/// let template = app.template().ok_or("set `rocketmq.producer.group`")?;
/// template.send("orders:created", 7).await?;
/// app.stopped().await; // until `Context::stop`
/// app.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it stops the application"]
pub struct RunningApp {
    context: Context,
    consumers: Consumers,
    clients: Clients,
    backend: Backend,
    pages: Pages,
    on_stop: Hooks,
    watching: Option<Watching>,
}

impl RunningApp {
    pub(super) fn new(
        context: Context,
        consumers: Consumers,
        clients: Clients,
        backend: Backend,
        pages: Pages,
        on_stop: Hooks,
    ) -> Self {
        RunningApp { context, consumers, clients, backend, pages, on_stop, watching: None }
    }

    /// Keeps the task that looks at the configuration.
    pub(super) fn watched_by(self, watching: Option<Watching>) -> Self {
        RunningApp { watching, ..self }
    }

    /// Returns the context, which listeners and hooks get too.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// let context = running.context().clone();
    /// tokio::spawn(async move { context.stop() });
    /// # }
    /// ```
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the template over `[rocketmq.producer]`, or `None` without `rocketmq.producer.group`.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) -> Result<(), rocketmq_starter::SendError> {
    /// if let Some(template) = running.template() {
    ///     template.send("orders", "one more").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn template(&self) -> Option<&RocketmqTemplate> {
        self.context.template()
    }

    /// Returns the health of the application and of each listener; [`health`](crate::health) shows a use.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// println!("ready: {}", running.health().ready);
    /// # }
    /// ```
    pub fn health(&self) -> Health {
        self.context.health()
    }

    /// Returns the broker inside this application, if one runs. Tests move its clock.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// if let Some(embedded) = running.embedded() {
    ///     println!("the name server listens at {}", embedded.name_server());
    /// }
    /// # }
    /// ```
    #[cfg(feature = "embedded")]
    pub fn embedded(&self) -> Option<&rocketmq_server::Embedded> {
        self.backend.embedded().map(|embedded| &**embedded)
    }

    /// Returns the address of the page for development, which is there while the broker inside runs.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// if let Some(address) = running.dev_page() {
    ///     println!("open http://{address}/");
    /// }
    /// # }
    /// ```
    #[cfg(feature = "dev-page")]
    pub fn dev_page(&self) -> Option<std::net::SocketAddr> {
        self.pages.dev_page()
    }

    /// Returns the address of the management page, if `rocketmq.management.address` is set. With port 0 there, this one has the
    /// port that the system chose.
    ///
    /// ```no_run
    /// # fn example(running: &rocketmq_starter::RunningApp) {
    /// if let Some(address) = running.management() {
    ///     println!("http://{address}/health/ready");
    /// }
    /// # }
    /// ```
    #[cfg(feature = "management")]
    pub fn management(&self) -> Option<std::net::SocketAddr> {
        self.pages.management()
    }

    /// Pauses a group, as [`Context::pause`] does.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// assert!(running.pause("billing"), "no listener has the group billing");
    /// # }
    /// ```
    pub fn pause(&self, group: &str) -> bool {
        self.context.pause(group)
    }

    /// Resumes a group, as [`Context::resume`] does.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// assert!(running.resume("billing"), "no listener has the group billing");
    /// # }
    /// ```
    pub fn resume(&self, group: &str) -> bool {
        self.context.resume(group)
    }

    /// Sets the concurrency of a group, as [`Context::set_concurrency`] does.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// assert!(running.set_concurrency("billing", 4), "no listener has the group billing");
    /// # }
    /// ```
    pub fn set_concurrency(&self, group: &str, handlers: usize) -> bool {
        self.context.set_concurrency(group, handlers)
    }

    /// Waits until [`Context::stop`] is called.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// running.stopped().await;
    /// running.shutdown().await;
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A call of `stop` is not lost when the future is dropped before it is ready.
    pub async fn stopped(&self) {
        self.context.stopped().await;
    }

    /// Ends the application in order: consumers finish the messages in flight (each for up to its `await-termination`, 25 s by
    /// default) and commit, the hooks of `on_stop` run, producers send the messages that they still hold, connections close.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_starter::RunningApp) {
    /// // A test is over.
    /// running.shutdown().await;
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future stops the application at once: the broker delivers the messages in flight again.
    pub async fn shutdown(mut self) {
        drop(self.watching);
        self.context.set_ready(false);
        self.consumers.shutdown().await;
        self.on_stop.run_all(&self.context).await;
        self.context.set_stop_hooks_done();
        self.context.stop_receiving().await;
        let templates = self.context.templates();
        join_all(templates.map(|template| template.producer().shutdown())).await;
        self.clients.shutdown().await;
        self.pages.shutdown_dev_page().await;
        self.backend.shutdown().await;
        self.pages.shutdown().await;
    }
}
