//! The running application, as its listeners, checkers and hooks see it.

use crate::app::KnownConsumers;
use crate::config::sources::Sources;
use crate::config::typed;
use crate::error::{CutMessages, Interrupted, Mistake};
use crate::extract::{FromContext, FromMessage, Needs, Rejection};
use crate::health::{Counters, Health, ListenerHealth, Trend};
use crate::listener::{Observer, Settled};
use crate::template::{Receiver, Receivers, RocketmqTemplate};
use futures_util::future::join_all;
use rocketmq_client::consumer::ConsumerHealth;
use rocketmq_client::{Client, Delivery, Running};
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The values of `App::state`, one of each type.
#[derive(Default, Clone)]
pub(crate) struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// Adds a value. It replaces one of the same type.
    pub(crate) fn insert<T: Clone + Send + Sync + 'static>(&mut self, state: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(state));
    }

    pub(crate) fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    fn get<T: Clone + 'static>(&self) -> Option<T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

/// The sections of `App::config`, one of each type.
#[derive(Default, Clone)]
pub(crate) struct Sections(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Sections {
    pub(crate) fn insert(&mut self, id: TypeId, section: Arc<dyn Any + Send + Sync>) {
        self.0.insert(id, section);
    }

    pub(crate) fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }
}

impl fmt::Debug for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sections({})", self.0.len())
    }
}

/// Gives listeners, checkers and hooks the running application: states, templates, the client, groups, health. Clones share it.
///
/// ```
/// use rocketmq_starter::{App, BoxError, Context, Text};
///
/// /// Passes each line on through the producer `audit`.
/// async fn copy(Text(line): Text, context: Context) -> Result<(), BoxError> {
///     let audit = context.named_template("audit").ok_or("no `rocketmq.producers.audit`")?;
///     audit.send("copies", Text(line)).await?;
///     Ok(())
/// }
///
/// let app = App::new().listen("lines", "copier", copy);
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Context(Arc<Shared>);

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) states: States,
    pub(crate) sections: Sections,
    pub(crate) sources: Arc<Sources>,
    pub(crate) client: Option<Client>,
    pub(crate) consumers: KnownConsumers,
    pub(crate) template: Option<RocketmqTemplate>,
    pub(crate) named: BTreeMap<String, RocketmqTemplate>,
    pub(crate) receivers: Receivers,
    pub(crate) listeners: Vec<Watched>,
    /// The time for which a lag must grow before it is told.
    pub(crate) lag_grows_for: Duration,
    pub(crate) ready: AtomicBool,
    pub(crate) stop_hooks_done: AtomicBool,
    pub(crate) stop: Notify,
    pub(crate) observer: Option<Observer>,
}

/// A listener whose work is counted.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) counters: Arc<Counters>,
    pub(crate) trend: Trend,
    /// Set once its consumer has started.
    pub(crate) consumer: OnceLock<ConsumerHealth>,
}

impl Context {
    pub(crate) fn new(shared: Shared) -> Self {
        Context(Arc::new(shared))
    }

