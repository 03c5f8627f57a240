//! The errors of a configuration.

use std::path::PathBuf;

/// The longest text of a setting that is repeated in a message.
const LONGEST_SHOWN: usize = 100;

/// Names the reason for which a configuration file, or a change of the configuration, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The answer of the system.
        source: std::io::Error,
    },
    /// The file is no text.
    #[error("cannot read the configuration file {}: {what}; save it as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Its real kind.
        what: String,
    },
    /// The file is neither TOML nor properties.
    #[error("{} line {line}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The words of the parser.
        what: String,
    },
    /// Values of the wrong type: all of them, so that one run shows every mistake.
    #[error("{}", .0.iter().map(BadValue::to_string).collect::<Vec<_>>().join("\n"))]
    Values(Vec<BadValue>),
}

/// A value that does not fit its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: `{key}` is \"{value}\", but must be {expected}")]
#[non_exhaustive]
pub struct BadValue {
    /// Its place, such as `broker.conf line 3`.
    pub place: String,
    /// The key as written.
    pub key: String,
    /// The value as written, cut when it is long; `******` where it would hold a secret.
    pub value: String,
    /// The form it must have.
    pub expected: &'static str,
}

/// A text of somebody else's as it may stand in a message: cut when it is long, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    let beginning: String = text.chars().take(LONGEST_SHOWN).map(escaped).collect();
    match text.chars().nth(LONGEST_SHOWN) {
        Some(_) => format!("{beginning}… ({} bytes)", text.len()),
        None => beginning,
    }
}
