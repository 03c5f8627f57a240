//! Keys of a configuration: which field each one sets, in what form, and what becomes of the others.

use std::path::Path;

use super::apache::ApacheKey;
use super::error::{BadValue, ConfigError, shown};
use super::notes::{InertKey, Notes, UnknownKey};
use super::source::{self, Entry};
use super::text::FileText;

/// The similarity (0 to 1) from which on a known key is offered for an unknown one.
const ALIKE: f64 = 0.8;
/// The most unknown keys of one file that are compared with the known ones.
const MOST_COMPARED: usize = 20;

/// One setting of a `C`.
pub(super) struct Key<C> {
    pub(super) name: &'static str,
    /// Other spellings, of other versions or of other programs.
    pub(super) aliases: &'static [&'static str],
    pub(super) set: fn(&mut C, &str) -> Result<(), &'static str>,
    pub(super) show: fn(&C) -> String,
    /// True if the short listing (`-m`) shows it.
    pub(super) important: bool,
    /// True if its value is kept out of messages.
    pub(super) secret: bool,
    /// True if a change takes effect while the program runs.
    pub(super) live: bool,
}

/// `key!("listenPort" | "port", Plain, network.port)`: text to field and back. A field in `settings.live`, or in `live`, takes
/// effect while the program runs.
macro_rules! key {
    (@live settings.live.$($field:ident).+) => { true };
    (@live live.$($field:ident).+) => { true };
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

/// Every key of a program, in the order of its listing.
pub(super) struct Keys<C: 'static>(pub(super) &'static [&'static [Key<C>]]);

impl<C> Keys<C> {
    /// Sets in `config` what the file at `path` says.
    pub(super) fn load(&self, path: &Path, config: &mut C) -> Result<Notes, ConfigError> {
        let file = FileText::read(path)?;
        let entries = entries(path, &file)?;
        self.apply(|entry| format!("{} line {}", path.display(), entry.line), &entries, config)
    }

    /// Sets in `config` what a text in properties syntax says, such as the one that came in `place`.
    pub(super) fn apply_text(&self, place: &str, text: &str, config: &mut C) -> Result<Notes, ConfigError> {
        self.apply(|_| place.to_owned(), &source::property_entries(text), config)
    }

    fn apply(
        &self,
        place: impl Fn(&Entry) -> String,
        entries: &[Entry],
        config: &mut C,
    ) -> Result<Notes, ConfigError> {
        let mut notes = Notes::default();
        let mut bad = Vec::new();
        for entry in entries {
            match self.find(&entry.key) {
                Some(key) => {
                    if let Err(expected) = (key.set)(config, &entry.value) {
                        bad.push(bad_value(place(entry), entry, key.secret, expected));
                    }
                }
                None => self.note(entry, &place, &mut notes),
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

    /// Returns true if two spellings name one setting.
    pub(super) fn is_same(&self, a: &str, b: &str) -> bool {
        a == b || self.find(a).is_some_and(|key| key.is(b))
    }

    fn note(&self, entry: &Entry, place: impl Fn(&Entry) -> String, notes: &mut Notes) {
        match ApacheKey::find(&entry.key) {
            Some(known) if known.grants(&entry.value) => {}
            Some(known) => notes.inert.push(InertKey { key: entry.key.clone(), reason: known.reason }),
            None if notes.unknown.len() < MOST_COMPARED => {
                notes.unknown.push(self.unknown(entry, place(entry)))
            }
            None => {
                let unknown = UnknownKey { place: place(entry), key: entry.key.clone(), nearest: None };
                notes.unknown.push(unknown);
            }
        }
    }

    pub(super) fn unknown(&self, entry: &Entry, place: String) -> UnknownKey {
        UnknownKey { place, key: entry.key.clone(), nearest: self.nearest(&entry.key) }
    }

    fn nearest(&self, key: &str) -> Option<&'static str> {
        let alike = |name: &'static str| (alikeness(key, name), name);
        let names = self.all().map(|key| key.name).chain(ApacheKey::names());
        let best =
            names.filter(|name| may_be_alike(key, name)).map(alike).max_by(|a, b| a.0.total_cmp(&b.0))?;
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

/// Returns the similarity of two names, from 0 to 1. Neighbours that changed places count as one mistake.
fn alikeness(a: &str, b: &str) -> f64 {
    let longer = a.chars().count().max(b.chars().count()).max(1);
    1.0 - strsim::osa_distance(a, b) as f64 / longer as f64
}

/// Returns true if two names are of similar length. A comparison takes as long as both lengths multiplied.
fn may_be_alike(a: &str, b: &str) -> bool {
    let (shorter, longer) = (a.len().min(b.len()), a.len().max(b.len()));
    shorter as f64 >= ALIKE * longer as f64
}

fn listing<'a, C: 'a>(keys: impl Iterator<Item = &'a Key<C>>, config: &C) -> String {
    keys.map(|key| format!("{}={}\n", key.name, (key.show)(config))).collect()
}

fn bad_value(place: String, entry: &Entry, secret: bool, expected: &'static str) -> BadValue {
    let value = if secret { "******".into() } else { shown(&entry.value) };
    BadValue { place, key: entry.key.clone(), value, expected }
}

/// The settings in a file. Those that nobody can read for sure are refused; comments may hold what they like.
fn entries(path: &Path, file: &FileText) -> Result<Vec<Entry>, ConfigError> {
    let fault = |line, what| ConfigError::Syntax { path: path.to_owned(), line, what };
    let entries = source::entries(path, &file.text).map_err(|error| fault(error.line, error.what))?;
    match entries.iter().find(|entry| file.is_unclear(&file.text[entry.span.clone()])) {
        Some(entry) => Err(fault(entry.line, "this setting is not in UTF-8; save the file as UTF-8".into())),
        None => Ok(entries),
    }
}
