//! The producers of an application: `[rocketmq.producer]` and `[rocketmq.producers.<name>]`.

use super::backend::Backend;
use super::clients::{Clients, Connected, Site, table};
use super::{settings, summary};
use crate::config::clusters::{self, Whereabouts};
use crate::config::sources::Sources;
use crate::config::{ProducerProperties, RocketmqProperties, set};
use crate::context::Context;
use crate::error::{Mistake, MistakeKind};
use crate::transaction::{Checkers, TransactionChecker};
use rocketmq_client::producer::ProducerConfig;
use rocketmq_client::{Producer, TransactionState};
use std::sync::{Arc, OnceLock};

/// One producer to start.
#[derive(Debug)]
pub(crate) struct ProducerPlan {
    /// `None` for `[rocketmq.producer]`.
    pub(crate) name: Option<String>,
    pub(crate) group: String,
    pub(crate) properties: ProducerProperties,
    pub(crate) checkers: Vec<(Option<String>, TransactionChecker)>,
    /// The places of its settings, for the log.
    pub(crate) settings: String,
}

impl ProducerPlan {
    /// The table of its settings.
    pub(crate) fn section(&self) -> String {
        format!("`{}`", self.table())
    }

    fn table(&self) -> String {
        table("producer", self.name.as_deref())
    }

    pub(crate) fn site(&self) -> Site<'_> {
        Site {
            cluster: self.properties.cluster.as_deref(),
            name_server: self.properties.name_server.as_deref(),
            access: &self.properties.access,
        }
    }
}

