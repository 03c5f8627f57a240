//! Checks the groups and topics in the configuration: each belongs to a listener of this program.

use crate::config::keys::distance;
use crate::config::origin::Origin;
use crate::config::sources::Sources;
use crate::error::{Mistake, MistakeKind};
use crate::listener::Listener;
use rocketmq_client::remoting::spring::canonical;
use std::collections::{BTreeMap, BTreeSet};

const GROUPS: &str = "rocketmq.consumer.groups";
const SWITCHES: &str = "rocketmq.consumer.listeners";

/// The topics of each group, also of listeners that are switched off or not registered.
#[derive(Debug, Default)]
pub(crate) struct Known {
    topics: BTreeMap<String, BTreeSet<String>>,
    /// Tells that a group or topic is unknown because its placeholder has no value.
    incomplete: bool,
}

impl Known {
    pub(crate) fn of<'l>(listeners: impl IntoIterator<Item = &'l Listener>, sources: &Sources) -> Self {
        let mut known = Known::default();
        for listener in listeners {
            match (sources.resolve(&listener.spec.group), sources.resolve(&listener.spec.topic)) {
                (Ok(group), Ok(topic)) => drop(known.topics.entry(group).or_default().insert(topic)),
                _ => known.incomplete = true,
            }
        }
        known
    }

    pub(crate) fn has(&self, group: &str) -> bool {
        self.topics.contains_key(group)
    }

    pub(crate) fn groups(&self) -> Vec<&str> {
        self.topics.keys().map(String::as_str).collect()
    }

    /// Reports names that belong to no listener.
    pub(crate) fn check(&self, sources: &Sources, mistakes: &mut Vec<Mistake>) {
        if self.incomplete {
            return;
        }
        for (group, origin) in sources.names(GROUPS) {
            if !self.topics.keys().any(|known| same(known, &group, &origin)) {
                mistakes.push(self.no_listener(&format!("{GROUPS}.{group}"), &group, &origin));
            }
        }
        for (group, origin) in sources.names(SWITCHES) {
            // The words of a variable do not show the end of the group.
            if origin.is_variable() {
                self.check_variable(&group, &origin, sources, mistakes);
            } else {
                self.check_switches(&group, &origin, sources, mistakes);
            }
        }
    }

    fn check_switches(&self, group: &str, origin: &Origin, sources: &Sources, mistakes: &mut Vec<Mistake>) {
        let path = format!("{SWITCHES}.{group}");
        let Some(topics) = self.topics.get(group) else {
            mistakes.push(self.no_listener(&path, group, origin));
            return;
        };
        for (topic, origin) in sources.names(&path) {
            if !topics.contains(&topic) {
                let nearest = nearest(&topic, topics).map(|near| format!("; its nearest topic is `{near}`"));
                let message = format!(
                    "`{path}.{topic}` in {origin} belongs to no listener of group `{group}`{}",
                    nearest.unwrap_or_default()
                );
                mistakes.push(Mistake::new(MistakeKind::UnknownName, message));
            }
        }
    }

    fn check_variable(&self, group: &str, origin: &Origin, sources: &Sources, mistakes: &mut Vec<Mistake>) {
        for (topic, origin_of_topic) in sources.names(&format!("{SWITCHES}.{group}")) {
            let words = canonical(&format!("{group}{topic}"));
            let is = |known: &str, of_group: &str| canonical(&format!("{known}{of_group}")) == words;
            if !self.topics.iter().any(|(known, topics)| topics.iter().any(|topic| is(known, topic))) {
                let origin = if origin_of_topic == *origin { origin } else { &origin_of_topic };
                mistakes.push(self.no_listener(&format!("{SWITCHES}.{group}.{topic}"), group, origin));
            }
        }
    }

    fn no_listener(&self, path: &str, group: &str, origin: &Origin) -> Mistake {
        let hint = match nearest(group, self.topics.keys()) {
            Some(near) => format!("the nearest group is `{near}`"),
            None => "this application has none".to_owned(),
        };
        let message = format!("`{path}` in {origin} belongs to no listener; {hint}");
        Mistake::new(MistakeKind::UnknownName, message)
    }
}

/// Compares names; a variable writes them in capitals and with `_`.
fn same(known: &str, written: &str, origin: &Origin) -> bool {
    if origin.is_variable() { canonical(known) == canonical(written) } else { known == written }
}

fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n String>) -> Option<&'n String> {
    known.into_iter().min_by_key(|known| distance(known, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(toml: &str, variables: &[(&str, &str)], listeners: &[(&str, &str)]) -> Vec<String> {
        let (sources, mut mistakes) = Sources::from_toml(toml, variables);
        let listeners: Vec<_> = listeners
            .iter()
            .map(|(topic, group)| Listener::new((*topic).to_owned(), (*group).to_owned(), || async {}))
            .collect();
        Known::of(&listeners, &sources).check(&sources, &mut mistakes);
        mistakes.iter().map(ToString::to_string).collect()
    }

    const ONE: &[(&str, &str)] = &[("orders", "billing")];

    #[test]
    fn a_misspelt_group_or_topic_names_the_nearest() {
        let toml = "[rocketmq.consumer.groups.biling]\nconcurrency = 3\n[rocketmq.consumer.listeners]\n\
                    biling.orders = false\nbilling.order = false\nbilling.orders = false";
        let found = mistakes(toml, &[], ONE);
        let expected = [
            "`rocketmq.consumer.groups.biling` in application.toml:2 belongs to no listener; the nearest group is `billing`",
            "`rocketmq.consumer.listeners.biling` in application.toml:4 belongs to no listener; the nearest group is `billing`",
            "`rocketmq.consumer.listeners.billing.order` in application.toml:5 belongs to no listener of group `billing`; \
             its nearest topic is `orders`",
        ];
        assert_eq!(found, expected);
        assert!(mistakes(toml, &[], &[])[0].ends_with("this application has none"));
    }

    #[test]
    fn the_content_below_a_misspelt_name_is_checked_too() {
        let found = mistakes("[rocketmq.consumer.groups.biling]\nconcurrency = 0\nmod = 'orderly'", &[], ONE);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn variables_name_groups_in_capitals() {
        let two: &[(&str, &str)] = &[("orders", "order-billing")];
        let right = [
            ("ROCKETMQ_CONSUMER_GROUPS_ORDER_BILLING_CONCURRENCY", "3"),
            ("ROCKETMQ_CONSUMER_LISTENERS_ORDER_BILLING_ORDERS", "false"),
        ];
        assert!(mistakes("", &right, two).is_empty(), "{:?}", mistakes("", &right, two));
        let wrong = [
            ("ROCKETMQ_CONSUMER_GROUPS_ORDER_BILING_CONCURRENCY", "3"),
            ("ROCKETMQ_CONSUMER_LISTENERS_ORDER_BILLING_ORDER", "false"),
        ];
        let found = mistakes("", &wrong, two);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("ROCKETMQ_CONSUMER_GROUPS_ORDER_BILING_CONCURRENCY"), "{found:?}");
    }

    #[test]
    fn without_a_placeholders_value_nothing_is_said_of_names() {
        let toml = "[rocketmq.consumer.groups.billing]\nconcurrency = 3";
        assert!(mistakes(toml, &[], &[("orders", "${billing.group}")]).is_empty());
    }
}
