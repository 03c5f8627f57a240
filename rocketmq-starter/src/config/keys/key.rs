//! A key: its value, its default, its counterpart in Spring or Java, and its purpose.

use super::form::Form;
use rocketmq_client::remoting::spring::{Renamed, canonical};

/// The kind of thing under a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node {
    /// One value.
    Value(Form),
    /// One value that is never shown.
    Secret(Form),
    /// A key of Spring's without a meaning here, and why.
    NoEffect(&'static str),
    /// A table of known keys.
    Table(&'static Table),
    /// The same thing under each name that the application chooses.
    Named(&'static Node),
}

impl Node {
    /// Describes what it takes if `text` is not that, and tells if it is a secret. An empty text counts as no value.
    pub(crate) fn refuses(&self, text: &str) -> Option<(String, bool)> {
        let (form, secret) = match self {
            Node::Value(form) => (form, false),
            Node::Secret(form) => (form, true),
            Node::NoEffect(_) | Node::Table(_) | Node::Named(_) => return None,
        };
        (form.check)(text).err().filter(|_| !text.trim().is_empty()).map(|takes| (takes, secret))
    }
}

/// The value of a key that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Default {
    /// This value, as a file would write it.
    Value(&'static str),
    /// No fixed value; the words tell what happens.
    Words(&'static str),
}

/// The setting of Apache's that has the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counterpart {
    None,
    /// Spring has the same key.
    SameKey,
    /// Another name in Spring.
    Spring(&'static str),
    /// A setting of Java's client, for which Spring has no key.
    Java(&'static str),
}

/// One key of a table. The check of configurations, the schema for editors, the documentation and reports read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) node: Node,
    pub(crate) default: Default,
    pub(crate) counterpart: Counterpart,
    /// Sentences that begin with a verb, in Markdown.
    pub(crate) about: &'static str,
}

pub(super) const fn key_of(name: &'static str, node: Node) -> Key {
    Key { name, node, default: Default::Words("none"), counterpart: Counterpart::None, about: "" }
}

pub(super) const fn key(name: &'static str, form: Form) -> Key {
    key_of(name, Node::Value(form))
}

pub(super) const fn secret(name: &'static str, form: Form) -> Key {
    key_of(name, Node::Secret(form))
}

pub(super) const fn no_effect(name: &'static str, why: &'static str) -> Key {
    key_of(name, Node::NoEffect(why))
}

impl Key {
    pub(super) const fn default(self, value: &'static str) -> Key {
        Key { default: Default::Value(value), ..self }
    }

    /// Tells what happens without a value.
    pub(super) const fn without(self, words: &'static str) -> Key {
        Key { default: Default::Words(words), ..self }
    }

    pub(super) const fn spring_too(self) -> Key {
        Key { counterpart: Counterpart::SameKey, ..self }
    }

    pub(super) const fn spring(self, name: &'static str) -> Key {
        Key { counterpart: Counterpart::Spring(name), ..self }
    }

    pub(super) const fn java(self, name: &'static str) -> Key {
        Key { counterpart: Counterpart::Java(name), ..self }
    }

    pub(super) const fn about(self, about: &'static str) -> Key {
        Key { about, ..self }
    }
}

/// A table of known keys.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) keys: &'static [Key],
    /// Further keys.
    pub(super) also: Option<&'static Table>,
    /// Spring's other names for some of them.
    pub(super) spring: fn(&str) -> Option<&'static Renamed>,
}

impl Table {
    /// Every key, those of further tables included.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.extend(self.also.into_iter().flat_map(Table::keys));
        keys.into_iter()
    }

    /// The key of this spelling.
    pub(crate) fn get(&self, written: &str) -> Option<&'static Key> {
        self.keys().find(|key| canonical(key.name) == canonical(written))
    }
}

pub(super) fn no_other_names(_: &str) -> Option<&'static Renamed> {
    None
}
