//! Finds what the user meant by a key or variable that is not known.

use super::Place;
use super::client::{CLIENT, EMBEDDED, MANAGEMENT, TLS};
use super::consumer::OPTIONS;
use super::key::{Key, Node, Table};
use super::producer::{PRODUCER, PULL_CONSUMER};
use super::root::ROOT;
use rocketmq_client::remoting::spring::{Renamed, canonical};

/// Tells the user what to write instead of a key that the table does not have.
pub(crate) fn hint(table: &Table, written: &str) -> String {
    if let Some(renamed) = (table.spring)(written) {
        return springs(renamed);
    }
    if let Some(place) = elsewhere(written) {
        return format!("it belongs to `[{place}]`");
    }
    let nearest = table.keys().map(|key| key.name).min_by_key(|key| distance(key, written));
    nearest.map_or_else(String::new, |key| format!("the nearest known key is `{key}`"))
}

fn springs(renamed: &Renamed) -> String {
    let ours = renamed.ours.replace('_', "-");
    match (ours.as_str(), renamed.note) {
        ("", note) => format!("it is Spring's name: {note}"),
        (ours @ ("group" | "selector"), _) => format!("it is Spring's name: set `{ours}` in the attribute"),
        (ours, _) => format!("it is Spring's name: write `{ours}`"),
    }
}

/// Counts the typing errors between two keys.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&canonical(one), &canonical(other))
}

/// Finds the table that has a key of exactly this name.
fn elsewhere(written: &str) -> Option<&'static str> {
    let tables: [(&str, &Table); 8] = [
        ("rocketmq", &ROOT),
        ("rocketmq.client", &CLIENT),
        ("rocketmq.producer", &PRODUCER),
        ("rocketmq.consumer", &OPTIONS),
        ("rocketmq.pull-consumer", &PULL_CONSUMER),
        ("rocketmq.tls", &TLS),
        ("rocketmq.management", &MANAGEMENT),
        ("rocketmq.embedded", &EMBEDDED),
    ];
    let has = |table: &Table| table.get(written).is_some_and(|key| !matches!(key.node, Node::NoEffect(_)));
    tables.into_iter().find(|(_, table)| has(table)).map(|(place, _)| place)
}

/// The place that is nearest to the words of a variable behind `ROCKETMQ_`, and how many typing errors lie between.
pub(crate) fn nearest(words: &[&str]) -> Option<(usize, Place)> {
    let (distance, path, node) = search(Node::Table(&ROOT), words)?;
    Some((distance, Place { path: format!("rocketmq{path}"), node }))
}

fn search(node: Node, words: &[&str]) -> Option<(usize, String, Node)> {
    match node {
        Node::Value(_) | Node::Secret(_) | Node::NoEffect(_) => {
            words.is_empty().then(|| (0, String::new(), node))
        }
        Node::Table(table) => {
            let found = table.keys().flat_map(|key| (1..=words.len()).map(move |count| (key, count)));
            let found = found.filter_map(|(&Key { name: key, node, .. }, count)| {
                let own = distance(&words[..count].concat(), key);
                // A key with more errors is another word.
                let (rest, path, node) = (own <= key.len() / 2).then(|| search(node, &words[count..]))??;
                Some((own + rest, format!(".{key}{path}"), node))
            });
            found.min_by_key(|(distance, ..)| *distance)
        }
        Node::Named(each) => {
            let found = (1..=words.len()).filter_map(|count| {
                let (rest, path, node) = search(*each, &words[count..])?;
                let name = words[..count].join("-").to_ascii_lowercase();
                Some((rest, format!(".{name}{path}"), node))
            });
            found.min_by_key(|(distance, ..)| *distance)
        }
    }
}
