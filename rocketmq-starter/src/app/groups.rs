//! Plans the consumers of an application from its listeners and configuration, or reports all mistakes.

use super::Allocation;
use super::clients::Site;
use super::names::Known;
use super::settings;
use crate::config::clusters::{self, Clusters, Whereabouts};
use crate::config::parse;
use crate::config::section::Section;
use crate::config::sources::Sources;
use crate::context::States;
use crate::error::{Mistake, MistakeKind};
use crate::extract::Needs;
use crate::listener::Listener;
use crate::listener::options::{self, ConsumeMode, GroupOptions, HandlerOptions, Options, check_attribute};
use rocketmq_client::remoting::names::{NameError, check_group, check_topic};
use std::collections::BTreeMap;

/// A rule for names.
type Check = fn(&str) -> Result<(), NameError>;

/// One consumer to start.
#[derive(Debug)]
pub(crate) struct GroupPlan {
    pub(crate) group: String,
    pub(crate) options: GroupOptions,
    pub(crate) subscriptions: Vec<Subscription>,
}

impl GroupPlan {
    pub(crate) fn site(&self) -> Site<'_> {
        let options = &self.options;
        Site {
            cluster: options.cluster.as_ref().map(|found| found.text.as_str()),
            name_server: options.name_server.as_deref(),
            access: &options.access,
        }
    }
}

/// One listener of that consumer.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) topic: String,
    pub(crate) filter: Filter,
    pub(crate) listener: Listener,
    pub(crate) options: HandlerOptions,
    /// The places of its settings, for the log.
    pub(crate) settings: String,
}

/// The filter of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Tags joined by `||`, or `*`.
    Tags(String),
    Sql(String),
}

/// A listener whose topic and group are known.
struct Resolved {
    topic: String,
    group: String,
    listener: Listener,
}

