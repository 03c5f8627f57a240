//! Starts the parts of a plan.

use super::App;
use super::backend::Backend;
use super::clients::Clients;
use super::consumers::{Consumers, GroupConsumer};
use super::groups::{GroupPlan, Subscription};
use super::hooks::Hooks;
use super::pages::Pages;
use super::plan::{self, Plan};
use super::producers::{self, ProducerPlan};
use super::pull;
use super::running::RunningApp;
use super::watch;
use crate::context::{Context, Shared, Watched};
use crate::error::{Mistake, MistakeKind, StartError};
use crate::health::{Counters, LAG_GROWS_FOR, Trend};
use crate::layer::Layers;
use crate::template::RocketmqTemplate;
use rocketmq_client::Client;
use std::sync::{Arc, OnceLock};

pub(super) async fn start(app: App) -> Result<RunningApp, StartError> {
    let mut plan = plan::plan(app)?;
    let (level, watch) = (plan.level.clone(), plan.watch.take());
    level.start();
    let mut pages = Pages::start(&plan.properties).await?;
    let backend = match &plan.stage {
        Some(stage) => Backend::only(&stage.name_server),
        None => Backend::start(&plan.properties, &plan.parties()).await?,
    };
    pages.develop(&backend).await?;
    let mut clients = Clients::new(plan.way.clone());
    let consumers = Consumers::default();
    match connect(plan, &backend, &mut clients, &consumers, &pages).await {
        Ok((context, on_stop)) => {
            let watching = watch.map(|(watch, every)| watch::start(watch, context.clone(), level, every));
            Ok(RunningApp::new(context, consumers, clients, backend, pages, on_stop).watched_by(watching))
        }
        Err(error) => {
            consumers.shutdown().await;
            clients.shutdown().await;
            backend.shutdown().await;
            Err(error)
        }
    }
}

/// Connects in an order in which no message arrives too early.
async fn connect(
    plan: Plan,
    backend: &Backend,
    clients: &mut Clients,
    consumers: &Consumers,
    pages: &Pages,
) -> Result<(Context, Hooks), StartError> {
    clients.connect(backend, &plan.parties()).await?;
    let shared = Shared {
        client: first_client(&plan, backend, clients).await?,
        receivers: pull::start_all(&plan.pulls, backend, clients).await?,
        listeners: watched(&plan.groups),
        states: plan.states,
        observer: plan.stage.map(|stage| stage.observer).or_else(|| pages.observer()),
        sections: plan.sections,
        sources: plan.sources,
        consumers: consumers.known(),
        lag_grows_for: plan.properties.management.lag_grows_for.unwrap_or(LAG_GROWS_FOR),
        ..Shared::default()
    };
    let context = start_producers(&plan.producers, &plan.layers, shared, backend, clients).await?;
    pages.show(&context);
    let hook_failed = |error| Mistake::new(MistakeKind::Hook, format!("the start-up hook failed: {error}"));
    plan.on_start.run(&context).await.map_err(hook_failed)?;
    for group in plan.groups {
        consumers.add(GroupConsumer::start(group, backend, clients, &context).await?);
    }
    context.set_ready(true);
    plan.on_ready.run(&context).await.map_err(hook_failed)?;
    Ok((context, plan.on_stop))
}

/// Returns the client of `[rocketmq.producer]`, else of the first listeners or pull consumer.
async fn first_client(
    plan: &Plan,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Option<Client>, Mistake> {
    let Some(first) = plan.parties().into_iter().next() else { return Ok(None) };
    Ok(Some(clients.get(backend, first.site).await?.client))
}

async fn start_producers(
    plans: &[ProducerPlan],
    layers: &Layers,
    mut shared: Shared,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Context, Mistake> {
    let later = Arc::new(OnceLock::new());
    for plan in plans {
        let producer = producers::start(plan, backend, clients, &later).await?;
        let template = RocketmqTemplate::new(producer)
            .layered(layers)
            .receiving_from(shared.receivers.get(&None).cloned());
        match &plan.name {
            Some(name) => drop(shared.named.insert(name.clone(), template)),
            None => shared.template = Some(template),
        }
    }
    let context = Context::new(shared);
    // Checkers that were asked before this moment answered "unknown" and are asked again.
    let _ = later.set(context.clone());
    Ok(context)
}

fn watched(groups: &[GroupPlan]) -> Vec<Watched> {
    let watch = |group: &GroupPlan| {
        let name = group.group.clone();
        let one = move |subscription: &Subscription| Watched {
            name: subscription.listener.name().to_owned(),
            group: name.clone(),
            topic: subscription.topic.clone(),
            counters: Arc::new(Counters::default()),
            trend: Trend::default(),
            consumer: OnceLock::new(),
        };
        group.subscriptions.iter().map(one).collect::<Vec<_>>()
    };
    groups.iter().flat_map(watch).collect()
}
