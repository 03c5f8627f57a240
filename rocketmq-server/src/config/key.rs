//! Keys of a configuration file: which field each one sets, in what form, and what becomes of the others.

use std::fmt;
use std::path::{Path, PathBuf};

use super::source::{self, Entry};

/// Every name a setting of Apache's name server, broker, store or network layer has ever had, one a line.
const APACHE_KEYS: &str = include_str!("apache_keys.txt");
/// How alike (0 to 1) a known key must be to be offered for an unknown one.
const ALIKE: f64 = 0.8;

/// One setting of a `C`.
pub(super) struct Key<C> {
    pub(super) name: &'static str,
    /// Other spellings, of other versions or of other programs.
    pub(super) aliases: &'static [&'static str],
    pub(super) set: fn(&mut C, &str) -> Result<(), &'static str>,
    pub(super) show: fn(&C) -> String,
    /// Whether the short listing (`-m`) shows it.
    pub(super) important: bool,
    /// Whether its value is kept out of messages.
    pub(super) secret: bool,
    /// Whether a change takes effect while the program runs.
    pub(super) live: bool,
}

/// `key!("listenPort" | "port", Plain, network.port)`: text to field and back. What is in `settings.live` takes effect while
/// the program runs.
macro_rules! key {
    (@live settings.live.$($field:ident).+) => { true };
    (@live $($field:ident).+) => { false };
    ($name:literal $(| $alias:literal)*, $kind:expr, $($field:ident).+) => {
        key!(@ false, false, $name $(| $alias)*, $kind, $($field).+)
    };
    (important $name:literal $(| $alias:literal)*, $kind:expr, $($field:ident).+) => {
        key!(@ true, false, $name $(| $alias)*, $kind, $($field).+)
    };
    (secret $name:literal $(| $alias:literal)*, $kind:expr, $($field:ident).+) => {
        key!(@ false, true, $name $(| $alias)*, $kind, $($field).+)
    };
    (@ $important:literal, $secret:literal, $name:literal $(| $alias:literal)*, $kind:expr, $($field:ident).+) => {
        Key {
            name: $name,
            aliases: &[$($alias),*],
            set: |config, text| {
                config.$($field).+ = $kind.parse(text)?;
                Ok(())
            },
            show: |config| $kind.show(&config.$($field).+),
            important: $important,
            secret: $secret,
            live: key!(@live $($field).+),
        }
    };
}
pub(super) use key;

impl<C> Key<C> {
    fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// What a file said, beside the settings themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notes {
    /// Settings of Apache's that do nothing here.
    pub inert: Vec<String>,
    /// Keys nobody knows.
    pub unknown: Vec<UnknownKey>,
}

/// A key that is neither ours nor Apache's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownKey {
    /// The key as written.
    pub key: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The known key most like it, when one is alike enough.
    pub nearest: Option<&'static str>,
}

impl Notes {
    /// One line for each thing that deserves the operator's attention; none for a clean file.
    pub fn warnings(&self) -> Vec<String> {
        let inert = (!self.inert.is_empty())
            .then(|| format!("these settings of Apache's do nothing here: {}", self.inert.join(", ")));
        inert.into_iter().chain(self.unknown.iter().map(UnknownKey::to_string)).collect()
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown setting `{}` in line {}", self.key, self.line)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is neither TOML nor properties.
    #[error("{} line {line}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        what: String,
    },
    /// Values of the wrong type: all of them, so that one run shows every mistake.
    #[error("{}", .0.iter().map(BadValue::to_string).collect::<Vec<_>>().join("\n"))]
    Values(Vec<BadValue>),
}

/// A value that does not fit its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} line {line}: `{key}` is \"{value}\", but must be {expected}")]
#[non_exhaustive]
pub struct BadValue {
    /// The file, or what stands for it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// The key as written.
    pub key: String,
    /// The value as written; `******` where it would hold a secret.
    pub value: String,
    /// The form it must have.
    pub expected: &'static str,
}

/// Every key of a program, in the order of its listing.
pub(super) struct Keys<C: 'static>(pub(super) &'static [&'static [Key<C>]]);

impl<C> Keys<C> {
    /// Sets in `config` what the file at `path` says.
    pub(super) fn load(&self, path: &Path, config: &mut C) -> Result<Notes, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let entries = source::entries(path, &text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.line,
            what: error.what,
        })?;
        self.apply(&path.display().to_string(), &entries, config)
    }

    /// Sets in `config` what a text in properties syntax says, as admin tools send it.
    pub(super) fn apply_properties(&self, text: &str, config: &mut C) -> Result<Notes, ConfigError> {
        self.apply("the request", &source::property_entries(text), config)
    }

    fn apply(&self, file: &str, entries: &[Entry], config: &mut C) -> Result<Notes, ConfigError> {
        let mut notes = Notes::default();
        let mut bad = Vec::new();
        for entry in entries {
            match self.find(&entry.key) {
                Some(key) => {
                    if let Err(expected) = (key.set)(config, &entry.value) {
                        bad.push(bad_value(file, entry, key.secret, expected));
                    }
                }
                None => self.note(entry, &mut notes),
            }
        }
        if bad.is_empty() { Ok(notes) } else { Err(ConfigError::Values(bad)) }
    }

    fn all(&self) -> impl Iterator<Item = &'static Key<C>> + use<C> {
        self.0.iter().copied().flatten()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Key<C>> {
        self.all().find(|key| key.is(name))
    }

    fn note(&self, entry: &Entry, notes: &mut Notes) {
        if APACHE_KEYS.lines().any(|known| known == entry.key) {
            notes.inert.push(entry.key.clone());
        } else {
            let nearest = self.nearest(&entry.key);
            notes.unknown.push(UnknownKey { key: entry.key.clone(), line: entry.line, nearest });
        }
    }

    fn nearest(&self, key: &str) -> Option<&'static str> {
        let alike = |name: &'static str| (strsim::normalized_damerau_levenshtein(key, name), name);
        let ours = self.all().map(|key| key.name);
        let best = ours.chain(APACHE_KEYS.lines()).map(alike).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= ALIKE).then_some(best.1)
    }

    /// Every setting in effect, in properties syntax.
    pub(super) fn properties(&self, config: &C) -> String {
        listing(self.all(), config)
    }

    /// The settings an operator looks at first, in properties syntax.
    pub(super) fn important(&self, config: &C) -> String {
        listing(self.all().filter(|key| key.important), config)
    }
}

fn listing<'a, C: 'a>(keys: impl Iterator<Item = &'a Key<C>>, config: &C) -> String {
    keys.map(|key| format!("{}={}\n", key.name, (key.show)(config))).collect()
}

fn bad_value(file: &str, entry: &Entry, secret: bool, expected: &'static str) -> BadValue {
    BadValue {
        file: file.to_owned(),
        line: entry.line,
        key: entry.key.clone(),
        value: if secret { "******".into() } else { entry.value.clone() },
        expected,
    }
}