/// Plans every producer that has a group, and gives each checker to the producers of its group.
pub(crate) fn plan(
    properties: &RocketmqProperties,
    checkers: Vec<TransactionChecker>,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> Vec<ProducerPlan> {
    let mut plans = Vec::new();
    plans.extend(plan_one(None, properties.producer.clone(), sources));
    for (name, own) in &properties.producers {
        let own = own.inheriting(&properties.producer, properties.name_server.as_deref());
        if own.group.is_none() {
            let message =
                format!("`rocketmq.producers.{name}` has no group: set `rocketmq.producers.{name}.group`");
            mistakes.push(Mistake::new(MistakeKind::MissingGroup, message));
        }
        plans.extend(plan_one(Some(name.clone()), own, sources));
    }
    settle(&mut plans, properties, sources, mistakes);
    check_groups(&plans, mistakes);
    for checker in checkers {
        assign(checker, &mut plans, sources, mistakes);
    }
    plans
}

fn plan_one(name: Option<String>, properties: ProducerProperties, sources: &Sources) -> Option<ProducerPlan> {
    let group = properties.group.clone()?;
    let credentials = properties.access.access_key.is_some();
    let settings = settings::of_producer(sources, name.as_deref(), credentials);
    Some(ProducerPlan { name, group, properties, checkers: Vec::new(), settings })
}

/// Fills in what the clusters say that producers name.
fn settle(
    plans: &mut [ProducerPlan],
    properties: &RocketmqProperties,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) {
    for plan in plans {
        let keys = [plan.table(), table("producer", None)].map(|table| format!("{table}.cluster"));
        let ProducerProperties { cluster, name_server, access, .. } = &mut plan.properties;
        let written = clusters::written(sources, &keys);
        let place = Whereabouts { cluster: cluster.as_deref(), name_server, access };
        clusters::settle(&properties.clusters, place, &written, mistakes);
    }
}

/// One client has one producer of a group.
fn check_groups(plans: &[ProducerPlan], mistakes: &mut Vec<Mistake>) {
    let same = |one: &ProducerPlan, other: &ProducerPlan| {
        let (own, others) = (&one.properties, &other.properties);
        let together = own.cluster == others.cluster && own.name_server == others.name_server;
        one.group == other.group && together && own.access == others.access
    };
    for (index, plan) in plans.iter().enumerate() {
        if let Some(first) = plans[..index].iter().find(|first| same(first, plan)) {
            let message = format!(
                "{} and {} both have the group \"{}\"; give one of them another",
                first.section(),
                plan.section(),
                plan.group
            );
            mistakes.push(Mistake::new(MistakeKind::Subscription, message));
        }
    }
}

fn assign(
    checker: TransactionChecker,
    plans: &mut [ProducerPlan],
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) {
    let mut resolve = |text: Option<&str>| match text.map(|text| sources.resolve(text)).transpose() {
        Ok(text) => Some(text),
        Err(error) => {
            let message = format!("{}: {error}", checker.spec.described());
            mistakes.push(Mistake::new(MistakeKind::Placeholder, message));
            None
        }
    };
    let (Some(group), Some(name)) = (resolve(checker.spec.group), resolve(checker.spec.name)) else { return };
    let groups: Vec<_> = plans.iter().map(|plan| plan.group.clone()).collect();
    let matching = |plan: &&mut ProducerPlan| match &group {
        Some(group) => plan.group == *group,
        None => plan.name.is_none(),
    };
    let mut found = false;
    for plan in plans.iter_mut().filter(matching) {
        found = true;
        if let Some((_, first)) = plan.checkers.iter().find(|(own, _)| *own == name) {
            mistakes.push(same_name(first, &checker, &plan.group));
        }
        plan.checkers.push((name.clone(), checker.clone()));
    }
    if !found {
        mistakes.push(no_producer(&checker, group.as_deref(), &groups));
    }
}

fn same_name(first: &TransactionChecker, second: &TransactionChecker, group: &str) -> Mistake {
    let message = format!(
        "{} and {} both answer for producer group `{group}`; give each a `name`, and choose it with `checked_by`",
        first.spec.described(),
        second.spec.described()
    );
    Mistake::new(MistakeKind::Transaction, message)
}

fn no_producer(checker: &TransactionChecker, group: Option<&str>, groups: &[String]) -> Mistake {
    let described = checker.spec.described();
    let message = match group {
        Some(group) if !groups.is_empty() => format!(
            "{described} answers for producer group `{group}`, but this application's groups are {}",
            groups.join(", ")
        ),
        _ => format!("{described} needs a producer: set `rocketmq.producer.group`"),
    };
    Mistake::new(MistakeKind::MissingGroup, message)
}

/// Starts one producer. Its checkers wait for `context`, which is complete only when all producers are there.
pub(crate) async fn start(
    plan: &ProducerPlan,
    backend: &Backend,
    clients: &mut Clients,
    context: &Arc<OnceLock<Context>>,
) -> Result<Producer, Mistake> {
    let Connected { client, name_server, .. } = clients.get(backend, plan.site()).await?;
    let mut builder = client.producer(&plan.group).configure(|config| configure(config, &plan.properties));
    if !plan.checkers.is_empty() {
        let (checkers, context) = (Checkers::new(plan.checkers.clone()), Arc::clone(context));
        builder = builder.transaction_checker(move |half| {
            let (checkers, context) = (checkers.clone(), context.get().cloned());
            async move {
                match context {
                    Some(context) => checkers.check(half, &context).await,
                    None => TransactionState::Unknown,
                }
            }
        });
    }
    let producer = builder.build().await.map_err(|error| {
        Mistake::new(
            MistakeKind::Connect,
            format!("the producer of group `{}` did not start: {error}", plan.group),
        )
    })?;
    summary::log_producer(plan, &name_server);
    Ok(producer)
}

/// Sets the configured values; others keep the client's default.
fn configure(config: &mut ProducerConfig, properties: &ProducerProperties) {
    set(&mut config.send_timeout, properties.send_message_timeout);
    set(&mut config.retries, properties.retry_times_when_send_failed);
    set(&mut config.retry_when_not_durable, properties.retry_next_server);
    set(&mut config.compress_threshold, properties.compress_message_body_threshold);
    set(&mut config.max_message_size, properties.max_message_size);
    properties.tuning.apply(config);
    config.trace = properties.trace.to_client();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Needs;
    use crate::transaction::{CheckerSpec, checker, decision};

    fn named(group: Option<&'static str>, name: Option<&'static str>) -> TransactionChecker {
        let spec = CheckerSpec { function: "check", place: "here", group, name };
        checker(spec, Needs::default(), |_, _| decision(std::future::ready(TransactionState::Commit)))
    }

    fn planned(toml: &str, checkers: Vec<TransactionChecker>) -> (Vec<ProducerPlan>, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let properties = RocketmqProperties::read(&sources, &mut mistakes);
        let plans = plan(&properties, checkers, &sources, &mut mistakes);
        (plans, mistakes.iter().map(ToString::to_string).collect())
    }

    const TWO: &str = "[rocketmq.producer]\ngroup = 'a'\n[rocketmq.producers.audit]\ngroup = 'b'";

    #[test]
    fn each_checker_goes_to_the_producers_of_its_group() {
        let (plans, mistakes) = planned(TWO, vec![named(None, None), named(Some("${g:b}"), Some("x"))]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(plans.len(), 2);
        assert_eq!(plans.iter().map(|plan| plan.checkers.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(plans[1].checkers[0].0.as_deref(), Some("x"));
    }

    #[test]
    fn two_checkers_of_one_name_and_checkers_without_a_producer_are_mistakes() {
        let (_, mistakes) =
            planned(TWO, vec![named(None, None), named(Some("a"), None), named(Some("c"), None)]);
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(mistakes[0].contains("checked_by") && mistakes[1].contains("a, b"), "{mistakes:?}");
        let (_, mistakes) = planned("", vec![named(None, None)]);
        assert!(mistakes[0].contains("rocketmq.producer.group"), "{mistakes:?}");
    }

    #[test]
    fn a_further_producer_needs_a_group_of_its_own() {
        let (_, mistakes) =
            planned("[rocketmq.producer]\ngroup='a b'\n[rocketmq.producers.x]\nname-server='h:1'", vec![]);
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(
            mistakes[0].contains("' '") && mistakes[1].contains("rocketmq.producers.x.group"),
            "{mistakes:?}"
        );
    }
}
