//! Where configuration comes from: the files, then the environment, then what the program sets itself.

use crate::error::{Mistake, MistakeKind};
use crate::placeholder::{self, PlaceholderError, variable_name};
use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Looked for when the application names no file of its own; a later one overrides an earlier one.
const DEFAULT_FILES: [&str; 2] = ["application.toml", "config/application.toml"];

/// One scalar as text, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) origin: String,
}

/// All layers of configuration.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: Figment,
    environment: BTreeMap<String, String>,
    set: BTreeMap<String, String>,
    /// Variables that some key stood for; the rest may be misspelt.
    used_variables: RefCell<BTreeSet<String>>,
}

impl Sources {
    /// Reads `application.toml` and `application-{profile}.toml` beside it.
    ///
    /// `file`: the one to read, which must exist; without it the usual places are looked at, and may be empty.
    pub(crate) fn load(
        file: Option<&Path>,
        profiles: Option<&str>,
        environment: BTreeMap<String, String>,
        set: BTreeMap<String, String>,
        mistakes: &mut Vec<Mistake>,
    ) -> Sources {
        let bases = match file {
            Some(file) => vec![file.to_owned()],
            None => DEFAULT_FILES.iter().map(PathBuf::from).filter(|path| path.is_file()).collect(),
        };
        let mut sources = Sources { environment, set, ..Sources::default() };
        for base in &bases {
            sources.merge(base, mistakes);
        }
        let chosen = profiles.map(str::to_owned).or_else(|| sources.profiles());
        for profile in
            chosen.iter().flat_map(|all| all.split(',')).map(str::trim).filter(|name| !name.is_empty())
        {
            sources.merge_profile(profile, &bases, mistakes);
        }
        sources
    }

    /// For tests and for what needs no file.
    #[cfg(test)]
    pub(crate) fn from_toml(toml: &str, environment: &[(&str, &str)]) -> Sources {
        Sources {
            files: Figment::from(Toml::string(toml)),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Sources::default()
        }
    }

    fn profiles(&self) -> Option<String> {
        self.find("rocketmq.profile").ok().flatten().map(|found| found.text)
    }

