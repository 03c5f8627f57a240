//! The place where a value was written.

use std::fmt;
use std::path::{Path, PathBuf};

/// The place where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    File {
        file: PathBuf,
        line: usize,
    },
    Variable(String),
    /// A place in the program.
    Program(String),
    /// The attribute of this listener, or `Listener::option`.
    Listener(String),
}

impl Origin {
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
            Origin::Program(place) => write!(f, "App::set at {place}"),
            Origin::Listener(described) => f.write_str(described),
        }
    }
}
