//! Remarks about a configuration: keys without effect, unknown keys, and how settings were changed.

use std::collections::BTreeMap;
use std::fmt;

use super::error::shown;

/// Remarks about a configuration that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notes {
    /// Settings of Apache's that have no effect here.
    pub inert: Vec<InertKey>,
    /// Keys nobody knows.
    pub unknown: Vec<UnknownKey>,
}

/// A setting of Apache's that has no effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InertKey {
    /// The key as written.
    pub key: String,
    /// The reason for which no setting corresponds to it.
    pub reason: &'static str,
}

/// A key that is neither ours nor Apache's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownKey {
    /// Its place, such as `broker.conf line 3`.
    pub place: String,
    /// The key as written.
    pub key: String,
    /// The known key most like it, when one is alike enough.
    pub nearest: Option<&'static str>,
}

impl Notes {
    /// One line for each thing that deserves the operator's attention; none for a clean file.
    pub fn warnings(&self) -> Vec<String> {
        let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for inert in &self.inert {
            by_reason.entry(inert.reason).or_default().push(format!("`{}`", inert.key));
        }
        let inert = by_reason.into_iter().map(|(reason, keys)| no_effect(&keys, reason));
        inert.chain(self.unknown.iter().map(UnknownKey::to_string)).collect()
    }
}

fn no_effect(keys: &[String], reason: &str) -> String {
    let verb = if keys.len() == 1 { "has" } else { "have" };
    format!("{} {verb} no effect: {reason}", keys.join(", "))
}

impl fmt::Display for InertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&no_effect(&[format!("`{}`", self.key)], self.reason))
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: unknown setting `{}`", self.place, shown(&self.key))?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
