//! Typed reading of one table. The check of the sources reports texts that a key does not take.

use super::parse;
use super::secret::Secret;
use super::sources::{Found, Sources};
use crate::error::Mistake;
use std::time::Duration;

/// Reads the keys of one table.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    sources: &'a Sources,
    path: String,
    mistakes: &'a mut Vec<Mistake>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(sources: &'a Sources, path: &str, mistakes: &'a mut Vec<Mistake>) -> Self {
        Section { sources, path: path.to_owned(), mistakes }
    }

    /// Reads a table inside this one.
    pub(crate) fn below(&mut self, name: &str) -> Section<'_> {
        Section::new(self.sources, &format!("{}.{name}", self.path), self.mistakes)
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, parse::text)
    }

    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    pub(crate) fn count(&mut self, key: &str) -> Option<u32> {
        self.read(key, parse::count)
    }

    pub(crate) fn bytes(&mut self, key: &str) -> Option<usize> {
        self.read(key, parse::bytes)
    }

    pub(crate) fn switch(&mut self, key: &str) -> Option<bool> {
        self.read(key, parse::switch)
    }

    pub(crate) fn period(&mut self, key: &str) -> Option<Duration> {
        self.read(key, parse::period)
    }

    /// Reads a key by its own rule.
    pub(crate) fn read<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let path = format!("{}.{key}", self.path);
        parse(&found(self.sources, &path, self.mistakes)?.text).ok()
    }
}

/// Returns the text of a key, placeholders resolved. An empty text counts as no value, as in Spring.
pub(crate) fn found(sources: &Sources, path: &str, mistakes: &mut Vec<Mistake>) -> Option<Found> {
    match sources.find(path) {
        Ok(found) => found.filter(|found| !found.text.trim().is_empty()),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    }
}
