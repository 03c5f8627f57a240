//! The pull consumers of an application: `[rocketmq.pull-consumer]` and `[rocketmq.pull-consumers.<name>]`.

use super::backend::Backend;
use super::clients::{Clients, Site, table};
use super::groups::GroupPlan;
use crate::config::clusters::{self, Whereabouts};
use crate::config::sources::Sources;
use crate::config::{PullConsumerProperties, RocketmqProperties};
use crate::error::{Mistake, MistakeKind};
use crate::listener::options::{self, MessageModel};
use crate::template::{Receiver, Receivers};
use rocketmq_client::Client;
use rocketmq_client::consumer::LiteConsumer;

/// Spring's default.
const BATCH: u32 = 10;

/// One pull consumer to start.
#[derive(Debug)]
pub(crate) struct PullPlan {
    /// `None` for `[rocketmq.pull-consumer]`.
    pub(crate) name: Option<String>,
    pub(crate) properties: PullConsumerProperties,
}

impl PullPlan {
    /// The table of its settings.
    pub(crate) fn section(&self) -> String {
        format!("`{}`", self.table())
    }

    fn table(&self) -> String {
        table("pull-consumer", self.name.as_deref())
    }

    pub(crate) fn site(&self) -> Site<'_> {
        Site {
            cluster: self.properties.cluster.as_deref(),
            name_server: self.properties.name_server.as_deref(),
            access: &self.properties.access,
        }
    }
}