    /// Returns the value of this type that [`App::state`](crate::App::state) was given, if there is one.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().state("EUR").on_start(|context| async move {
    ///     println!("{}", context.state::<&str>().ok_or("no currency")?);
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn state<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.states.get()
    }

    /// Reads a section of your own from the files, profiles and variables of the application, anew at each call.
    /// [`App::config`](crate::App::config) has the rules, and reads a section once, at the start.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Orders {
    ///     max_items: u32,
    /// }
    ///
    /// let app = App::new().on_start(|context| async move {
    ///     let orders: Orders = context.config("orders")?;
    ///     println!("at most {} items", orders.max_items);
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    ///
    /// # Errors
    /// Fails for a value that the type does not take, naming its key and `file:line`, and for one that is missing.
    pub fn config<T: DeserializeOwned>(&self, section: &str) -> Result<T, Mistake> {
        typed::read(&self.0.sources, section)
    }

    /// Returns the section of this type that the start read.
    pub(crate) fn section<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.sections.get()
    }

    /// Returns the template over `[rocketmq.producer]`, or `None` without `rocketmq.producer.group`. A listener that takes
    /// `RocketmqTemplate` as an argument needs no such check.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     let template = context.template().ok_or("set `rocketmq.producer.group`")?;
    ///     template.send("orders:created", 7).await?;
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn template(&self) -> Option<&RocketmqTemplate> {
        self.0.template.as_ref()
    }

    /// Returns the template over `[rocketmq.producers.<name>]`, or `None` without that table. [`Context`] shows a use.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     context.named_template("audit").ok_or("no `[rocketmq.producers.audit]`")?.send("events", "ready").await?;
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn named_template(&self, name: &str) -> Option<&RocketmqTemplate> {
        self.0.named.get(name)
    }

    /// Returns the pull consumer of `[rocketmq.pull-consumers.<name>]`, or `None` without that table. [`Receiver`] shows a use.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     let rows = context.receiver("rows").ok_or("no `[rocketmq.pull-consumers.rows]`")?.clone();
    ///     # drop(rows);
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.0.receivers.get(&Some(name.to_owned()))
    }

    /// Returns the client of `[rocketmq.producer]`, for queries, offsets of groups, and further consumers. Without a producer it
    /// is the client of the first group of listeners, by name; without listeners and pull consumer it is `None`.
    ///
    /// Each named producer has its own: `context.named_template("audit")?.producer().client()`. The application shuts its
    /// clients down at its end; shut down consumers that you start yourself in [`App::on_stop`](crate::App::on_stop).
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     let client = context.client().ok_or("no producer")?;
    ///     println!("connected as {}", client.client_id());
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn client(&self) -> Option<&Client> {
        self.0.client.as_ref()
    }

    /// Stops pulling for the group within about a second; messages that were pulled are still handled. Returns false when the
    /// group is not at work: it has no listener here, has not started yet, or has ended.
    ///
    /// ```
    /// use rocketmq_starter::{App, Context, Delivery, Outcome};
    ///
    /// /// Pauses its own group while there is no room.
    /// async fn archive(_delivery: Delivery, context: Context) -> Outcome {
    ///     context.pause("archive"); // the code that makes room calls `context.resume("archive")`
    ///     Outcome::Retry
    /// }
    ///
    /// let app = App::new().listen("orders", "archive", archive);
    /// # drop(app);
    /// ```
    pub fn pause(&self, group: &str) -> bool {
        self.0.consumers.with_group(group, Running::pause)
    }

    /// Pulls for the group again after [`pause`](Self::pause), which shows a use. Returns false when the group is not at work.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     context.resume("archive");
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn resume(&self, group: &str) -> bool {
        self.0.consumers.with_group(group, Running::resume)
    }

    /// Sets the number of messages that the group handles at once, 1 to 1000; a number outside counts as the nearest.
    /// Handlers that run are not cut. Returns false when the group is not at work.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().listen("orders", "billing", || async {}).on_ready(|context| async move {
    ///     assert!(context.set_concurrency("billing", 64));
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn set_concurrency(&self, group: &str, handlers: usize) -> bool {
        self.0.consumers.with_group(group, |running| running.set_concurrency(handlers))
    }

    /// Tells the observer, if there is one.
    pub(crate) fn tell(&self, settled: &Settled<'_>) {
        self.0.observer.iter().for_each(|observer| observer.hear(settled));
    }

    /// Sets the tries of a group after the first, from the next failure of a message on; `None` sets the default: 16, or no
    /// limit in orderly mode. Returns false when the group is not at work.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().listen("orders", "billing", || async {}).on_ready(|context| async move {
    ///     assert!(context.set_max_reconsume_times("billing", Some(3)));
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn set_max_reconsume_times(&self, group: &str, times: Option<u32>) -> bool {
        self.0.consumers.with_group(group, |running| running.set_max_reconsume_times(times))
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &RocketmqTemplate> {
        self.0.template.iter().chain(self.0.named.values())
    }

    pub(crate) async fn stop_receiving(&self) {
        join_all(self.0.receivers.values().map(Receiver::shutdown)).await;
    }

    /// Returns the health of the application and of each listener; [`health`](crate::health) shows a use.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     println!("{} listeners", context.health().listeners.len());
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn health(&self) -> Health {
        let listeners = self.0.listeners.iter().map(|watched| watched.health(self.0.lag_grows_for));
        let listeners: Vec<_> = listeners.collect();
        let ready = self.0.ready.load(Relaxed) && listeners.iter().all(ListenerHealth::is_ready);
        Health { ready, listeners }
    }

    /// Connects the health of the group's listeners with that of their consumer.
    pub(crate) fn watch(&self, group: &str, consumer: &ConsumerHealth) {
        for watched in self.0.listeners.iter().filter(|watched| watched.group == group) {
            // A group starts once.
            let _ = watched.consumer.set(consumer.clone());
        }
    }

    /// Asks the application to shut down, as a signal does: messages in flight are finished first. Returns at once.
    ///
    /// ```
    /// use rocketmq_starter::{App, Context, Text};
    ///
    /// /// Ends the application after the last line.
    /// async fn read(Text(line): Text, context: Context) {
    ///     if line == "end" {
    ///         context.stop();
    ///     }
    /// }
    ///
    /// let app = App::new().listen("lines", "reader", read);
    /// # drop(app);
    /// ```
    pub fn stop(&self) {
        self.0.stop.notify_one();
    }

    /// Returns the counters of the listener that has this topic in this group.
    pub(crate) fn counters(&self, group: &str, topic: &str) -> Arc<Counters> {
        let is = |watched: &&Watched| watched.group == group && watched.topic == topic;
        self.0.listeners.iter().find(is).map(|watched| Arc::clone(&watched.counters)).unwrap_or_default()
    }

    pub(crate) async fn stopped(&self) {
        self.0.stop.notified().await;
    }

    /// Tells what a shutdown that ends now leaves undone.
    pub(crate) fn interrupted(&self) -> Interrupted {
        let busy = self.health().listeners.into_iter().filter(|it| it.in_flight > 0);
        let messages = busy.map(|it| CutMessages { listener: it.name, group: it.group, count: it.in_flight });
        Interrupted::new(messages.collect(), self.0.stop_hooks_done.load(Relaxed))
    }

    pub(crate) fn set_stop_hooks_done(&self) {
        self.0.stop_hooks_done.store(true, Relaxed);
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Relaxed);
    }
}

