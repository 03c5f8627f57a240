//! Plans an application before anything starts, or reports all mistakes.

use super::App;
use super::backend::Backend;
use super::clients::{Site, Way};
use super::groups::{self, GroupPlan};
use super::hooks::Hooks;
use super::log_level::Level;
use super::names::Known;
use super::pages::Pages;
use super::producers::{self, ProducerPlan};
use super::pull::{self, PullPlan};
use super::report;
use super::sections::{self, SectionReader};
use super::stage::Stage;
use super::watch::Watch;
use crate::__private::{DiscoveredChecker, DiscoveredListener};
use crate::config::parse;
use crate::config::sources::Sources;
use crate::config::{RocketmqProperties, clusters};
use crate::context::{Sections, States};
use crate::error::{Mistake, MistakeKind, StartError};
use crate::layer::Layers;
use crate::listener::Listener;
use crate::transaction::TransactionChecker;
use std::sync::Arc;
use std::time::Duration;

/// The parts of an application to start, free of mistakes.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) groups: Vec<GroupPlan>,
    pub(super) producers: Vec<ProducerPlan>,
    pub(super) pulls: Vec<PullPlan>,
    pub(super) states: States,
    pub(super) sections: Sections,
    pub(super) sources: Arc<Sources>,
    pub(super) properties: RocketmqProperties,
    pub(super) on_start: Hooks,
    pub(super) on_ready: Hooks,
    pub(super) on_stop: Hooks,
    pub(super) way: Way,
    pub(super) stage: Option<Stage>,
    pub(super) level: Level,
    /// The sources to look at while the application runs, and how often.
    pub(super) watch: Option<(Watch, Duration)>,
    pub(super) layers: Layers,
}

/// A producer or consumer that needs a client.
pub(super) struct Party<'p> {
    /// Its name in messages.
    pub(super) who: String,
    pub(super) site: Site<'p>,
}

impl Plan {
    /// Returns all that need a client, the producer of the template first.
    pub(super) fn parties(&self) -> Vec<Party<'_>> {
        let producers = self.producers.iter().map(|it| Party { who: it.section(), site: it.site() });
        let groups = self
            .groups
            .iter()
            .map(|it| Party { who: format!("the listeners of group `{}`", it.group), site: it.site() });
        let pulls = self.pulls.iter().map(|it| Party { who: it.section(), site: it.site() });
        producers.chain(groups).chain(pulls).collect()
    }

    fn check(&self, mistakes: &mut Vec<Mistake>) {
        let parties = self.parties();
        Backend::check(&self.properties, &parties, mistakes);
        self.way.check(&parties, mistakes);
        Pages::check(&self.properties, mistakes);
        pull::check(&self.pulls, &self.groups, self.has_template(), mistakes);
    }

    fn has_template(&self) -> bool {
        self.producers.iter().any(|producer| producer.name.is_none())
    }
}

/// Reads the configuration and checks everything that can be checked without a connection.
pub(super) fn plan(mut app: App) -> Result<Plan, StartError> {
    let mut mistakes = Vec::new();
    let sources = app.origins.read(&mut mistakes);
    let properties = properties(&mut app, &sources, &mut mistakes);
    let left_out = discover(&mut app);
    let level = Level::of(&app, &sources);
    let watch = watch(&app, &sources);
    let known = Known::of(app.listeners.iter().chain(&left_out), &sources);
    known.check(&sources, &mut mistakes);
    let surround = |it: Listener| Listener { layers: app.layers.around(&it.layers), ..it };
    let listeners = app.listeners.into_iter().map(surround).collect();
    let mut groups = groups::plan(listeners, &sources, &mut mistakes);
    groups::settle(&mut groups, &properties.clusters, &mut mistakes);
    groups::allocate(app.allocations, &known, &mut groups, &sources, &mut mistakes);
    let producers = producers::plan(&properties, app.checkers.clone(), &sources, &mut mistakes);
    let pulls = pull::plan(&properties, &sources, &mut mistakes);
    let sections = sections::read(&app.sections, &sources, &mut mistakes);
    let way = Way::new(&properties, app.interceptors);
    let plan = Plan {
        groups,
        producers,
        pulls,
        states: app.states,
        sections,
        sources: Arc::new(sources),
        properties,
        on_start: app.on_start,
        on_ready: app.on_ready,
        on_stop: app.on_stop,
        way,
        stage: app.stage,
        level,
        watch,
        layers: app.layers,
    };
    check_needs(&plan, &app.checkers, &app.sections, &mut mistakes);
    plan.check(&mut mistakes);
    plan.sources.check_variables(&mut mistakes);
    plan.sources.warn_of_no_effect();
    if mistakes.is_empty() { Ok(plan) } else { Err(StartError::of(mistakes)) }
}

