//! Checks that the schema and the tables in docs/configuration.md say what the keys say. With the variable
//! `WRITE_GENERATED=1` the tests write both files anew.

use super::client::{CLIENT, CLUSTER, EMBEDDED, MANAGEMENT, TLS};
use super::consumer::{ATTRIBUTE, OPTIONS};
use super::form::Shape;
use super::json_schema;
use super::key::{Counterpart, Default, Key, Node, Table};
use super::producer::{PRODUCER, PULL_CONSUMER};
use super::root::ROOT;
use serde_json::Value;
use std::path::PathBuf;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds the file against the generated text.
fn assert_current(path: &str, generated: &str) {
    if std::env::var_os("WRITE_GENERATED").is_some() {
        std::fs::write(file(path), generated).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(file(path)).unwrap_or_default();
    let same = committed == generated;
    assert!(
        same,
        "{path} is stale: run `WRITE_GENERATED=1 cargo test -p rocketmq-starter --lib config::keys::generated`"
    );
}

#[test]
fn the_committed_schema_is_that_of_the_keys() {
    let path = "schema/application.schema.json";
    let committed = std::fs::read_to_string(file(path)).unwrap_or_default();
    // Another crate may let serde_json keep the order of members.
    let equal = serde_json::from_str::<Value>(&committed).ok() == serde_json::from_str(&json_schema()).ok();
    if !equal {
        assert_current(path, &json_schema());
    }
}

#[test]
fn the_committed_documentation_is_that_of_the_keys() {
    let path = "../docs/configuration.md";
    let mut text = std::fs::read_to_string(file(path)).expect("docs/configuration.md");
    let tables: [(&str, Vec<&Key>); 10] = [
        ("rocketmq", ROOT.keys().collect()),
        ("client", CLIENT.keys().collect()),
        ("producer", PRODUCER.keys().collect()),
        ("attribute", ATTRIBUTE.keys.iter().collect()),
        ("consumer", OPTIONS.keys().collect()),
        ("pull-consumer", PULL_CONSUMER.keys().collect()),
        ("clusters", CLUSTER.keys().collect()),
        ("tls", TLS.keys().collect()),
        ("management", MANAGEMENT.keys().collect()),
        ("embedded", EMBEDDED.keys().collect()),
    ];
    for (name, keys) in tables {
        text = replaced(&text, name, &rows(&keys));
    }
    assert_current(path, &text);
}

/// Puts a table between the marks of its name.
fn replaced(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- keys of {name} -->\n"), "<!-- end of keys -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("the mark `{}`", begin.trim()));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("the end of `{name}`"));
    format!("{before}{begin}{table}{end}{after}")
}

fn rows(keys: &[&Key]) -> String {
    let head =
        "\n| key | meaning | takes | default | in Spring or Java |\n|---|---|---|---|---|\n".to_owned();
    let rows = keys.iter().filter_map(|key| row(key));
    rows.fold(head, |text, row| text + &row) + "\n"
}

fn row(key: &Key) -> Option<String> {
    let counterpart = match key.counterpart {
        Counterpart::None => "–".to_owned(),
        Counterpart::SameKey => "the same".to_owned(),
        Counterpart::Spring(name) => format!("`{name}`"),
        Counterpart::Java(name) => format!("Java: `{name}`"),
    };
    let default = match key.default {
        Default::Value(text) => format!("`{text}`"),
        Default::Words(words) => words.to_owned(),
    };
    let (about, takes, default) = match key.node {
        Node::Value(form) => (key.about.to_owned(), short(form.shape), default),
        Node::Secret(form) => (format!("{} Never shown.", key.about), short(form.shape), default),
        Node::NoEffect(why) => (format!("Has no effect: {why}."), "anything".to_owned(), "–".to_owned()),
        Node::Table(_) | Node::Named(_) => return None,
    };
    let cells = [format!("`{}`", key.name), about, takes, default, counterpart];
    Some(format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")))
}

/// Leaves out the words that hold for each key of its kind; the page says them once.
fn short(shape: Shape) -> String {
    let takes = shape.takes();
    let units = [
        ("a number of milliseconds, or a text with a unit such as \"3s\"", "a duration"),
        ("a number of bytes, or a text with a unit such as \"4MiB\"", "a size"),
        ("a list of texts, or one text with `;` between them", "a list"),
    ];
    units.into_iter().fold(takes, |takes, (long, short)| takes.replace(long, short))
}

#[test]
fn each_key_is_described_by_sentences_and_its_default_is_one_it_takes() {
    let tables =
        [&ROOT, &CLIENT, &PRODUCER, &ATTRIBUTE, &PULL_CONSUMER, &CLUSTER, &TLS, &MANAGEMENT, &EMBEDDED];
    for key in tables.into_iter().flat_map(Table::keys) {
        let silent = matches!(key.node, Node::NoEffect(_));
        assert!(silent || (key.about.ends_with(['.', ')']) && !key.about.contains("  ")), "`{}`", key.name);
        if let (Node::Value(form) | Node::Secret(form), Default::Value(text)) = (key.node, key.default) {
            assert_eq!((form.check)(text), Ok(()), "the default of `{}`", key.name);
        }
    }
}
