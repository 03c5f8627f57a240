//! Starting: first everything is looked at, then everything is connected.

use super::App;
use super::backend::Backend;
use super::clients::Clients;
use super::consumers::{Consumers, GroupConsumer};
use super::hooks::Hooks;
use super::plan::{self, GroupPlan};
use super::producers::{self, ProducerPlan};
use super::pull;
use super::running::RunningApp;
use crate::checker::TransactionChecker;
use crate::config::RocketmqProperties;
use crate::config::sources::Sources;
use crate::context::{Context, Shared, States, Watched};
use crate::error::{Mistake, MistakeKind, StartError};
use crate::health::Counters;
use crate::template::RocketmqTemplate;
use rocketmq_client::Client;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What is to be started, free of mistakes.
#[derive(Debug)]
struct Plan {
    groups: Vec<GroupPlan>,
    producers: Vec<ProducerPlan>,
    states: States,
    properties: RocketmqProperties,
    on_start: Hooks,
    on_ready: Hooks,
    on_stop: Hooks,
}

pub(super) async fn start(app: App) -> Result<RunningApp, StartError> {
    let interceptors = app.interceptors.clone();
    let plan = look(app)?;
    let backend = Backend::start(&plan.properties, needs_default_cluster(&plan)).await?;
    let mut clients = Clients::new(&plan.properties, interceptors);
    let consumers = Consumers::default();
    match connect(plan, &backend, &mut clients, &consumers).await {
        Ok((context, on_stop)) => Ok(RunningApp::new(context, consumers, clients, backend, on_stop)),
        Err(mistake) => {
            consumers.shutdown().await;
            clients.shutdown().await;
            backend.shutdown().await;
            Err(mistake.into())
        }
    }
}

/// Reads the configuration and checks everything that can be checked without a connection.
fn look(mut app: App) -> Result<Plan, StartError> {
    let mut mistakes = Vec::new();
    let environment = app.variables.take().unwrap_or_else(process_environment);
    let set = std::mem::take(&mut app.set);
    let sources =
        Sources::load(app.file.as_deref(), app.profiles.as_deref(), environment, set, &mut mistakes);
    let mut properties = RocketmqProperties::read(&sources, &mut mistakes);
    for change in std::mem::take(&mut app.configure) {
        change(&mut properties);
    }
    properties.tls.check(&mut mistakes);
    if app.discover {
        app.add_discovered();
    }
    let known = plan::groups(&app.listeners, &sources);
    let mut groups = plan::plan(app.listeners, &sources, &mut mistakes);
    plan::allocate(app.allocations, &known, &mut groups, &sources, &mut mistakes);
    let checkers = app.checkers;
    let producers = producers::plan(&properties, checkers.clone(), &sources, &mut mistakes);
    check_needs(&groups, &checkers, &app.states, &producers, &mut mistakes);
    pull::check(&properties.pull_consumer, has_template(&producers), &mut mistakes);
    let plan = Plan {
        groups,
        producers,
        states: app.states,
        properties,
        on_start: app.on_start,
        on_ready: app.on_ready,
        on_stop: app.on_stop,
    };
    check_name_server(&plan, &mut mistakes);
    warn_about_unused(&sources);
    if mistakes.is_empty() { Ok(plan) } else { Err(StartError::of(mistakes)) }
}

/// Variables that are not Unicode name no key of ours.
fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn check_needs(
    groups: &[GroupPlan],
    checkers: &[TransactionChecker],
    states: &States,
    producers: &[ProducerPlan],
    mistakes: &mut Vec<Mistake>,
) {
    let has_template = has_template(producers);
    for listener in
        groups.iter().flat_map(|group| &group.subscriptions).map(|subscription| &subscription.listener)
    {
        plan::check_needs(&listener.spec.described(), &listener.needs, states, has_template, mistakes);
    }
    for checker in checkers {
        plan::check_needs(&checker.spec.described(), &checker.needs, states, has_template, mistakes);
    }
}

fn has_template(producers: &[ProducerPlan]) -> bool {
    producers.iter().any(|producer| producer.name.is_none())
}

fn needs_default_cluster(plan: &Plan) -> bool {
    plan.groups.iter().any(|group| group.options.name_server.is_none())
        || plan.producers.iter().any(|producer| producer.properties.name_server.is_none())
}

fn check_name_server(plan: &Plan, mistakes: &mut Vec<Mistake>) {
    if !Backend::is_embeddable() && plan.properties.name_server.is_none() && needs_default_cluster(plan) {
        let message = "no name server is configured: set `rocketmq.name-server`, for example to \"127.0.0.1:9876\", or \
                       the variable ROCKETMQ_NAME_SERVER; with the feature `embedded` of rocketmq-starter a broker \
                       inside the application is used instead";
        mistakes.push(Mistake::new(MistakeKind::NoNameServer, message));
    }
}

/// A misspelt variable cannot be told from one that is meant for another program, so it is only a warning.
fn warn_about_unused(sources: &Sources) {
    for name in sources.unused_variables() {
        tracing::warn!(variable = name, "this variable stands for no key of this application");
    }
}

/// In an order that lets nothing arrive too early.
async fn connect(
    plan: Plan,
    backend: &Backend,
    clients: &mut Clients,
    consumers: &Consumers,
) -> Result<(Context, Hooks), Mistake> {
    let shared = Shared {
        client: first_client(&plan, backend, clients).await?,
        receiver: pull::start(&plan.properties.pull_consumer, backend, clients).await?.map(Arc::new),
        listeners: watched(&plan.groups),
        states: plan.states,
        consumers: consumers.known(),
        ..Shared::default()
    };
    let context = start_producers(&plan.producers, shared, backend, clients).await?;
    let hook_failed = |error| Mistake::new(MistakeKind::Hook, format!("the start-up hook failed: {error}"));
    plan.on_start.run(&context).await.map_err(hook_failed)?;
    for group in plan.groups {
        let name_server = backend.or_default(group.options.name_server.clone());
        consumers.add(GroupConsumer::start(group, &name_server, clients, &context).await?);
    }
    context.set_ready(true);
    plan.on_ready.run(&context).await.map_err(hook_failed)?;
    Ok((context, plan.on_stop))
}

/// The client of `[rocketmq.producer]`, else of whoever comes first: no connection is made for it alone.
async fn first_client(
    plan: &Plan,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Option<Client>, Mistake> {
    let producers = plan.producers.iter().map(|it| (&it.properties.name_server, &it.properties.access));
    let groups = plan.groups.iter().map(|it| (&it.options.name_server, &it.options.access));
    let Some((name_server, access)) = producers.chain(groups).next() else { return Ok(None) };
    Ok(Some(clients.get(&backend.or_default(name_server.clone()), access).await?.client))
}

async fn start_producers(
    plans: &[ProducerPlan],
    mut shared: Shared,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Context, Mistake> {
    let later = Arc::new(OnceLock::new());
    for plan in plans {
        let name_server = backend.or_default(plan.properties.name_server.clone());
        let producer = producers::start(plan, &name_server, clients, &later).await?;
        let template = RocketmqTemplate::new(producer).receiving_from(shared.receiver.clone());
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
        let one = move |subscription: &plan::Subscription| Watched {
            name: subscription.listener.name().to_owned(),
            group: name.clone(),
            topic: subscription.topic.clone(),
            counters: Arc::new(Counters::default()),
            consumer: OnceLock::new(),
        };
        group.subscriptions.iter().map(one).collect::<Vec<_>>()
    };
    groups.iter().flat_map(watch).collect()
}
