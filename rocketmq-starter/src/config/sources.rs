//! The sources of the configuration: files, then variables, then `App::set`. One rule holds for all three: a key under
//! `rocketmq` that is not known, or whose text the key does not take, is a mistake.

mod check;
mod place;
mod secret_file;
mod variables;

pub(crate) use check::wrong_value;
pub(crate) use secret_file::{in_file, read as read_secret};
pub(crate) use variables::Variables;

use super::entry::{Entry, normal};
use super::file::{self, Line, LineValue};
use super::keys::{self, Place};
use super::origin::Origin;
use crate::error::{Mistake, MistakeKind};
use crate::placeholder::{self, PlaceholderError, variable_name};
use check::unresolved;
use place::{is_misnamed, placed};
use rocketmq_client::remoting::spring::canonical;
use secret_file::{Named, rival};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The files of an application that names none; a later one overrides an earlier one.
const DEFAULT_FILES: [&str; 2] = ["application.toml", "config/application.toml"];
/// Begins the variables that configure.
const PREFIX: &str = "ROCKETMQ_";

/// The settings of the program: key, text, and the place of the call.
pub(crate) type Settings = Vec<(String, String, String)>;

/// One value as text, placeholders resolved, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) written: String,
    pub(crate) origin: Origin,
}

/// All layers of configuration.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The values of all files that no later file overrides, by key.
    files: BTreeMap<String, Entry>,
    /// Values that a later file overrides. They are checked all the same.
    overridden: Vec<(String, Entry)>,
    /// Keys that lead nowhere.
    misplaced: Vec<(Origin, Mistake)>,
    variables: Variables,
    set: BTreeMap<String, Entry>,
    /// The file in which messages tell the user to add a key.
    home: Option<PathBuf>,
    /// The files that were read.
    read: Vec<PathBuf>,
    /// Variables and keys that a placeholder named: variables need not stand for a key, and keys need no other reader.
    used: Mutex<BTreeSet<String>>,
}

impl Sources {
    /// Reads `application.toml` and `application-{profile}.toml` beside it.
    ///
    /// `file`: the one to read, which must exist; without it the usual places are looked at, and may be empty.
    pub(crate) fn load(
        file: Option<&Path>,
        profiles: Option<&str>,
        variables: Variables,
        set: Settings,
        mistakes: &mut Vec<Mistake>,
    ) -> Sources {
        let bases = match file {
            Some(file) => vec![file.to_owned()],
            None => DEFAULT_FILES.iter().map(PathBuf::from).filter(|path| path.is_file()).collect(),
        };
        let mut sources = Sources { variables, home: bases.last().cloned(), ..Sources::default() };
        for (key, text, place) in set {
            sources.set(&key, text, place);
        }
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

    /// Returns the files that were read.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.read
    }

