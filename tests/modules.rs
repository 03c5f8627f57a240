//! The layers inside rocketmq-client and rocketmq-server, read from their source: which room may use which, and that no
//! files use each other in a circle.

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

/// The most files of the server's store that may use each other in a circle. Elsewhere there is no circle.
const LARGEST_CIRCLE: usize = 2;

fn source(name: &str) -> TestResult<Source> {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"))
}

fn circles_of(name: &str) -> TestResult<Vec<Vec<String>>> {
    let circles = circles(&source(name)?.edges());
    Ok(circles.iter().map(|circle| circle.iter().map(path).collect()).collect())
}

#[test]
fn rooms_use_only_what_lies_below() -> TestResult {
    let table: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    let edges = source("rocketmq-client")?.edges();
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
fn the_roots_of_client_and_starter_offer_at_most_forty_names() -> TestResult {
    for (name, known) in
        [("rocketmq-client", ["Producer", "consumer"]), ("rocketmq-starter", ["App", "health"])]
    {
        let source = source(name)?;
        let names = source.root_names();
        assert!(known.iter().all(|name| names.contains(name)), "the root was not read: {names:?}");
        assert!(names.len() <= 40, "{} names, move some into modules: {names:?}", names.len());
    }
    Ok(())
}

#[test]
fn no_files_of_the_client_use_each_other_in_a_circle() -> TestResult {
    let circles = circles_of("rocketmq-client")?;
    assert!(circles.is_empty(), "{circles:#?}");
    Ok(())
}

#[test]
fn no_files_of_the_server_use_each_other_in_a_circle_that_leaves_the_store() -> TestResult {
    for circle in circles_of("rocketmq-server")? {
        let inside = circle.iter().all(|file| file.starts_with("store"));
        assert!(inside && circle.len() <= LARGEST_CIRCLE, "{circle:#?}");
    }
    Ok(())
}

#[test]
fn the_source_of_the_server_is_read() -> TestResult {
    assert!(source("rocketmq-server")?.edges().len() > 100, "the files were not found");
    Ok(())
}

fn path(module: &Module) -> String {
    module.join("/")
}
