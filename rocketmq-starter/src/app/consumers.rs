//! Starts the consumer of each group, and ends it.

use super::clients::Clients;
use super::plan::{Filter, GroupPlan, Subscription};
use crate::config::set;
use crate::context::Context;
use crate::dispatch::{Bound, Dispatcher};
use crate::error::{Mistake, MistakeKind};
use crate::listener::options::{ConsumeMode, GroupOptions, MessageModel};
use crate::replier::Replier;
use rocketmq_client::Client;
use rocketmq_client::consumer::{ConsumerConfig, PushConsumerBuilder, Running};
use std::sync::Arc;
use std::time::Duration;

/// How long a shutdown waits for messages in flight, unless configured. Longer than the client's own ten seconds:
/// an application that is asked to end has usually thirty before it is killed.
const AWAIT_TERMINATION: Duration = Duration::from_secs(25);

/// The consumer of one group, at work.
#[derive(Debug)]
pub(crate) struct GroupConsumer {
    running: Running,
    await_termination: Duration,
}

impl GroupConsumer {
    pub(crate) async fn start(
        plan: GroupPlan,
        name_server: &str,
        clients: &mut Clients,
        context: &Context,
    ) -> Result<Self, Mistake> {
        let connected = clients.get(name_server, &plan.options.access).await?;
        let await_termination = plan.options.await_termination.unwrap_or(AWAIT_TERMINATION);
        let (group, batch) = (plan.group.clone(), plan.options.batch);
        let consumer = subscribe(&connected.client, &plan);
        let dispatcher = dispatcher(plan, &connected.replier, context);
        let started = if batch > 1 {
            consumer.listen_batch(move |deliveries| dispatcher.many(deliveries)).await
        } else {
            consumer.listen(move |delivery| dispatcher.one(delivery)).await
        };
        let running = started.map_err(|error| {
            Mistake::new(
                MistakeKind::Connect,
                format!("the consumer of group `{group}` did not start: {error}"),
            )
        })?;
        Ok(GroupConsumer { running, await_termination })
    }

    pub(crate) fn group(&self) -> &str {
        self.running.group()
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Finishes what is in flight, commits, and leaves the group.
    pub(crate) async fn shutdown(self) {
        self.running.shutdown_within(self.await_termination).await;
    }
}

fn dispatcher(plan: GroupPlan, replier: &Replier, context: &Context) -> Dispatcher {
    let group = plan.group;
    let bound = plan.subscriptions.into_iter().map(|Subscription { topic, listener, options, .. }| {
        let counters = context.counters(&group, &topic);
        let bound = Bound::new(listener, options, counters, context.clone(), Some(replier.clone()));
        (topic, Arc::new(bound))
    });
    Dispatcher::new(bound)
}

fn subscribe(client: &Client, plan: &GroupPlan) -> PushConsumerBuilder {
    let consumer = client.push_consumer(&plan.group).configure(|config| configure(config, &plan.options));
    let consumer = plan.options.tuning.allocate(consumer);
    plan.subscriptions.iter().fold(consumer, |consumer, subscription| match &subscription.filter {
        Filter::Tags(tags) => consumer.subscribe(&subscription.topic, tags),
        Filter::Sql(condition) => consumer.subscribe_sql(&subscription.topic, condition),
    })
}

/// What is not configured stays at the client's default.
fn configure(config: &mut ConsumerConfig, options: &GroupOptions) {
    config.orderly = options.mode == ConsumeMode::Orderly;
    config.model = match options.model {
        MessageModel::Clustering => rocketmq_client::consumer::MessageModel::Clustering,
        MessageModel::Broadcasting => rocketmq_client::consumer::MessageModel::Broadcasting,
    };
    config.batch = options.batch as usize;
    config.max_reconsume_times = options.max_reconsume_times;
    set(&mut config.concurrency, options.concurrency.map(|handlers| handlers as usize));
    set(&mut config.consume_timeout, options.consume_timeout);
    set(&mut config.suspend, options.suspend_time);
    set(&mut config.from_where, options.from);
    set(&mut config.pull_batch, options.pull_batch_size.and_then(|size| size.try_into().ok()));
    set(&mut config.pull_interval, options.pull_interval);
    options.tuning.apply(config);
    config.trace = options.trace.to_client();
}
