//! Names the places where the settings of a listener or producer were written, for the log.

use crate::config::keys::key::Key;
use crate::config::keys::{self, Node};
use crate::config::sources::Sources;
use crate::listener::Spec;

/// The options that only an attribute has.
const OWN: [&str; 2] = ["selector", "sql"];

/// Names the places of a listener's settings: the group's table, else the attribute, else the table of all consumers.
/// `credentials`: the consumer has credentials. Those of another cluster are not its own.
pub(super) fn of_listener(sources: &Sources, group: &str, spec: &Spec, credentials: bool) -> String {
    let own = format!("consumer.groups.{group}");
    let keys = keys(&["consumer", "groups", group], credentials).into_iter().chain(OWN);
    let places = keys.filter_map(|key| {
        let attribute = || spec.options.iter().any(|(name, _)| *name == key).then(|| spec.place.to_string());
        let place = written(sources, &own, key).or_else(attribute);
        Some((key, place.or_else(|| written(sources, "consumer", key)).or_else(|| root(sources, key))?))
    });
    shown(places)
}

/// Names the places of a producer's settings. `name`: that of its table below `rocketmq.producers`; a further producer takes
/// missing settings, but no group, from `[rocketmq.producer]`.
pub(super) fn of_producer(sources: &Sources, name: Option<&str>, credentials: bool) -> String {
    let own = name.map_or_else(|| "producer".to_owned(), |name| format!("producers.{name}"));
    let places = keys(&["producer"], credentials).into_iter().filter_map(|key| {
        let place = written(sources, &own, key);
        if key == "group" {
            return Some((key, place.unwrap_or_else(|| "App::configure".to_owned())));
        }
        Some((key, place.or_else(|| written(sources, "producer", key)).or_else(|| root(sources, key))?))
    });
    shown(places)
}

/// Returns the keys of a table that take one value.
fn keys(table: &[&str], secrets: bool) -> Vec<&'static str> {
    let Ok(keys::Place { node: Node::Table(table), .. }) = keys::follow(table.iter().copied()) else {
        return Vec::new();
    };
    let takes_effect = |key: &&Key| match key.node {
        Node::Value(_) => true,
        Node::Secret(_) => secrets,
        _ => false,
    };
    table.keys().filter(takes_effect).map(|key| key.name).collect()
}

/// Returns the place of a key with a value.
fn written(sources: &Sources, table: &str, key: &str) -> Option<String> {
    let found = sources.find(&format!("rocketmq.{table}.{key}")).ok()??;
    (!found.text.trim().is_empty()).then(|| found.origin.to_string())
}

/// Returns the place of the name server that holds for all.
fn root(sources: &Sources, key: &str) -> Option<String> {
    let found = (key == "name-server").then(|| sources.find("rocketmq.name-server").ok()).flatten()??;
    Some(found.origin.to_string())
}

/// Writes each place once: `mode, from (src/main.rs:9); concurrency (application.toml:4)`.
fn shown<'k>(settings: impl Iterator<Item = (&'k str, String)>) -> String {
    let mut places: Vec<(String, Vec<&str>)> = Vec::new();
    for (key, place) in settings {
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, keys)) => keys.push(key),
            None => places.push((place, vec![key])),
        }
    }
    let shown: Vec<_> = places.iter().map(|(place, keys)| format!("{} ({place})", keys.join(", "))).collect();
    if shown.is_empty() { "defaults".to_owned() } else { shown.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::Listener;

    fn spec() -> Spec {
        let listener = Listener::new("t", "g", || async {}).option("mode", "orderly").option("selector", "a");
        Spec { place: "src/main.rs:9".into(), ..listener.option("concurrency", "2").spec }
    }

    #[test]
    fn the_place_of_each_setting_of_a_listener_is_the_one_that_counts() {
        let toml = "[rocketmq]\nname-server = 'h:1'\n[rocketmq.consumer]\nmode = 'concurrent'\nfrom = 'first'\n\
                    access-key = 'k'\n[rocketmq.consumer.groups.g]\nconcurrency = 3\n[rocketmq.consumer.groups.h]\nbatch = 1";
        let (sources, mistakes) = Sources::from_toml(toml, &[]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(
            of_listener(&sources, "g", &spec(), false),
            "mode, selector (src/main.rs:9); concurrency (application.toml:8); from (application.toml:5); \
             name-server (application.toml:2)"
        );
        assert!(of_listener(&sources, "g", &spec(), true).contains("access-key (application.toml:6)"));
    }

    #[test]
    fn a_listener_and_a_producer_without_settings_have_defaults() {
        let (sources, _) = Sources::from_toml("", &[]);
        let bare = Listener::new("t", "g", || async {}).spec;
        assert_eq!(of_listener(&sources, "g", &bare, true), "defaults");
        assert_eq!(of_producer(&sources, None, true), "group (App::configure)");
    }

    #[test]
    fn a_further_producer_shows_whose_settings_it_takes() {
        let toml = "[rocketmq.producer]\ngroup = 'a'\nauto-batch = true\nsecret-key = 's'\n[rocketmq.producers.x]\ngroup = 'b'";
        let (sources, _) = Sources::from_toml(toml, &[("ROCKETMQ_PRODUCER_RETRY_NEXT_SERVER", "true")]);
        assert_eq!(
            of_producer(&sources, Some("x"), false),
            "group (application.toml:6); retry-next-server (the variable ROCKETMQ_PRODUCER_RETRY_NEXT_SERVER); \
             auto-batch (application.toml:3)"
        );
    }
}
