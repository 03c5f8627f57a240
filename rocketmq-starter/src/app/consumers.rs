//! Starts the consumer of each group, and ends it.

use super::backend::Backend;
use super::clients::Clients;
use super::groups::{Filter, GroupPlan, Subscription};
use super::summary::Listeners;
use crate::config::set;
use crate::context::Context;
use crate::dispatch::{Bound, Dispatcher};
use crate::error::{Mistake, MistakeKind};
use crate::health;
use crate::listener::options::{ConsumeMode, GroupOptions, MessageModel};
use crate::listener::{Call, Settlement};
use crate::replier::Replier;
use futures_util::future::join_all;
use rocketmq_client::Client;
use rocketmq_client::consumer::{ConsumerConfig, HealthChange, PushConsumerBuilder, Running};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The default time that a shutdown waits for messages in flight. It is longer than the client's own ten seconds:
/// an application that is asked to end has usually thirty before it is killed.
const AWAIT_TERMINATION: Duration = Duration::from_secs(25);

/// The consumers of all groups at work. The application owns them; contexts, which handlers hold, only know them.
#[derive(Debug, Default)]
pub(crate) struct Consumers(Arc<Mutex<Vec<GroupConsumer>>>);

/// The consumers, as long as the application is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownConsumers(Weak<Mutex<Vec<GroupConsumer>>>);

impl Consumers {
    pub(crate) fn known(&self) -> KnownConsumers {
        KnownConsumers(Arc::downgrade(&self.0))
    }

    pub(crate) fn add(&self, consumer: GroupConsumer) {
        lock(&self.0).push(consumer);
    }

    /// All groups at once: the time to finish is not added up.
    pub(crate) async fn shutdown(self) {
        let consumers = std::mem::take(&mut *lock(&self.0));
        join_all(consumers.into_iter().map(GroupConsumer::shutdown)).await;
    }
}

impl KnownConsumers {
    /// Acts on the consumer of the group; returns false when there is none.
    pub(crate) fn with_group(&self, group: &str, act: impl FnOnce(&Running)) -> bool {
        let Some(consumers) = self.0.upgrade() else { return false };
        let consumers = lock(&consumers);
        let consumer = consumers.iter().find(|consumer| consumer.running.group() == group);
        consumer.map(|consumer| act(&consumer.running)).is_some()
    }
}

fn lock(consumers: &Mutex<Vec<GroupConsumer>>) -> MutexGuard<'_, Vec<GroupConsumer>> {
    consumers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The consumer of one group, at work.
pub(crate) struct GroupConsumer {
    running: Running,
    await_termination: Duration,
    calls: Vec<Call>,
}

impl GroupConsumer {
    pub(crate) async fn start(
        plan: GroupPlan,
        backend: &Backend,
        clients: &mut Clients,
        context: &Context,
    ) -> Result<Self, Mistake> {
        let connected = clients.get(backend, plan.site()).await?;
        let await_termination = plan.options.await_termination.unwrap_or(AWAIT_TERMINATION);
        let (group, batch) = (plan.group.clone(), plan.options.batch);
        let calls = plan.subscriptions.iter().map(|it| it.listener.call.clone()).collect();
        let (consumer, listeners) = (subscribe(&connected.client, &plan), Listeners::of(&plan));
        let dispatcher = dispatcher(plan, &connected.replier, context);
        let started = if batch > 1 {
            consumer.listen_batch(dispatcher).await
        } else {
            consumer.listen(dispatcher).await
        };
        let running = started.map_err(|error| {
            Mistake::new(
                MistakeKind::Connect,
                format!("the consumer of group `{group}` did not start: {error}"),
            )
        })?;
        listeners.log(&connected.name_server, running.concurrency());
        context.watch(running.group(), &running.health());
        Ok(GroupConsumer { running, await_termination, calls })
    }

    /// Finishes what is in flight, commits, and leaves the group.
    async fn shutdown(self) {
        self.running.shutdown_within(self.await_termination).await;
        let ends = join_all(self.calls.iter().map(Call::end));
        if tokio::time::timeout(self.await_termination, ends).await.is_err() {
            tracing::warn!(limit = ?self.await_termination, "a stream listener did not come to its end in time");
        }
    }
}

impl fmt::Debug for GroupConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupConsumer").field("running", &self.running).finish_non_exhaustive()
    }
}

fn dispatcher(plan: GroupPlan, replier: &Replier, context: &Context) -> Dispatcher {
    let group = plan.group;
    let bound = plan.subscriptions.into_iter().map(|Subscription { topic, listener, options, .. }| {
        let settlement = Settlement {
            group: group.clone(),
            listener: listener.name().to_owned(),
            options,
            counters: context.counters(&group, &topic),
            context: context.clone(),
            replier: Some(replier.clone()),
            layers: listener.layers.clone(),
        };
        (topic, Bound::new(listener, settlement))
    });
    Dispatcher::new(bound)
}

fn subscribe(client: &Client, plan: &GroupPlan) -> PushConsumerBuilder {
    let consumer = client.push_consumer(&plan.group).configure(|config| configure(config, &plan.options));
    let consumer = plan.options.tuning.allocate(consumer).on_health(tell(plan));
    plan.subscriptions.iter().fold(consumer, |consumer, subscription| match &subscription.filter {
        Filter::Tags(tags) => consumer.subscribe(&subscription.topic, tags),
        Filter::Sql(condition) => consumer.subscribe_sql(&subscription.topic, condition),
    })
}

/// Names the listener in the log when its topic comes into another state.
fn tell(plan: &GroupPlan) -> impl Fn(&HealthChange) + Send + Sync + 'static {
    let subscriptions = plan.subscriptions.iter();
    let names: HashMap<_, _> =
        subscriptions.map(|it| (it.topic.clone(), it.listener.name().to_owned())).collect();
    move |change| health::log(names.get(&change.topic).map_or("", String::as_str), change)
}

/// Sets the configured values; others keep the client's default.
fn configure(config: &mut ConsumerConfig, options: &GroupOptions) {
    config.orderly = options.mode == ConsumeMode::Orderly;
    config.model = match options.model {
        MessageModel::Clustering => rocketmq_client::consumer::MessageModel::Clustering,
        MessageModel::Broadcasting => rocketmq_client::consumer::MessageModel::Broadcasting,
    };
    config.batch = options.batch as usize;
    config.max_reconsume_times = options.max_reconsume_times;
    config.paused = options.paused;
    set(&mut config.concurrency, options.concurrency.map(|handlers| handlers as usize));
    set(&mut config.consume_timeout, options.consume_timeout);
    set(&mut config.suspend, options.suspend_time);
    set(&mut config.from_where, options.from);
    set(&mut config.pull_batch, options.pull_batch_size.and_then(|size| size.try_into().ok()));
    set(&mut config.pull_interval, options.pull_interval);
    options.tuning.apply(config);
    config.trace = options.trace.to_client();
}