    fn merge(&mut self, path: &Path, mistakes: &mut Vec<Mistake>) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the configuration file {} cannot be read: {error}", path.display());
                mistakes.push(Mistake::new(MistakeKind::File, message));
                return;
            }
        };
        let layer = Figment::from(Toml::file_exact(path));
        match layer.data_error() {
            Some(error) => {
                let message = format!("{} is not TOML: {}", path.display(), error.trim());
                mistakes.push(Mistake::new(MistakeKind::File, message));
            }
            None if text.trim().is_empty() => {}
            None => self.files = std::mem::take(&mut self.files).merge(Toml::file_exact(path)),
        }
    }

    fn merge_profile(&mut self, profile: &str, bases: &[PathBuf], mistakes: &mut Vec<Mistake>) {
        let beside = |base: &PathBuf| {
            let stem = base.file_stem().unwrap_or_default().to_string_lossy();
            base.with_file_name(format!("{stem}-{profile}.toml"))
        };
        let default = vec![PathBuf::from(DEFAULT_FILES[0]), PathBuf::from(DEFAULT_FILES[1])];
        let bases = if bases.is_empty() { &default } else { bases };
        let files: Vec<_> = bases.iter().map(beside).collect();
        let present: Vec<_> = files.iter().filter(|path| path.is_file()).collect();
        if present.is_empty() {
            let looked: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
            let message = format!("the profile `{profile}` has no file: looked for {}", looked.join(", "));
            mistakes.push(Mistake::new(MistakeKind::File, message));
        }
        for path in present {
            self.merge(path, mistakes);
        }
    }

    /// The text of `path`, placeholders resolved.
    ///
    /// # Errors
    /// A placeholder that cannot be resolved. A table or a list that is no list of words is reported as text by
    /// [`Sources::raw`]'s caller.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Found>, PlaceholderError> {
        match self.raw(path) {
            Some(found) => Ok(Some(Found { text: self.resolve(&found.text)?, origin: found.origin })),
            None => Ok(None),
        }
    }

    /// Replaces the placeholders of any text by configuration values.
    pub(crate) fn resolve(&self, text: &str) -> Result<String, PlaceholderError> {
        placeholder::resolve(text, &|key| self.placeholder(key))
    }

    /// A variable of exactly this name wins, as `${NAMESRV_ADDR}` in Spring; then any key of the configuration.
    fn placeholder(&self, key: &str) -> Option<String> {
        let variable = || self.environment.get(key).or_else(|| self.environment.get(&variable_name(key)));
        self.set.get(key).or_else(variable).cloned().or_else(|| self.raw(key).map(|found| found.text))
    }

    /// The text as it was written: set by the program, else the environment, else the files.
    fn raw(&self, path: &str) -> Option<Found> {
        let wanted = canonical(path);
        let is = |(key, _): &(&String, &String)| canonical(key) == wanted;
        if let Some((_, text)) = self.set.iter().find(is) {
            return Some(Found { text: text.clone(), origin: "set by the program".into() });
        }
        if let Some((name, text)) = self.variable(&wanted) {
            return Some(Found { text: text.clone(), origin: format!("the variable {name}") });
        }
        let value = self.value(path)?;
        Some(Found { text: text_of(&value)?, origin: self.origin(&value) })
    }

    /// Only variables that begin with `ROCKETMQ_` configure; any other is reached through a placeholder.
    fn variable(&self, wanted: &str) -> Option<(&String, &String)> {
        let found = self.environment.iter().find(|(name, _)| is_ours(name) && canonical(name) == *wanted);
        if let Some((name, _)) = found {
            self.used_variables.borrow_mut().insert(name.clone());
        }
        found
    }

    /// Variables that begin with `ROCKETMQ_` but stood for no key that was asked for.
    pub(crate) fn unused_variables(&self) -> Vec<String> {
        let used = self.used_variables.borrow();
        self.environment.keys().filter(|name| is_ours(name) && !used.contains(*name)).cloned().collect()
    }

    /// The value in the files, keys compared as Spring does: `sendMessageTimeout` is `send-message-timeout`.
    pub(crate) fn value(&self, path: &str) -> Option<Value> {
        let mut segments = path.split('.');
        let mut value = lenient(&self.top(), segments.next()?)?;
        for segment in segments {
            let Value::Dict(_, table) = &value else { return None };
            value = lenient(table, segment)?;
        }
        Some(value)
    }

    fn top(&self) -> Dict {
        match self.files.find_value("") {
            Ok(Value::Dict(_, table)) => table,
            _ => Dict::new(),
        }
    }

    /// The keys of a table of the files, each with the file it was written in.
    pub(crate) fn keys(&self, path: &str) -> Vec<(String, String)> {
        match self.value(path) {
            Some(Value::Dict(_, table)) => {
                table.iter().map(|(key, value)| (key.clone(), self.origin(value))).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn origin(&self, value: &Value) -> String {
        let inner = match value {
            Value::Dict(_, table) => table.values().next().unwrap_or(value),
            other => other,
        };
        let file = self
            .files
            .get_metadata(inner.tag())
            .and_then(|metadata| metadata.source.as_ref())
            .and_then(|source| source.file_path());
        file.map_or_else(|| "the configuration".to_owned(), |path| path.display().to_string())
    }
}

/// Apache's own variables, such as ROCKETMQ_HOME, begin alike and are left alone unless a key matches.
fn is_ours(name: &str) -> bool {
    name.starts_with("ROCKETMQ_")
}

/// How Spring compares keys: case, `-`, `_` and `.` do not count.
pub(crate) fn canonical(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | '.')).map(|c| c.to_ascii_lowercase()).collect()
}

fn lenient(table: &Dict, wanted: &str) -> Option<Value> {
    let exact = table.get(wanted);
    let close = || table.iter().find(|(key, _)| canonical(key) == canonical(wanted)).map(|(_, value)| value);
    exact.or_else(close).cloned()
}