    /// Makes sources of a text, for tests.
    #[cfg(test)]
    pub(crate) fn from_toml(toml: &str, variables: &[(&str, &str)]) -> (Sources, Vec<Mistake>) {
        let (mut sources, mut mistakes) = (Sources::default(), Vec::new());
        sources.variables = Variables::of(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        match file::parse(Path::new("application.toml"), toml) {
            Ok(lines) => sources.lay(lines),
            Err(mistake) => mistakes.push(mistake),
        }
        sources.check(&mut mistakes);
        (sources, mistakes)
    }

    fn profiles(&self) -> Option<String> {
        self.find("rocketmq.profile").ok().flatten().map(|found| found.text)
    }

    fn merge(&mut self, path: &Path, mistakes: &mut Vec<Mistake>) {
        self.read.push(path.to_owned());
        match file::read(path) {
            Ok(lines) => self.lay(lines),
            Err(mistake) => mistakes.push(mistake),
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

    /// Lays a file over those before it.
    fn lay(&mut self, lines: Vec<Line>) {
        let mut misnamed = BTreeSet::new();
        let mut laid = BTreeSet::new();
        for line in lines {
            let first = &line.segments[0];
            if is_misnamed(first) && !misnamed.insert(first.clone()) {
                continue;
            }
            let Some((path, entry)) = self.place(line) else { continue };
            if let Some(before) = self.files.insert(path.clone(), entry) {
                self.overridden.push((path.clone(), before));
            }
            laid.insert(path);
        }
        self.forget_rivals(&laid);
    }

    /// A secret goes before the file of it that an earlier file names, and the reverse.
    fn forget_rivals(&mut self, laid: &BTreeSet<String>) {
        for path in laid {
            if let Some(rival) = rival(path).filter(|rival| !laid.contains(rival))
                && let Some(before) = self.files.remove(&rival)
            {
                self.overridden.push((rival, before));
            }
        }
    }

    fn set(&mut self, key: &str, text: String, place: String) {
        let segments = key.split('.').map(str::to_owned).collect();
        let line = Line { segments, value: LineValue::Text(text), origin: Origin::Program(place) };
        if let Some((path, entry)) = self.place(line) {
            self.set.insert(path, entry);
        }
    }

    fn place(&mut self, line: Line) -> Option<(String, Entry)> {
        let origin = line.origin.clone();
        placed(line).unwrap_or_else(|mistake| {
            self.misplaced.push((origin, mistake));
            None
        })
    }

    /// Returns the text of `path`, placeholders resolved.
    ///
    /// # Errors
    /// Fails for a placeholder that cannot be resolved, and for the file of a secret that cannot be read.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Found>, Mistake> {
        match self.entry(path)? {
            None => Ok(None),
            Some(Named::Itself(entry)) => self.resolved(entry).map(Some),
            Some(Named::File(entry, node)) => {
                let found = self.resolved(entry)?;
                if found.text.trim().is_empty() { Ok(None) } else { read_secret(found, node).map(Some) }
            }
        }
    }

    fn resolved(&self, Entry { written, text, origin }: Entry) -> Result<Found, Mistake> {
        match self.resolve(&text) {
            Ok(text) => Ok(Found { text, written, origin }),
            Err(error) => Err(unresolved(&written, &origin, &error)),
        }
    }

    /// Replaces the placeholders of any text by configuration values.
    pub(crate) fn resolve(&self, text: &str) -> Result<String, PlaceholderError> {
        placeholder::resolve(text, &|key| self.placeholder(key))
            .map_err(|error| error.at_home(self.home.as_deref()))
    }

    /// Looks for a variable of exactly this name, as for `${NAMESRV_ADDR}` in Spring; then for a key of the configuration.
    fn placeholder(&self, key: &str) -> Option<String> {
        if let Some(entry) = self.set.get(&normal(key)) {
            return Some(entry.text.clone());
        }
        for name in [key, variable_name(key).as_str()] {
            if let Some(variable) = self.variables.0.get(name) {
                self.used().insert(name.to_owned());
                return Some(variable.text.clone());
            }
        }
        self.used().insert(normal(key));
        self.raw(key).map(|entry| entry.text)
    }

    fn used(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the entry that wins: set by the program, else a variable, else the files.
    fn raw(&self, path: &str) -> Option<Entry> {
        let path = normal(path);
        self.set
            .get(&path)
            .cloned()
            .or_else(|| self.variable(&path))
            .or_else(|| self.files.get(&path).cloned())
    }

    fn variable(&self, path: &str) -> Option<Entry> {
        let wanted = canonical(path);
        let mut variables = self.variables.0.iter();
        let (_, found) = variables.find(|(name, _)| name.starts_with(PREFIX) && canonical(name) == wanted)?;
        Some(Entry { written: path.to_owned(), text: found.text.clone(), origin: found.origin.clone() })
    }

    /// Returns the variables that stand for a key.
    fn of_variables(&self) -> Vec<(Place, Entry)> {
        let places = self.variables.0.iter().filter_map(|(name, variable)| {
            let (0, place) = nearest(name)? else { return None };
            let (text, origin) = (variable.text.clone(), variable.origin.clone());
            let entry = Entry { written: place.path.clone(), text, origin };
            Some((place, entry))
        });
        places.collect()
    }

    /// Returns the names that the user chose below a path, each with one place. Variables write names in capitals and with
    /// `_`, so the spelling of a file goes before theirs.
    pub(crate) fn names(&self, path: &str) -> Vec<(String, Origin)> {
        let prefix = format!("{path}.");
        let mut names: Vec<(String, Origin)> = Vec::new();
        let variables: BTreeMap<_, _> =
            self.of_variables().into_iter().map(|(place, entry)| (place.path, entry)).collect();
        for (path, entry) in self.files.iter().chain(&self.set).chain(&variables) {
            let Some(name) = path.strip_prefix(&prefix).and_then(|rest| rest.split('.').next()) else {
                continue;
            };
            let loose = entry.origin.is_variable();
            let known = |known: &str| known == name || (loose && canonical(known) == canonical(name));
            if !names.iter().any(|(other, _)| known(other)) {
                names.push((name.to_owned(), entry.origin.clone()));
            }
        }
        names
    }
}

/// Values outside `rocketmq`, which belong to the application.
impl Sources {
    /// Returns the value that counts of each key below `path`, and of `path` itself, without variables.
    pub(crate) fn below(&self, path: &str) -> Vec<Entry> {
        let is_below =
            |key: &str| key.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let mut entries: BTreeMap<_, _> = self.files.iter().filter(|(key, _)| is_below(key)).collect();
        entries.extend(self.set.iter().filter(|(key, _)| is_below(key)));
        entries.into_values().cloned().collect()
    }

    /// Returns the value of a key that goes before those of the files: that of `App::set`, else of a variable.
    pub(crate) fn over_files(&self, key: &str) -> Option<Entry> {
        self.set.get(&normal(key)).cloned().or_else(|| self.own_variable(key))
    }

    /// Returns the variable of a key: `ORDERS_MAX_ITEMS`, or `ORDERS_MAXITEMS`, of `orders.max-items`.
    fn own_variable(&self, key: &str) -> Option<Entry> {
        let (section, _) = key.split_once('.')?;
        let (prefix, wanted) = (format!("{}_", variable_name(section)), canonical(key));
        let is_it = |name: &str| {
            name.starts_with(&prefix) && canonical(name) == wanted && !name.contains(char::is_lowercase)
        };
        let (_, found) = self.variables.0.iter().find(|(name, _)| is_it(name))?;
        Some(Entry { written: key.to_owned(), text: found.text.clone(), origin: found.origin.clone() })
    }

    /// Tells where a value for a key belongs.
    pub(crate) fn remedy(&self, key: &str) -> String {
        let home = self.home.as_deref().unwrap_or(Path::new(DEFAULT_FILES[0])).display();
        format!("in {home}, or the variable {}", variable_name(key))
    }

    /// Warns of a key that its section's type does not have, unless a placeholder named it.
    pub(crate) fn warn_if_unused(&self, key: &str) {
        if !self.used().contains(&normal(key)) {
            tracing::warn!(key, "this key of the application's own section is read by nothing");
        }
    }
}

/// Returns the key that a variable is nearest to, and the number of typing errors; `None` without our prefix.
fn nearest(name: &str) -> Option<(usize, Place)> {
    let words: Vec<_> = name.strip_prefix(PREFIX)?.split('_').filter(|word| !word.is_empty()).collect();
    keys::nearest(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sources: &Sources, path: &str) -> Option<String> {
        sources.find(path).unwrap().map(|found| found.text)
    }

    fn mistakes(toml: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let (sources, mut mistakes) = Sources::from_toml(toml, variables);
        sources.check_variables(&mut mistakes);
        mistakes.iter().map(ToString::to_string).collect()
    }

    fn load(file: &Path, profiles: Option<&str>, set: &[(&str, &str)]) -> (Sources, Vec<String>) {
        let set =
            set.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned(), "main.rs:7".to_owned()));
        let mut mistakes = Vec::new();
        let sources = Sources::load(Some(file), profiles, Variables::default(), set.collect(), &mut mistakes);
        sources.check(&mut mistakes);
        (sources, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_variable_wins_over_files_and_tells_its_name() {
        let (sources, _) = Sources::from_toml(
            "[rocketmq.producer]\nsend-message-timeout = 3000\ngroup = 'a'",
            &[("ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT", "5s")],
        );
        let found = sources.find("rocketmq.producer.send-message-timeout").unwrap().unwrap();
        assert_eq!(found.text, "5s");
        assert_eq!(found.origin.to_string(), "the variable ROCKETMQ_PRODUCER_SEND_MESSAGE_TIMEOUT");
        assert_eq!(text(&sources, "rocketmq.producer.group").unwrap(), "a");
    }

    #[test]
    fn placeholders_reach_variables_and_other_keys() {
        let (sources, _) = Sources::from_toml(
            "[rocketmq]\nname-server = '${ADDR:${billing.host}:9876}'\n[billing]\nhost = 'db'",
            &[],
        );
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "db:9876");
        let (sources, _) = Sources::from_toml("[rocketmq]\nname-server = '${ADDR:x}'", &[("ADDR", "h:1")]);
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "h:1");
    }

    #[test]
    fn a_placeholder_without_a_value_names_its_line() {
        let (sources, _) = Sources::from_toml("[rocketmq]\nname-server = '${ADDR}'", &[]);
        let mistake = sources.find("rocketmq.name-server").unwrap_err().to_string();
        assert!(
            mistake.starts_with("`rocketmq.name-server` in application.toml:2: `${ADDR}` has no value"),
            "{mistake}"
        );
    }

    #[test]
    fn a_list_of_name_servers_is_one_text() {
        let (sources, _) = Sources::from_toml("[rocketmq]\nname-server = ['a:1', 'b:2']", &[]);
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "a:1;b:2");
    }