/// Logs the configuration if that is asked for, and keeps it to notice changes.
fn watch(app: &App, sources: &Sources) -> Option<(Watch, Duration)> {
    let specs = report::specs(app);
    // Planning reports the mistakes once more.
    let report = report::of_sources(sources, &specs, &mut Vec::new());
    let asked = report.get("rocketmq.config-report").and_then(|value| value.set());
    if asked.is_some_and(|text| parse::switch(text) == Ok(true)) {
        tracing::info!("the configuration is:\n{report}");
    }
    app.watch.map(|every| (Watch::new(app.origins.clone(), sources.files(), specs, report), every))
}

fn properties(app: &mut App, sources: &Sources, mistakes: &mut Vec<Mistake>) -> RocketmqProperties {
    let read = RocketmqProperties::read(sources, mistakes);
    let mut properties = read.clone();
    for change in std::mem::take(&mut app.configure) {
        change(&mut properties);
    }
    properties.check_changes(&read, mistakes);
    properties.tls.check("rocketmq.tls", mistakes);
    clusters::check(&properties.clusters, mistakes);
    properties
}

/// Adds the annotated functions of this binary after `App::discover`. Else it warns of those that are not registered, and
/// returns their listeners.
fn discover(app: &mut App) -> Vec<Listener> {
    if app.discover {
        app.add_discovered();
        return Vec::new();
    }
    let found = inventory::iter::<DiscoveredListener>.into_iter().map(|DiscoveredListener(make)| make());
    let left_out: Vec<_> =
        found.filter(|found| app.listeners.iter().all(|known| known.spec != found.spec)).collect();
    for listener in &left_out {
        warn_of_left_out("listener", &listener.spec.described());
    }
    for DiscoveredChecker(make) in inventory::iter::<DiscoveredChecker> {
        let checker = make();
        if app.checkers.iter().all(|known| known.spec != checker.spec) {
            warn_of_left_out("transaction_listener", &checker.spec.described());
        }
    }
    left_out
}

fn warn_of_left_out(register: &str, described: &str) {
    tracing::warn!(
        "{described} is not registered and gets nothing: add it by `.{register}(..)`, or all of them by `.discover()`"
    );
}

fn check_needs(
    plan: &Plan,
    checkers: &[TransactionChecker],
    sections: &[SectionReader],
    mistakes: &mut Vec<Mistake>,
) {
    let subscriptions = plan.groups.iter().flat_map(|group| &group.subscriptions);
    let listeners = subscriptions.map(|it| (it.listener.spec.described(), &it.listener.needs));
    let checkers = checkers.iter().map(|checker| (checker.spec.described(), &checker.needs));
    for (described, needs) in listeners.chain(checkers) {
        groups::check_needs(&described, needs, &plan.states, plan.has_template(), mistakes);
        for (_, name) in needs.configs().iter().filter(|(id, _)| !sections::is_given(sections, *id)) {
            let message =
                format!("{described} takes `Config<{name}>`: add `.config::<{name}>(\"..\")` to the App");
            mistakes.push(Mistake::new(MistakeKind::MissingConfig, message));
        }
    }
}

/// Makes the mistake of a missing name server.
pub(super) fn no_name_server() -> Mistake {
    let message = "no name server is configured: set `rocketmq.name-server`, for example to \"127.0.0.1:9876\", or the variable \
                   ROCKETMQ_NAME_SERVER; with the feature `embedded` of rocketmq-starter a broker inside the application is \
                   used instead";
    Mistake::new(MistakeKind::NoNameServer, message)
}
