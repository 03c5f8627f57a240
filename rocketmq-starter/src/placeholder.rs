//! `${key:default}`, Spring's placeholders.
//!
//! The key ends at the first `:`; the rest is the default, which may hold placeholders of its own. Without a
//! default, a key that has no value is a mistake. A value that is found is resolved in turn.

use std::fmt;
use std::path::{Path, PathBuf};

/// Values that refer to one another deeper than this refer to themselves.
const MAX_DEPTH: usize = 16;

/// Tells why a text cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaceholderError {
    Missing {
        key: String,
        /// The file in which it could be set.
        home: PathBuf,
    },
    Circular {
        key: String,
    },
    Unclosed {
        text: String,
    },
}

impl fmt::Display for PlaceholderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceholderError::Missing { key, home } => write!(
                f,
                "`${{{key}}}` has no value: set `{key}` in {}, or the variable {}, or write a default as \
                 `${{{key}:default}}`",
                home.display(),
                variable_name(key)
            ),
            PlaceholderError::Circular { key } => write!(f, "`${{{key}}}` refers to itself"),
            PlaceholderError::Unclosed { text } => write!(f, "`{text}` has a `${{` without its `}}`"),
        }
    }
}

impl PlaceholderError {
    /// Names the file that the application has.
    pub(crate) fn at_home(self, file: Option<&Path>) -> Self {
        match (self, file) {
            (PlaceholderError::Missing { key, .. }, Some(file)) => {
                PlaceholderError::Missing { key, home: file.to_owned() }
            }
            (other, _) => other,
        }
    }
}

/// The environment variable that stands for a key: `billing.max-tries` -> `BILLING_MAX_TRIES`.
pub(crate) fn variable_name(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Replaces every placeholder in `text`; `lookup` gives the raw value of a key.
pub(crate) fn resolve(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, PlaceholderError> {
    resolve_at(text, lookup, 0)
}

fn resolve_at(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<String, PlaceholderError> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        resolved.push_str(&rest[..start]);
        let inside = &rest[start + 2..];
        let end = closing(inside).ok_or_else(|| PlaceholderError::Unclosed { text: text.to_owned() })?;
        resolved.push_str(&value_of(&inside[..end], lookup, depth)?);
        rest = &inside[end + 1..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn value_of(
    placeholder: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<String, PlaceholderError> {
    let (key, default) = match placeholder.split_once(':') {
        Some((key, default)) => (key.trim(), Some(default)),
        None => (placeholder.trim(), None),
    };
    if depth >= MAX_DEPTH {
        return Err(PlaceholderError::Circular { key: key.to_owned() });
    }
    match (lookup(key), default) {
        (Some(value), _) => resolve_at(&value, lookup, depth + 1),
        (None, Some(default)) => resolve_at(default, lookup, depth + 1),
        (None, None) => {
            Err(PlaceholderError::Missing { key: key.to_owned(), home: PathBuf::from("application.toml") })
        }
    }
}

/// Finds the brace that closes the one before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0usize;
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |key| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_value_wins_over_the_default() {
        let lookup = with(&[("topic", "paid")]);
        assert_eq!(resolve("a-${topic:orders}-b", &lookup).unwrap(), "a-paid-b");
        assert_eq!(resolve("${other:orders}", &lookup).unwrap(), "orders");
        assert_eq!(resolve("${other:}", &lookup).unwrap(), "");
    }

    #[test]
    fn a_default_may_hold_colons_and_placeholders() {
        let lookup = with(&[("port", "9876")]);
        assert_eq!(resolve("${addr:localhost:${port:1}}", &lookup).unwrap(), "localhost:9876");
    }

    #[test]
    fn a_found_value_is_resolved_in_turn() {
        assert_eq!(resolve("${a}", &with(&[("a", "${b}!"), ("b", "x")])).unwrap(), "x!");
    }

    #[test]
    fn what_cannot_be_resolved_names_the_key_and_the_remedy() {
        let error = resolve("${billing.topic}", &with(&[])).unwrap_err();
        assert!(error.to_string().contains("BILLING_TOPIC"), "{error}");
        assert_eq!(
            resolve("${a}", &with(&[("a", "${a}")])).unwrap_err(),
            PlaceholderError::Circular { key: "a".into() }
        );
        assert!(matches!(resolve("x${a", &with(&[])), Err(PlaceholderError::Unclosed { .. })));
    }

    #[test]
    fn text_without_placeholders_is_kept() {
        for text in ["", "a{b}c", "100 $", "$x}"] {
            assert_eq!(resolve(text, &with(&[])).unwrap(), text);
        }
    }
}
