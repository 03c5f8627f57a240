//! The report of an application's configuration, listeners included, and its sources, which can be read again.

use super::App;
use crate::__private::DiscoveredListener;
use crate::config::keys::{self, Node};
use crate::config::report::{self, ConfigReport, ConfigValue};
use crate::config::sources::{Settings, Sources, Variables};
use crate::error::{Mistake, StartError};
use crate::listener::Spec;
use crate::listener::options::{Options, check_attribute};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The options that each listener of a group has for itself.
const OF_ONE_LISTENER: [&str; 5] = ["on-error", "on-unreadable", "retry-delay", "reply-timeout", "enabled"];

/// The file of variables that is read if it is there.
const DOTENV: &str = ".env";

/// The sources of an application's configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    pub(super) file: Option<PathBuf>,
    pub(super) profiles: Option<String>,
    /// In place of those of the process.
    pub(super) variables: Option<BTreeMap<String, String>>,
    pub(super) dotenv: Option<PathBuf>,
    pub(super) set: Settings,
}

impl Origins {
    /// Reads all sources, and reports every key and text in them that is wrong.
    pub(super) fn read(&self, mistakes: &mut Vec<Mistake>) -> Sources {
        let variables = self.variables(mistakes);
        let (file, profiles) = (self.file.as_deref(), self.profiles.as_deref());
        let sources = Sources::load(file, profiles, variables, self.set.clone(), mistakes);
        sources.check(mistakes);
        sources
    }

    /// Returns the file of variables, if there is one.
    pub(super) fn dotenv(&self) -> Option<&Path> {
        let usual = || Some(Path::new(DOTENV)).filter(|file| self.variables.is_none() && file.is_file());
        self.dotenv.as_deref().or_else(usual)
    }

    fn variables(&self, mistakes: &mut Vec<Mistake>) -> Variables {
        let own = self.variables.clone().unwrap_or_else(process_environment);
        match self.dotenv() {
            Some(file) => Variables::of(own).or_file(file, mistakes),
            None => Variables::of(own),
        }
    }
}

/// Reads the variables of the process. Those that are not Unicode name no key.
fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reports the configuration of an application that is not started.
pub(super) fn of(app: &App) -> Result<ConfigReport, StartError> {
    let mut mistakes = Vec::new();
    let sources = app.origins.read(&mut mistakes);
    let specs = specs(app);
    specs.iter().for_each(|spec| check_attribute(spec, &sources, &mut mistakes));
    let report = of_sources(&sources, &specs, &mut mistakes);
    if mistakes.is_empty() { Ok(report) } else { Err(StartError::of(mistakes)) }
}

/// Returns the attributes of all listeners that the application has, discovered ones included.
pub(super) fn specs(app: &App) -> Vec<Spec> {
    let mut specs: Vec<_> = app.listeners.iter().map(|listener| listener.spec.clone()).collect();
    if app.discover {
        let found =
            inventory::iter::<DiscoveredListener>.into_iter().map(|DiscoveredListener(make)| make().spec);
        specs.extend(found.filter(|found| app.listeners.iter().all(|known| known.spec != *found)));
    }
    specs
}

/// Reports what the sources say. A listener whose group is not known is left out: its mistake is reported elsewhere.
pub(super) fn of_sources(sources: &Sources, specs: &[Spec], mistakes: &mut Vec<Mistake>) -> ConfigReport {
    let mut values = report::of_tables(sources, mistakes);
    let mut groups: BTreeMap<String, Vec<&Spec>> = BTreeMap::new();
    for spec in specs {
        if let Ok(group) = sources.resolve(&spec.group) {
            groups.entry(group).or_default().push(spec);
        }
    }
    for (group, specs) in &groups {
        values.extend(of_group(sources, group, specs, mistakes));
    }
    ConfigReport { values }
}