/// Plans the consumers of all listeners that are enabled.
pub(crate) fn plan(
    listeners: Vec<Listener>,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> Vec<GroupPlan> {
    let mut groups: BTreeMap<String, Vec<Resolved>> = BTreeMap::new();
    for listener in listeners {
        check_attribute(&listener.spec, sources, mistakes);
        let Some(resolved) = resolve(listener, sources, mistakes) else { continue };
        if is_enabled(&resolved, sources, mistakes) {
            groups.entry(resolved.group.clone()).or_default().push(resolved);
        }
    }
    groups.into_iter().map(|(group, listeners)| plan_group(group, listeners, sources, mistakes)).collect()
}

/// Fills in what the clusters say that groups name.
pub(crate) fn settle(groups: &mut [GroupPlan], clusters: &Clusters, mistakes: &mut Vec<Mistake>) {
    for GroupPlan { options, .. } in groups {
        let Some(cluster) = &options.cluster else { continue };
        let (name_server, access) = (&mut options.name_server, &mut options.access);
        let place = Whereabouts { cluster: Some(&cluster.text), name_server, access };
        clusters::settle(clusters, place, &format!("`{}` in {}", cluster.written, cluster.origin), mistakes);
    }
}

/// Gives each group the strategy that the program names for it.
pub(crate) fn allocate(
    allocations: Vec<Allocation>,
    known: &Known,
    groups: &mut [GroupPlan],
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) {
    for (group, strategy) in allocations {
        match sources.resolve(&group) {
            Ok(group) if known.has(&group) => {
                let planned = groups.iter_mut().filter(|plan| plan.group == group);
                planned.for_each(|plan| plan.options.tuning.allocate_by(strategy.clone()));
            }
            Ok(group) => {
                let known = known.groups().join(", ");
                let message = format!(
                    "App::allocate names group `{group}`, but this application's groups are: {known}"
                );
                mistakes.push(Mistake::new(MistakeKind::Listener, message));
            }
            Err(error) => {
                let message = format!("App::allocate names group `{group}`: {error}");
                mistakes.push(Mistake::new(MistakeKind::Placeholder, message));
            }
        }
    }
}

fn resolve(listener: Listener, sources: &Sources, mistakes: &mut Vec<Mistake>) -> Option<Resolved> {
    let described = listener.spec.described();
    let mut name = |what: &str, text: &str, check: Check| match sources.resolve(text) {
        Ok(name) => check(&name)
            .map_err(|error| {
                let message = format!("the {what} of {described}: {error}");
                mistakes.push(Mistake::new(MistakeKind::Listener, message));
            })
            .map(|()| name)
            .ok(),
        Err(error) => {
            mistakes
                .push(Mistake::new(MistakeKind::Placeholder, format!("the {what} of {described}: {error}")));
            None
        }
    };
    let topic = name("topic", &listener.spec.topic, check_topic);
    let group = name("group", &listener.spec.group, check_group);
    Some(Resolved { topic: topic?, group: group?, listener })
}

/// Reads Spring's switch, `rocketmq.consumer.listeners.<group>.<topic> = false`, and the option `enabled`.
fn is_enabled(resolved: &Resolved, sources: &Sources, mistakes: &mut Vec<Mistake>) -> bool {
    let path = format!("rocketmq.consumer.listeners.{}", resolved.group);
    let switched = Section::new(sources, &path, mistakes).switch(&resolved.topic).unwrap_or(true);
    let specs = [&resolved.listener.spec];
    let enabled = Options::new(sources, &resolved.group, &specs, mistakes).read("enabled", parse::switch);
    switched && enabled.unwrap_or(true)
}

fn plan_group(
    group: String,
    listeners: Vec<Resolved>,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> GroupPlan {
    check_topics(&group, &listeners, mistakes);
    let specs: Vec<_> = listeners.iter().map(|resolved| &resolved.listener.spec).collect();
    let batches = listeners.iter().any(|resolved| resolved.listener.is_batch());
    let options = GroupOptions::read(&mut Options::new(sources, &group, &specs, mistakes), batches);
    let subscriptions = listeners
        .into_iter()
        .map(|Resolved { topic, group, listener }| {
            let specs = [&listener.spec];
            let mut own = Options::new(sources, &group, &specs, mistakes);
            let (filter, mut handler) = (filter(&mut own), HandlerOptions::read(&mut own));
            if options.mode == ConsumeMode::Orderly {
                // It is meant for other groups: an orderly queue rests for `suspend-time`.
                handler.retry_delay = None;
            }
            let credentials = options.access.access_key.is_some();
            let settings = settings::of_listener(sources, &group, &listener.spec, credentials);
            Subscription { topic, filter, listener, options: handler, settings }
        })
        .collect();
    GroupPlan { group, options, subscriptions }
}

/// Reports two listeners of one group on one topic: each would get a part of the messages.
fn check_topics(group: &str, listeners: &[Resolved], mistakes: &mut Vec<Mistake>) {
    for (index, one) in listeners.iter().enumerate() {
        if let Some(first) = listeners[..index].iter().find(|other| other.topic == one.topic) {
            let message = format!(
                "{} and {} both listen to topic `{}` in group `{group}`, so each would get only a part of the \
                 messages; give one of them a group of its own",
                first.listener.spec.described(),
                one.listener.spec.described(),
                one.topic
            );
            mistakes.push(Mistake::new(MistakeKind::Subscription, message));
        }
    }
}

fn filter(own: &mut Options<'_>) -> Filter {
    let tags = own.own("selector", options::tags);
    let sql = own.own("sql", options::sql);
    match (tags, sql) {
        (Some(_), Some(_)) => {
            own.mistake(MistakeKind::Listener, "`selector` and `sql` exclude each other; keep one");
            Filter::Tags("*".to_owned())
        }
        (_, Some(sql)) => Filter::Sql(sql),
        (Some(tags), None) => Filter::Tags(tags),
        (None, None) => Filter::Tags("*".to_owned()),
    }
}

/// Reports what listeners and checkers need but the application does not have.
pub(crate) fn check_needs(
    described: &str,
    needs: &Needs,
    states: &States,
    has_template: bool,
    mistakes: &mut Vec<Mistake>,
) {
    for (id, name) in needs.states() {
        if !states.contains(*id) {
            let message =
                format!("{described} takes `State<{name}>`: add `.state(..)` with a `{name}` to the App");
            mistakes.push(Mistake::new(MistakeKind::MissingState, message));
        }
    }
    if needs.needs_template() && !has_template {
        let message = format!("{described} takes `RocketmqTemplate`: set `rocketmq.producer.group`");
        mistakes.push(Mistake::new(MistakeKind::MissingGroup, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::State;
    use rocketmq_client::consumer::AveragelyByCircle;
    use std::sync::Arc;

    fn listener(topic: &str, group: &str) -> Listener {
        Listener::new(topic.to_owned(), group.to_owned(), || async {})
    }

    fn planned(toml: &str, listeners: Vec<Listener>) -> (Vec<GroupPlan>, Vec<Mistake>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let plan = plan(listeners, &sources, &mut mistakes);
        (plan, mistakes)
    }

    #[test]
    fn listeners_of_one_group_share_a_consumer() {
        let (plan, mistakes) = planned("", vec![listener("a", "g"), listener("b", "g"), listener("a", "h")]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(plan.len(), 2);
        assert_eq!(plan[0].subscriptions.len(), 2);
        assert_eq!(plan[0].subscriptions[0].filter, Filter::Tags("*".to_owned()));
    }

    #[test]
    fn a_retry_delay_meant_for_all_does_not_hold_up_the_queues_of_an_orderly_group() {
        let orderly = listener("a", "ordered").option("mode", "orderly");
        let (plan, mistakes) =
            planned("[rocketmq.consumer]\nretry-delay = '30s'", vec![orderly, listener("a", "other")]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let delays: Vec<_> = plan.iter().map(|group| group.subscriptions[0].options.retry_delay).collect();
        assert_eq!(delays, [None, Some(rocketmq_client::DelayLevel::S30)]);
    }

    #[test]
    fn one_topic_twice_in_a_group_is_a_conflict() {
        let (_, mistakes) = planned("", vec![listener("a", "g"), listener("a", "g")]);
        assert_eq!(mistakes[0].kind(), MistakeKind::Subscription);
        assert!(mistakes[0].to_string().contains("only a part"), "{mistakes:?}");
    }

    #[test]
    fn listeners_can_be_switched_off() {
        let toml = "[rocketmq.consumer.listeners.ledger]\npayments = false";
        let off = listener("b", "ledger").option("enabled", "${worker:false}");
        let (plan, mistakes) =
            planned(toml, vec![listener("payments", "ledger"), off, listener("c", "ledger")]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(plan[0].subscriptions.len(), 1);
        assert_eq!(plan[0].subscriptions[0].topic, "c");
    }

    #[test]
    fn a_strategy_of_the_program_goes_before_the_key_and_needs_a_group() {
        let toml = "[rocketmq.consumer.groups.g]\nallocate='consistent-hash'\n[billing]\ngroup='g'";
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let off = listener("b", "off").option("enabled", "false");
        let listeners = vec![listener("a", "g"), listener("a", "h"), off];
        let known = Known::of(&listeners, &sources);
        let mut plan = plan(listeners, &sources, &mut mistakes);
        let named = |group: &'static str| -> Allocation { (group.into(), Arc::new(AveragelyByCircle)) };
        let allocations = ["${billing.group}", "off", "other", "${none}"].map(named).into();
        allocate(allocations, &known, &mut plan, &sources, &mut mistakes);
        let strategies: Vec<_> = plan.iter().map(|plan| plan.options.tuning.strategy()).collect();
        assert_eq!(strategies, [Some("AVG_BY_CIRCLE".to_owned()), None]);
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(mistakes[0].to_string().contains("g, h, off"), "{mistakes:?}");
    }

    #[test]
    fn every_listener_reports_its_own_mistakes() {
        let (_, mistakes) = planned(
            "",
            vec![
                listener("${billing.topic}", "g"),
                listener("a b", "g"),
                listener("c", "g").option("selector", "a | b"),
                listener("d", "g").option("sql", "a > 1").option("selector", "x"),
            ],
        );
        let kinds: Vec<_> = mistakes.iter().map(Mistake::kind).collect();
        use MistakeKind::{Listener, Placeholder, WrongValue};
        assert_eq!(kinds, [Placeholder, Listener, WrongValue, Listener], "{mistakes:?}");
    }

    #[test]
    fn a_group_is_as_long_as_brokers_take_it() {
        assert!(planned("", vec![listener("t", &"g".repeat(120))]).1.is_empty());
        let (_, mistakes) = planned("", vec![listener("t", &"g".repeat(121))]);
        assert!(mistakes[0].to_string().contains("has 121 characters; at most 120"), "{mistakes:?}");
    }

    #[test]
    fn a_missing_state_names_the_listener_and_the_type() {
        let mut mistakes = Vec::new();
        let takes_state = Listener::new("t", "g", |_: State<u16>| async {});
        check_needs("it", &takes_state.needs, &States::default(), true, &mut mistakes);
        assert!(mistakes[0].to_string().contains("State<u16>"), "{mistakes:?}");
        let mut states = States::default();
        states.insert(7_u16);
        check_needs("it", &takes_state.needs, &states, true, &mut mistakes);
        assert_eq!(mistakes.len(), 1);
    }
}
