//! Tests the dependencies between the crates, read from `cargo metadata`: a dependency outside the table is a mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use rocketmq_tests::TestResult;
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    optional: bool,
}

fn packages() -> TestResult<BTreeMap<String, Package>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    Ok(metadata.packages.into_iter().map(|package| (package.name.clone(), package)).collect())
}

impl Package {
    /// Returns the dependencies of the package, without those of its tests only.
    fn uses(&self, optional: bool) -> BTreeSet<&str> {
        let built = self.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
        built.filter(|d| d.optional == optional).map(|d| d.name.as_str()).collect()
    }

    /// Returns the dependencies on crates of this workspace.
    fn ours(&self, optional: bool) -> BTreeSet<&str> {
        self.uses(optional).into_iter().filter(|name| name.starts_with("rocketmq-")).collect()
    }
}

#[test]
fn crates_use_only_what_the_table_allows() -> TestResult {
    let packages = packages()?;
    let table: [(&str, &[&str]); 8] = [
        ("rocketmq-syntax", &[]),
        ("rocketmq-remoting", &["rocketmq-syntax"]),
        ("rocketmq-client", &["rocketmq-remoting"]),
        ("rocketmq-macros", &["rocketmq-syntax"]),
        ("rocketmq-starter", &["rocketmq-client", "rocketmq-macros"]),
        ("rocketmq-server", &["rocketmq-remoting"]),
        ("rocketmq-outbox", &["rocketmq-client"]),
        ("rocketmq-admin", &["rocketmq-client", "rocketmq-remoting"]),
    ];
    for (name, allowed) in table {
        let package = &packages[name];
        assert_eq!(package.ours(false), allowed.iter().copied().collect(), "what {name} uses");
        let optional: &[&str] = if name == "rocketmq-starter" { &["rocketmq-server"] } else { &[] };
        assert_eq!(
            package.ours(true),
            optional.iter().copied().collect(),
            "what {name} uses behind features"
        );
    }
    Ok(())
}

/// The macros build it for the compiler, in every application: it has to stay quick.
#[test]
fn the_syntax_crate_depends_on_nothing() -> TestResult {
    let packages = packages()?;
    let syntax = &packages["rocketmq-syntax"];
    assert!(syntax.uses(false).is_empty() && syntax.uses(true).is_empty(), "{:?}", syntax.uses(false));
    Ok(())
}

#[test]
fn the_protocol_has_no_sockets_by_default() -> TestResult {
    let packages = packages()?;
    let remoting = &packages["rocketmq-remoting"];
    assert!(!remoting.uses(false).contains("tokio"), "tokio must stay optional");
    let mut open = vec!["default".to_owned()];
    let mut reached = BTreeSet::new();
    while let Some(feature) = open.pop() {
        if reached.insert(feature.clone()) {
            open.extend(remoting.features.get(&feature).into_iter().flatten().cloned());
        }
    }
    assert!(!reached.iter().any(|feature| feature.contains("tokio") || feature == "net"), "{reached:?}");
    Ok(())
}

#[test]
fn the_embedded_broker_is_a_choice() -> TestResult {
    let packages = packages()?;
    let starter = &packages["rocketmq-starter"];
    assert_eq!(starter.features["embedded"], ["dep:rocketmq-server"]);
    assert!(starter.features["default"].is_empty(), "{:?}", starter.features["default"]);
    Ok(())
}

#[test]
fn only_the_starter_and_the_servers_read_configuration_files() -> TestResult {
    let packages = packages()?;
    for (name, package) in &packages {
        let reads = package.uses(false).contains("toml") || package.uses(true).contains("toml");
        assert_eq!(reads, ["rocketmq-starter", "rocketmq-server"].contains(&name.as_str()), "{name}");
    }
    Ok(())
}
