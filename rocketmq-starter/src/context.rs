//! What a running application offers to its listeners, checkers and hooks.

use crate::app::KnownConsumers;
use crate::extract::{FromContext, FromMessage, Needs, Rejection};
use crate::health::{Counters, Health, ListenerHealth};
use crate::template::{Receiver, RocketmqTemplate};
use rocketmq_client::consumer::ConsumerHealth;
use rocketmq_client::{Client, Delivery, Running};
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// The values given to `App::state`, one of each type.
#[derive(Default, Clone)]
pub(crate) struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// A second value of a type takes the place of the first.
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

/// What a running application offers to its listeners, checkers and hooks. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Context(Arc<Shared>);

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) states: States,
    pub(crate) client: Option<Client>,
    pub(crate) consumers: KnownConsumers,
    pub(crate) template: Option<RocketmqTemplate>,
    pub(crate) named: BTreeMap<String, RocketmqTemplate>,
    pub(crate) receiver: Option<Arc<Receiver>>,
    pub(crate) listeners: Vec<Watched>,
    pub(crate) ready: AtomicBool,
    pub(crate) stop: Notify,
}

/// A listener whose work is counted.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) counters: Arc<Counters>,
    /// Set once its consumer has started.
    pub(crate) consumer: OnceLock<ConsumerHealth>,
}

impl Context {
    pub(crate) fn new(shared: Shared) -> Self {
        Context(Arc::new(shared))
    }

    /// What was given to [`App::state`](crate::App::state), if any of this type was.
    pub fn state<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.states.get()
    }

    /// The template over `[rocketmq.producer]`; none when no `rocketmq.producer.group` is configured.
    pub fn template(&self) -> Option<&RocketmqTemplate> {
        self.0.template.as_ref()
    }

    /// The template over `[rocketmq.producers.<name>]`.
    pub fn named_template(&self, name: &str) -> Option<&RocketmqTemplate> {
        self.0.named.get(name)
    }

    /// The client underneath: queries, offsets of groups, consumers of one's own. That of `[rocketmq.producer]`; without a
    /// producer the one of the first listeners, by group; without either none. Of other producers
    /// [`Producer::client`](rocketmq_client::Producer::client) tells:
    /// `context.named_template("audit")?.producer().client()`.
    ///
    /// The application shuts it down at its end. What one starts with it one ends oneself, in
    /// [`App::on_stop`](crate::App::on_stop).
    pub fn client(&self) -> Option<&Client> {
        self.0.client.as_ref()
    }

    /// Stops the group's listeners from being given new messages; what was pulled is still handled. Returns whether the
    /// application has such a group at work: not before its consumer has started, nor when it is being ended.
    ///
    /// ```
    /// use rocketmq_starter::{App, Context, Delivery, Outcome};
    ///
    /// /// Takes no more while there is no room.
    /// async fn archive(_delivery: Delivery, context: Context) -> Outcome {
    ///     context.pause("archive"); // whoever makes room calls `context.resume("archive")`
    ///     Outcome::Retry
    /// }
    ///
    /// let app = App::new().listen("orders", "archive", archive);
    /// # drop(app);
    /// ```
    pub fn pause(&self, group: &str) -> bool {
        self.0.consumers.with_group(group, Running::pause)
    }

    /// Takes back [`pause`](Self::pause). Returns the same.
    pub fn resume(&self, group: &str) -> bool {
        self.0.consumers.with_group(group, Running::resume)
    }

    /// Changes how many messages the group handles at once, within 1 to 1000; see
    /// [`Running::set_concurrency`](rocketmq_client::Running::set_concurrency). Returns as [`pause`](Self::pause).
    pub fn set_concurrency(&self, group: &str, handlers: usize) -> bool {
        self.0.consumers.with_group(group, |running| running.set_concurrency(handlers))
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &RocketmqTemplate> {
        self.0.template.iter().chain(self.0.named.values())
    }

    pub(crate) async fn stop_receiving(&self) {
        if let Some(receiver) = &self.0.receiver {
            receiver.shutdown().await;
        }
    }

    /// Whether the application is ready, if not why, and what its listeners did so far.
    pub fn health(&self) -> Health {
        let listeners: Vec<_> = self.0.listeners.iter().map(Watched::health).collect();
        let ready = self.0.ready.load(Relaxed) && listeners.iter().all(ListenerHealth::is_ready);
        Health { ready, listeners }
    }

    /// From now on the health of the group's listeners is that of its consumer.
    pub(crate) fn watch(&self, group: &str, consumer: &ConsumerHealth) {
        for watched in self.0.listeners.iter().filter(|watched| watched.group == group) {
            // A group starts once.
            let _ = watched.consumer.set(consumer.clone());
        }
    }

    /// Asks the application to shut down, as a signal would: what is in flight is finished first.
    pub fn stop(&self) {
        self.0.stop.notify_one();
    }

    /// The counters of the listener that has this topic in this group.
    pub(crate) fn counters(&self, group: &str, topic: &str) -> Arc<Counters> {
        let is = |watched: &&Watched| watched.group == group && watched.topic == topic;
        self.0.listeners.iter().find(is).map(|watched| Arc::clone(&watched.counters)).unwrap_or_default()
    }

    pub(crate) async fn stopped(&self) {
        self.0.stop.notified().await;
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Relaxed);
    }
}

impl Watched {
    fn health(&self) -> ListenerHealth {
        let (name, group, topic) = (self.name.clone(), self.group.clone(), self.topic.clone());
        let health = ListenerHealth { name, group, topic, ..self.counters.health() };
        let topics = self.consumer.get().map(ConsumerHealth::topics).unwrap_or_default();
        match topics.into_iter().find(|topic| topic.topic == self.topic) {
            Some(topic) => health.with(topic),
            None => health,
        }
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

/// The whole context, for templates by name and for health.
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
