//! The error of reading a section: the place of a value, and the type that it should have.

use crate::config::origin::Origin;
use crate::error::{Mistake, MistakeKind};
use std::fmt;

/// Tells why a section cannot be read.
#[derive(Debug)]
pub(super) struct Error {
    /// The key and its place; the innermost one counts.
    place: Option<String>,
    kind: MistakeKind,
    text: String,
    /// A field without a value, whose table is still to be named.
    missing: Option<&'static str>,
}

impl Error {
    fn new(kind: MistakeKind, text: String) -> Self {
        Error { place: None, kind, text, missing: None }
    }

    /// Reports a placeholder without a value.
    pub(super) fn unresolved(error: &dyn fmt::Display) -> Self {
        Error::new(MistakeKind::Placeholder, error.to_string())
    }

    /// Names the value, unless one inside it is named already.
    pub(super) fn at(mut self, written: &str, origin: Option<&Origin>) -> Self {
        self.place.get_or_insert_with(|| match origin {
            Some(origin) => format!("`{written}` in {origin}: "),
            None => format!("`{written}`: "),
        });
        self
    }

    /// Names a missing field of the table `path`. `remedy`: the place for it.
    pub(super) fn in_table(self, path: &str, remedy: impl FnOnce(&str) -> String) -> Self {
        let Some(field) = self.missing.filter(|_| self.place.is_none()) else { return self };
        let key = format!("{path}.{field}");
        let text = format!("`{key}` has no value: set it {}", remedy(&key));
        Error { place: Some(String::new()), text, missing: None, ..self }
    }

    pub(super) fn into_mistake(self, section: &str) -> Mistake {
        let place = self.place.unwrap_or_else(|| format!("`[{section}]`: "));
        Mistake::new(self.kind, format!("{place}{}", self.text))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Error::new(MistakeKind::WrongValue, text.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        let text = format!("`{field}` has no value");
        Error { missing: Some(field), ..Error::new(MistakeKind::WrongValue, text) }
    }
}