impl Watched {
    fn health(&self, lag_grows_for: Duration) -> ListenerHealth {
        let (name, group, topic) = (self.name.clone(), self.group.clone(), self.topic.clone());
        let mut health = ListenerHealth { name, group, topic, ..self.counters.health() };
        let Some(consumer) = self.consumer.get() else { return health };
        health.paused = consumer.is_paused();
        health.concurrency = consumer.concurrency();
        health.name_server_error = consumer.name_server_error();
        if let Some(topic) = consumer.topics().into_iter().find(|topic| topic.topic == self.topic) {
            health = health.with(topic);
        }
        health.lag_growth = self.trend.note(Instant::now(), health.lag, lag_grows_for);
        health
    }
}

impl FromContext for RocketmqTemplate {
    fn needs(needs: &mut Needs) {
        needs.template();
    }

    fn from_context(context: &Context) -> Result<Self, Rejection> {
        context
            .template()
            .cloned()
            .ok_or_else(|| Rejection::not_now("no `rocketmq.producer.group` is configured"))
    }
}

impl FromMessage for RocketmqTemplate {
    fn needs(needs: &mut Needs) {
        needs.template();
    }

    fn from_message(_: &Delivery, context: &Context) -> Result<Self, Rejection> {
        Self::from_context(context)
    }
}

/// The whole context.
impl FromMessage for Context {
    fn from_message(_: &Delivery, context: &Context) -> Result<Self, Rejection> {
        Ok(context.clone())
    }
}

impl FromContext for Context {
    fn from_context(context: &Context) -> Result<Self, Rejection> {
        Ok(context.clone())
    }
}