/// A scalar as text; a list of scalars joined by `;`, as name servers are written in one string.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, c) => Some(c.to_string()),
        Value::Bool(_, switch) => Some(switch.to_string()),
        Value::Num(_, number) => Some(number_text(*number)),
        Value::Array(_, items) => {
            items.iter().map(text_of).collect::<Option<Vec<_>>>().map(|all| all.join(";"))
        }
        Value::Empty(..) | Value::Dict(..) => None,
    }
}

fn number_text(number: figment::value::Num) -> String {
    match (number.to_i128(), number.to_u128()) {
        (Some(signed), _) => signed.to_string(),
        (None, Some(unsigned)) => unsigned.to_string(),
        (None, None) => number.to_f64().unwrap_or_default().to_string(),
    }
}

/// Figment keeps the error of a file until a value is asked for.
trait DataError {
    fn data_error(&self) -> Option<String>;
}

impl DataError for Figment {
    fn data_error(&self) -> Option<String> {
        self.find_value("").err().map(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sources: &Sources, path: &str) -> Option<String> {
        sources.find(path).unwrap().map(|found| found.text)
    }

    #[test]
    fn the_environment_wins_over_files() {
        let sources = Sources::from_toml(
            "[rocketmq.producer]\nsend-message-timeout = 3000\ngroup = 'a'",
            &[("ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT", "5s")],
        );
        let found = sources.find("rocketmq.producer.send-message-timeout").unwrap().unwrap();
        assert_eq!(found.text, "5s");
        assert_eq!(found.origin, "the variable ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT");
        assert_eq!(text(&sources, "rocketmq.producer.group").unwrap(), "a");
    }

    #[test]
    fn keys_are_compared_as_spring_does() {
        let sources = Sources::from_toml("[rocketmq.producer]\nsendMessageTimeout = 7", &[]);
        assert_eq!(text(&sources, "rocketmq.producer.send-message-timeout").unwrap(), "7");
    }

    #[test]
    fn placeholders_reach_variables_and_other_keys() {
        let sources = Sources::from_toml(
            "[rocketmq]\nname-server = '${ADDR:${billing.host}:9876}'\n[billing]\nhost = 'db'",
            &[],
        );
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "db:9876");
        let sources = Sources::from_toml("[rocketmq]\nname-server = '${ADDR:x}'", &[("ADDR", "h:1")]);
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "h:1");
    }

    #[test]
    fn a_list_of_name_servers_is_one_text() {
        let sources = Sources::from_toml("[rocketmq]\nname-server = ['a:1', 'b:2']", &[]);
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "a:1;b:2");
    }

    #[test]
    fn profiles_lie_over_the_base_file() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("application.toml");
        std::fs::write(
            &base,
            "[rocketmq]\nprofile = 'dev'\nname-server = 'base:1'\n[rocketmq.producer]\ngroup='g'",
        )
        .unwrap();
        std::fs::write(folder.path().join("application-dev.toml"), "[rocketmq]\nname-server = 'dev:1'")
            .unwrap();
        let mut mistakes = Vec::new();
        let sources = Sources::load(Some(&base), None, BTreeMap::new(), BTreeMap::new(), &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "dev:1");
        assert_eq!(text(&sources, "rocketmq.producer.group").unwrap(), "g");
        let origin = sources.find("rocketmq.name-server").unwrap().unwrap().origin;
        assert!(origin.ends_with("application-dev.toml"), "{origin}");
    }

    #[test]
    fn files_that_are_missing_or_broken_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("application.toml");
        std::fs::write(&broken, "[rocketmq\nx").unwrap();
        let mut mistakes = Vec::new();
        Sources::load(Some(&broken), Some("prod"), BTreeMap::new(), BTreeMap::new(), &mut mistakes);
        Sources::load(
            Some(&folder.path().join("none.toml")),
            None,
            BTreeMap::new(),
            BTreeMap::new(),
            &mut mistakes,
        );
        let texts: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("is not TOML"), "{texts:?}");
        assert!(texts[1].contains("application-prod.toml"), "{texts:?}");
        assert!(texts[2].contains("none.toml cannot be read"), "{texts:?}");
    }
}