fn of_group(
    sources: &Sources,
    group: &str,
    specs: &[&Spec],
    mistakes: &mut Vec<Mistake>,
) -> Vec<ConfigValue> {
    let Ok(keys::Place { path, node: Node::Table(table) }) = keys::follow(["consumer", "groups", group])
    else {
        return Vec::new();
    };
    let mut lines: Vec<ConfigValue> = Vec::new();
    for key in report::values(table) {
        let own = OF_ONE_LISTENER.contains(&key.name);
        let parts = if own { specs.chunks(1) } else { specs.chunks(specs.len()) };
        for part in parts {
            let mut options = Options::new(sources, group, part, mistakes);
            let (own, cluster) = (options.said(key.name), options.said("cluster"));
            let found = own.or_else(|| report::of_cluster(sources, &cluster?.text, key.name, mistakes));
            let line = ConfigValue::new(format!("{path}.{}", key.name), key, found);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::App;
    use crate::listener::Listener;

    fn app(toml: &str) -> (App, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("application.toml");
        std::fs::write(&file, toml).unwrap();
        let none: [(&str, &str); 0] = [];
        (App::new().config_file(file).environment(none), folder)
    }

    fn line(app: &App, key: &str) -> String {
        let report = app.config_report().unwrap();
        let shown: Vec<_> = report.values().iter().filter(|value| value.key() == key).collect();
        shown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_value_of_a_group_is_that_of_its_table_its_attribute_or_the_shared_one() {
        let toml =
            "[rocketmq.consumer]\nbatch = 3\nconcurrency = 5\n[rocketmq.consumer.groups.g]\nmode = 'orderly'";
        let (app, folder) = app(toml);
        let listener = Listener::new("t", "g", || async {}).option("concurrency", "${n:7}");
        let app = app.listener(listener.option("on-error", "dead-letter"));
        let place = format!("{}/application.toml", folder.path().display());
        let key = |name: &str| format!("rocketmq.consumer.groups.g.{name}");
        assert_eq!(line(&app, &key("batch")), format!("{} = \"3\" ({place}:2)", key("batch")));
        assert_eq!(line(&app, &key("mode")), format!("{} = \"orderly\" ({place}:5)", key("mode")));
        assert!(
            line(&app, &key("concurrency")).contains("= \"7\" (the listener"),
            "{}",
            line(&app, &key("concurrency"))
        );
        assert!(line(&app, &key("on-error")).contains("= \"dead-letter\" (the listener"));
        assert_eq!(line(&app, &key("from")), format!("{}: last (default)", key("from")));
    }

    #[test]
    fn listeners_of_a_group_show_their_own_options_and_share_the_rest() {
        let (app, _folder) = app("");
        let one = Listener::new("a", "g", || async {}).option("on-error", "dead-letter");
        let app = app.listener(one).listener(Listener::new("b", "g", || async {}));
        let lines = line(&app, "rocketmq.consumer.groups.g.on-error");
        assert!(lines.contains("dead-letter") && lines.ends_with("retry (default)"), "{lines}");
        assert_eq!(line(&app, "rocketmq.consumer.groups.g.batch").matches("default").count(), 1);
    }

    #[test]
    fn a_further_producer_shows_what_it_takes_from_the_first() {
        let toml = "[rocketmq]\nname-server = 'near:1'\n[rocketmq.producer]\ngroup = 'a'\nmax-message-size = 9\n\
                    access-key = 'hunter2'\n[rocketmq.producers.near]\ngroup = 'b'\n[rocketmq.producers.far]\n\
                    group = 'c'\nname-server = 'far:1'";
        let (app, _folder) = app(toml);
        assert!(line(&app, "rocketmq.producers.far.max-message-size").contains("toml:5"));
        assert!(line(&app, "rocketmq.producers.near.access-key").contains("(hidden)"));
        assert!(line(&app, "rocketmq.producers.far.access-key").contains("none"));
        let report = app.config_report().unwrap();
        assert!(!format!("{report}{report:?}").contains("hunter2"), "{report}");
    }

    #[test]
    fn a_report_of_wrong_sources_is_the_list_of_mistakes() {
        let (app, _folder) = app("[rocketmq.consumer]\nconcurrency = 0");
        let app = app.listener(Listener::new("t", "g", || async {}).option("batch", "${none}"));
        let told = app.config_report().unwrap_err().to_string();
        assert!(told.contains("application.toml:2") && told.contains("${none}"), "{told}");
    }
}