    #[test]
    fn mistakes_come_in_the_order_of_lines_and_in_the_users_spelling() {
        let toml = "[rocketmq]\nprofil = 'x'\n[rocketmq.producer]\nsendMessageTimeout = 0\ngroup = { a = 1 }\n\
                    secret-key = ''\n[rocketmq.consumer]\nconcurrency = 0\n[rocketmk]\na = 1\nb = 2";
        let found = mistakes(toml, &[("ROCKETMQ_PRODUCER_RETRY_NEXT_SERVER", "maybe")]);
        let starts = [
            "`rocketmq.profil` in application.toml:2 is not a known key; the nearest known key is `profile`",
            "`rocketmq.producer.sendMessageTimeout` is \"0\" in application.toml:4; it takes a duration of at least 1 ms",
            "`rocketmq.producer.group.a` in application.toml:5 is not a known key; the key above it takes one value",
            "`rocketmq.consumer.concurrency` is \"0\" in application.toml:8; it takes a whole number from 1 to 1000",
            "`rocketmk.a` in application.toml:10 is read by nothing: write `rocketmq`, not `rocketmk`",
            "`rocketmq.producer.retry-next-server` is \"maybe\" in the variable ROCKETMQ_PRODUCER_RETRY_NEXT_SERVER",
        ];
        assert_eq!(found.len(), starts.len(), "{found:#?}");
        for (found, start) in found.iter().zip(starts) {
            assert!(found.starts_with(start), "{found}\n{start}");
        }
    }

