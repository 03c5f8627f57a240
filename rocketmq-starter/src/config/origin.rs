//! The place where a value was written.

use std::fmt;
use std::path::{Path, PathBuf};

/// The place where a value was written. `Display` names it as messages do: `application.toml:3`.
///
/// ```
/// use rocketmq_starter::App;
/// use rocketmq_starter::config::Origin;
///
/// # fn main() -> Result<(), rocketmq_starter::StartError> {
/// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
/// let group = report.get("rocketmq.producer.group").expect("a key");
/// assert!(matches!(group.origin(), Origin::Variable(name) if name == "ROCKETMQ_PRODUCER_GROUP"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// A line of a configuration file.
    File {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A variable of the process, by name.
    Variable(String),
    /// A variable in a file such as `.env`.
    EnvFile {
        /// The name of the variable.
        name: String,
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A call of `App::set`: file and line of the program.
    Program(String),
    /// The attribute of this listener, or `Listener::option`.
    Listener(String),
    /// Nowhere: the value is the default.
    Default,
}

impl Origin {
    /// Tells whether the name of a variable gave the key, in capitals and with `_`.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(self, Origin::Variable(_) | Origin::EnvFile { .. })
    }

    /// Counts the line of the byte at `byte` in the `text` of the file.
    pub(crate) fn in_file(file: &Path, text: &str, byte: usize) -> Self {
        let before = &text.as_bytes()[..byte.min(text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File { file: file.to_owned(), line }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { file, line } => write!(f, "{}:{line}", file.display()),
            Origin::Variable(name) => write!(f, "the variable {name}"),
            Origin::EnvFile { name, file, line } => {
                write!(f, "the variable {name} in {}:{line}", file.display())
            }
            Origin::Program(place) => write!(f, "App::set at {place}"),
            Origin::Listener(described) => f.write_str(described),
            Origin::Default => f.write_str("default"),
        }
    }
}
