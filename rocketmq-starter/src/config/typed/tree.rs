//! The values below a section, as the tables and lists that were written.

use crate::config::entry::{Entry, normal};
use crate::config::origin::Origin;
use crate::config::sources::Sources;
use rocketmq_client::remoting::spring::canonical;
use std::collections::BTreeMap;
use std::path::Path;

/// A value, a table or a list.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The text of a value; that of a list joins its values.
    pub(super) entry: Option<Entry>,
    /// The values below, by name in the one spelling, and each name as it was written. The names in a list are numbers.
    pub(super) below: BTreeMap<String, (String, Tree)>,
}

impl Tree {
    pub(super) fn of(sources: &Sources, section: &str) -> Tree {
        let mut tree = Tree::default();
        for entry in sources.below(&normal(section)) {
            tree.insert(entry, section.split('.').count());
        }
        tree.prune();
        tree
    }

    fn insert(&mut self, entry: Entry, depth: usize) {
        let mut tree = self;
        for segment in entry.written.split('.').skip(depth) {
            let below = tree.below.entry(canonical(segment));
            tree = &mut below.or_insert_with(|| (segment.to_owned(), Tree::default())).1;
        }
        tree.entry = Some(entry);
    }

    /// Removes from lists the values of other files: a list replaces the one before it as a whole.
    fn prune(&mut self) {
        match &self.entry {
            Some(entry) => {
                let file = file(&entry.origin).map(Path::to_owned);
                self.below.retain(|_, (_, tree)| tree.keep(file.as_deref()));
            }
            None => self.below.values_mut().for_each(|(_, tree)| tree.prune()),
        }
    }

    /// Keeps the values of this file. Tells whether any is left.
    fn keep(&mut self, of: Option<&Path>) -> bool {
        self.entry = self.entry.take().filter(|entry| of.is_some() && file(&entry.origin) == of);
        self.below.retain(|_, (_, tree)| tree.keep(of));
        self.has_value()
    }

    /// Tells whether a value is there. An empty text counts as none.
    pub(super) fn has_value(&self) -> bool {
        let text = self.entry.as_ref().is_some_and(|entry| !entry.text.trim().is_empty());
        text || !self.below.is_empty()
    }

    /// Returns the members of a list, in their order.
    pub(super) fn members(&self) -> Vec<&(String, Tree)> {
        let numbered =
            self.below.iter().filter_map(|(name, member)| Some((name.parse::<usize>().ok()?, member)));
        let mut members: Vec<_> = numbered.collect();
        members.sort_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, member)| member).collect()
    }
}

fn file(origin: &Origin) -> Option<&Path> {
    match origin {
        Origin::File { file, .. } => Some(file),
        _ => None,
    }
}