    #[test]
    fn a_value_where_a_table_belongs_is_named_and_the_reverse() {
        let found = mistakes("[rocketmq]\nproducer = 3\nname-server = {}", &[]);
        assert!(
            found[0].contains("`rocketmq.producer` in application.toml:2 is one value, and a table"),
            "{found:?}"
        );
        assert!(
            found[1].contains("`rocketmq.name-server` in application.toml:3 is a table, and one value"),
            "{found:?}"
        );
    }

    #[test]
    fn a_misspelt_variable_is_a_mistake_and_one_of_another_program_is_not() {
        let found =
            mistakes("", &[("ROCKETMQ_PRODUCER_GRUOP", "a"), ("ROCKETMQ_HOME", "/opt"), ("ROCKETMQ_X", "1")]);
        assert_eq!(
            found,
            [
                "the variable ROCKETMQ_PRODUCER_GRUOP stands for no key; did you mean ROCKETMQ_PRODUCER_GROUP, which is \
                 `rocketmq.producer.group`?"
            ]
        );
        assert!(mistakes("a = '${ROCKETMQ_PRODUCER_GRUOP:}'", &[]).is_empty());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let proxies = "hunter2";
        let found = mistakes(&format!("[rocketmq]\nsocks-proxy-config = '{proxies}'"), &[]);
        assert!(
            found.len() == 1 && !found[0].contains("hunter2") && found[0].contains("(hidden)"),
            "{found:?}"
        );
    }

    #[test]
    fn profiles_lie_over_the_base_file_and_what_they_hide_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("application.toml");
        let text_of_base =
            "[rocketmq]\nprofile = 'dev'\nname-server = 'base'\n[rocketmq.producer]\ngroup='g'";
        std::fs::write(&base, text_of_base).unwrap();
        std::fs::write(folder.path().join("application-dev.toml"), "[rocketmq]\nnameServer = 'dev:1'")
            .unwrap();
        let (sources, mistakes) = load(&base, None, &[]);
        assert_eq!(text(&sources, "rocketmq.name-server").unwrap(), "dev:1");
        assert_eq!(text(&sources, "rocketmq.producer.group").unwrap(), "g");
        let origin = sources.find("rocketmq.name-server").unwrap().unwrap().origin.to_string();
        assert!(origin.ends_with("application-dev.toml:2"), "{origin}");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(
            mistakes[0].contains("\"base\" in") && mistakes[0].contains("application.toml:3"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn the_program_sets_by_the_same_rule() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("application.toml");
        std::fs::write(&base, "[rocketmq.producers.audit]\ngroup = 'file'").unwrap();
        let set = [
            ("rocketmq.producers.audit.group", "program"),
            ("rocketmq.producers.more.group", "more"),
            ("rocketmq.producer.gruop", "x"),
            ("rocketmq.producer.retry-next-server", "perhaps"),
        ];
        let (sources, mistakes) = load(&base, None, &set);
        assert_eq!(text(&sources, "rocketmq.producers.audit.group").unwrap(), "program");
        let names: Vec<_> = sources.names("rocketmq.producers").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["audit", "more"]);
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(
            mistakes[0].starts_with("`rocketmq.producer.gruop` in App::set at main.rs:7"),
            "{mistakes:?}"
        );
        assert!(mistakes[1].contains("\"perhaps\" in App::set at main.rs:7"), "{mistakes:?}");
    }

    #[test]
    fn files_that_are_missing_or_broken_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("application.toml");
        std::fs::write(&broken, "[rocketmq\nx").unwrap();
        let (_, mut texts) = load(&broken, Some("prod"), &[]);
        texts.extend(load(&folder.path().join("none.toml"), None, &[]).1);
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("application.toml:1 is not TOML"), "{texts:?}");
        assert!(texts[1].contains("application-prod.toml"), "{texts:?}");
        assert!(texts[2].contains("none.toml cannot be read"), "{texts:?}");
    }
}
