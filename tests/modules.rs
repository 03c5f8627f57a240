//! The layers inside rocketmq-client, read from its source: which room may use which, and that no files use each other in a
//! circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rocketmq_tests::TestResult;
use rocketmq_tests::source::{Module, Source, circles};

/// The rooms from the ground up, each with those it may use.
const LAYERS: [(&str, &[&str]); 10] = [
    ("chance", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("messages", &["clock"]),
    ("observe", &["chance", "clock", "error", "messages"]),
    ("cluster", &["chance", "clock", "error", "messages", "observe"]),
    ("membership", &["chance", "clock", "error", "messages", "observe", "cluster"]),
    ("producer", &["chance", "clock", "error", "messages", "observe", "cluster", "membership"]),
    ("consumer", &["chance", "clock", "error", "messages", "observe", "cluster", "membership"]),
    ("client", &["clock", "error", "messages", "observe", "cluster", "membership", "producer", "consumer"]),
];

fn client() -> TestResult<Source> {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rocketmq-client/src"))
}

#[test]
fn rooms_use_only_what_lies_below() -> TestResult {
    let table: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    let edges = client()?.edges();
    let mut rooms = BTreeSet::new();
    for (from, to, names) in
        edges.iter().flat_map(|(from, all)| all.iter().map(move |(to, names)| (from, to, names)))
    {
        let (Some(above), Some(below)) = (from.first(), to.first()) else { continue };
        let allowed = table.get(above.as_str()).ok_or_else(|| format!("{above} is in no layer"))?;
        rooms.insert(above.as_str());
        let is_fine = above == below || allowed.contains(&below.as_str());
        assert!(is_fine, "{} uses {names:?} of {}", path(from), path(to));
    }
    assert!(rooms.len() >= 7, "the source was not read: {rooms:?}");
    Ok(())
}

#[test]
fn no_files_use_each_other_in_a_circle() -> TestResult {
    let circles = circles(&client()?.edges());
    let shown: Vec<Vec<String>> = circles.iter().map(|circle| circle.iter().map(path).collect()).collect();
    assert!(shown.is_empty(), "{shown:#?}");
    Ok(())
}

fn path(module: &Module) -> String {
    module.join("/")
}