/// Plans every pull consumer. That without a name is optional: it is left out when it has neither group nor topic.
pub(crate) fn plan(
    properties: &RocketmqProperties,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> Vec<PullPlan> {
    let own = Some(&properties.pull_consumer).filter(|it| it.group.is_some() || it.topic.is_some());
    let further = properties.pull_consumers.iter().map(|(name, it)| (Some(name.clone()), it));
    let all = own.map(|it| (None, it)).into_iter().chain(further);
    let mut plans: Vec<_> = all.map(|(name, it)| PullPlan { name, properties: it.clone() }).collect();
    for plan in &mut plans {
        let written = clusters::written(sources, &[format!("{}.cluster", plan.table())]);
        let PullConsumerProperties { cluster, name_server, access, .. } = &mut plan.properties;
        let place = Whereabouts { cluster: cluster.as_deref(), name_server, access };
        clusters::settle(&properties.clusters, place, &written, mistakes);
    }
    plans
}

/// Reports half a configuration, an expression that cannot be read, and a group that has another member here.
pub(crate) fn check(
    plans: &[PullPlan],
    groups: &[GroupPlan],
    has_template: bool,
    mistakes: &mut Vec<Mistake>,
) {
    for (index, plan) in plans.iter().enumerate() {
        check_completeness(plan, has_template, mistakes);
        check_expression(plan, mistakes);
        let listeners = groups.iter().filter(|group| is_member(plan, &group.group, group.site()));
        let others = plans[..index].iter().filter(|other| {
            other.properties.group.as_ref().is_some_and(|group| is_member(plan, group, other.site()))
        });
        let members = listeners.map(|_| "listeners of this application have".to_owned());
        for who in members.chain(others.map(|other| format!("{} has", other.section()))) {
            let message = format!(
                "`{}.group` is \"{}\", and {who} that group; give one of them another",
                plan.table(),
                plan.properties.group.as_deref().unwrap_or_default()
            );
            mistakes.push(Mistake::new(MistakeKind::Subscription, message));
        }
    }
}

/// Tells whether the plan's group and cluster are these.
fn is_member(plan: &PullPlan, group: &str, site: Site<'_>) -> bool {
    plan.properties.group.as_deref() == Some(group) && plan.site().name_server == site.name_server
}

fn check_completeness(plan: &PullPlan, has_template: bool, mistakes: &mut Vec<Mistake>) {
    let section = plan.section();
    let mut wrong = |kind, text: String| mistakes.push(Mistake::new(kind, format!("{section} {text}")));
    match (&plan.properties.group, &plan.properties.topic) {
        (None, None) => {
            wrong(MistakeKind::MissingGroup, "has no group: set its `group` and its `topic`".into())
        }
        (Some(_), None) => wrong(MistakeKind::WrongValue, "has a group: set its `topic` too".into()),
        (None, Some(_)) => wrong(MistakeKind::MissingGroup, "has a topic: set its `group` too".into()),
        (Some(_), Some(_)) if plan.name.is_none() && !has_template => {
            wrong(MistakeKind::MissingGroup, "needs a template: set `rocketmq.producer.group`".into());
        }
        _ => {}
    }
}

fn check_expression(plan: &PullPlan, mistakes: &mut Vec<Mistake>) {
    let Some(expression) = &plan.properties.selector_expression else { return };
    let read = if plan.properties.sql { options::sql(expression) } else { options::tags(expression) };
    if let Err(takes) = read {
        let table = plan.table();
        let message = format!("`{table}.selector-expression` is \"{expression}\"; it takes {takes}");
        mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
    }
}

/// Starts every pull consumer.
pub(crate) async fn start_all(
    plans: &[PullPlan],
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Receivers, Mistake> {
    let mut receivers = Receivers::new();
    for plan in plans {
        let client = clients.get(backend, plan.site()).await?.client;
        let consumer = start(&plan.properties, &client).await;
        let consumer = consumer.map_err(|error| {
            let message = format!("the pull consumer of {} did not start: {error}", plan.section());
            Mistake::new(MistakeKind::Connect, message)
        })?;
        receivers.insert(plan.name.clone(), Receiver::new(consumer));
    }
    Ok(receivers)
}

async fn start(
    properties: &PullConsumerProperties,
    client: &Client,
) -> Result<LiteConsumer, rocketmq_client::error::StartError> {
    let (group, topic) = (properties.group.as_deref(), properties.topic.as_deref());
    let (group, topic) = (group.unwrap_or_default(), topic.unwrap_or_default());
    let batch = properties.pull_batch_size.unwrap_or(BATCH);
    let consumer = client.lite_consumer(group).pull_batch(u16::try_from(batch).unwrap_or(u16::MAX));
    let expression = properties.selector_expression.as_deref().unwrap_or("*");
    let mut consumer = match properties.sql {
        true => consumer.subscribe_sql(topic, expression),
        false => consumer.subscribe(topic, expression),
    };
    if properties.message_model == Some(MessageModel::Broadcasting) {
        consumer = consumer.broadcasting();
    }
    if let Some(trace) = properties.trace.to_client() {
        consumer = consumer.trace(trace);
    }
    consumer.build().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(toml: &str, has_template: bool) -> Vec<String> {
        let listeners = "[rocketmq]\nname-server='h:1'\n";
        let (sources, mut mistakes) = Sources::from_toml(&format!("{listeners}{toml}"), &[]);
        let properties = RocketmqProperties::read(&sources, &mut mistakes);
        let plans = plan(&properties, &sources, &mut mistakes);
        let billing = crate::Listener::new("orders", "billing", || async {});
        let groups = super::super::groups::plan(vec![billing], &sources, &mut mistakes);
        check(&plans, &groups, has_template, &mut mistakes);
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn half_a_configuration_is_named() {
        const OWN: &str = "[rocketmq.pull-consumer]\n";
        assert!(checked("", false).is_empty());
        assert!(checked(&format!("{OWN}group='g'"), true)[0].contains("`topic`"));
        assert!(checked(&format!("{OWN}topic='t'"), true)[0].contains("`group`"));
        let whole = format!("{OWN}group='g'\ntopic='t'");
        assert!(checked(&whole, true).is_empty());
        assert!(checked(&whole, false)[0].contains("template"));
        let taken = format!("{OWN}group='billing'\ntopic='t'\n");
        assert!(checked(&taken, true)[0].contains("listeners of this application have that group"));
        let mistakes = checked(&format!("{taken}name-server='far:1'\nselector-expression='a >'"), true);
        assert!(mistakes.len() == 1 && mistakes[0].contains("cannot be part of the tag"), "{mistakes:?}");
    }

    #[test]
    fn a_pull_consumer_with_a_name_needs_group_and_topic_but_no_template() {
        const NAMED: &str = "[rocketmq.pull-consumers.rows]\ngroup='g'\ntopic='t'\n";
        assert!(checked(NAMED, false).is_empty());
        let mistakes = checked("[rocketmq.pull-consumers.rows]\npull-batch-size=3", false);
        assert_eq!(
            mistakes,
            ["`rocketmq.pull-consumers.rows` has no group: set its `group` and its `topic`"]
        );
        let twice = format!("{NAMED}[rocketmq.pull-consumers.texts]\ngroup='g'\ntopic='u'");
        let mistakes = checked(&twice, false);
        assert!(
            mistakes.len() == 1 && mistakes[0].contains("`rocketmq.pull-consumers.rows` has that group"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn a_pull_consumer_goes_to_the_cluster_that_it_names() {
        const EU: &str =
            "[rocketmq.clusters.eu]\nname-server='eu:1'\n[rocketmq.pull-consumers.rows]\ntopic='t'\n";
        assert!(checked(&format!("{EU}group='billing'\ncluster='eu'"), false).is_empty(), "another cluster");
        let mistakes = checked(&format!("{EU}group='g'\ncluster='ue'"), false);
        assert_eq!(
            mistakes,
            [
                "`rocketmq.pull-consumers.rows.cluster` in application.toml:8 is \"ue\", and no cluster has this name; \
              the nearest cluster is `eu`"
            ]
        );
    }
}
