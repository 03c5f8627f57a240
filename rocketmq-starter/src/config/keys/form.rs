//! The forms of values: the check of a text, and the shape that documents show of it.

use crate::config::parse;
use crate::config::parse::{bytes_within, count_within};

/// Fails for a text that a key does not take; the error describes what it takes.
pub(crate) type Check = fn(&str) -> Result<(), String>;

/// A kind of value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) check: Check,
    pub(crate) shape: Shape,
}

/// A kind of value for the eye. The tests hold it against the check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A text, named for documents: `topic`, `file`.
    Text(&'static str),
    /// Texts, as a list or in one text with `;`.
    Texts(&'static str),
    Switch,
    /// A whole number within these bounds.
    Count(u32, u32),
    /// A number of bytes within these bounds, or a text with a unit.
    Bytes(usize, usize),
    /// A duration within these bounds in milliseconds, or a text with a unit.
    Period(u64, u64),
    /// One of some words, in capitals or not.
    Words(&'static [&'static str]),
    /// One of some words in exactly this spelling.
    Exactly(&'static [&'static str]),
}

impl Shape {
    /// Completes the sentence "it takes …": kind, range, unit.
    pub(crate) fn takes(self) -> String {
        match self {
            Shape::Text(kind) => format!("a text ({kind})"),
            Shape::Texts(kind) => format!("a list of texts, or one text with `;` between them ({kind})"),
            Shape::Switch => "true or false".to_owned(),
            Shape::Count(min, max) => {
                format!("a whole number{}", within(min.into(), max.into(), u64::from(u32::MAX), ""))
            }
            Shape::Bytes(min, max) => {
                let range = within(min as u64, max as u64, usize::MAX as u64, " bytes");
                format!("a number of bytes, or a text with a unit such as \"4MiB\"{range}")
            }
            Shape::Period(min, max) => {
                let range = within(min, max, u64::MAX, " ms");
                format!("a number of milliseconds, or a text with a unit such as \"3s\"{range}")
            }
            Shape::Words(words) | Shape::Exactly(words) => {
                let shown: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", shown.join(", "))
            }
        }
    }
}

/// Tells a range; `most` is no bound.
fn within(min: u64, max: u64, most: u64, unit: &str) -> String {
    match (min, max) {
        (0, max) if max == most => String::new(),
        (min, max) if max == most => format!(", at least {min}{unit}"),
        (min, max) => format!(", from {min} to {max}{unit}"),
    }
}

/// Makes a form of the function that reads a key.
macro_rules! form {
    ($shape:expr, $parse:expr) => {
        $crate::config::keys::form::Form { shape: $shape, check: |text| ($parse)(text).map(drop) }
    };
}
pub(crate) use form;

pub(super) const TEXT: Form = form!(Shape::Text("text"), parse::text);
pub(super) const PATH: Form = form!(Shape::Text("path"), parse::path);
pub(super) const TOPIC: Form = form!(Shape::Text("topic"), parse::topic);
pub(super) const GROUP: Form = form!(Shape::Text("group"), parse::own_group);
pub(super) const SWITCH: Form = form!(Shape::Switch, parse::switch);
pub(super) const COUNT: Form = form!(Shape::Count(0, u32::MAX), parse::count);
pub(super) const BYTES: Form = form!(Shape::Bytes(0, usize::MAX), parse::bytes);
pub(super) const PERIOD: Form = form!(Shape::Period(0, u64::MAX), parse::period);
pub(super) const INTERVAL: Form = form!(Shape::Period(1, u64::MAX), parse::interval);
pub(super) const SERVERS: Form =
    form!(Shape::Texts("addresses `host:port`"), crate::config::properties::name_server);

/// A whole number from `MIN` to `MAX`.
pub(super) const fn whole<const MIN: u32, const MAX: u32>() -> Form {
    form!(Shape::Count(MIN, MAX), count_within::<MIN, MAX>)
}

/// A size from `MIN` to `MAX` bytes.
pub(super) const fn size<const MIN: usize, const MAX: usize>() -> Form {
    form!(Shape::Bytes(MIN, MAX), bytes_within::<MIN, MAX>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::key::{Node, Table};
    use crate::config::keys::{ATTRIBUTE, ROOT};

    fn forms(table: &Table, path: &str, found: &mut Vec<(String, Form)>) {
        for key in table.keys() {
            let path = format!("{path}.{}", key.name);
            let mut node = key.node;
            while let Node::Named(each) = node {
                node = *each;
            }
            match node {
                Node::Value(form) | Node::Secret(form) => found.push((path, form)),
                Node::Table(table) => forms(table, &path, found),
                Node::NoEffect(_) | Node::Named(_) => {}
            }
        }
    }

    /// Texts at the edges of a shape, and beyond them.
    fn edges(shape: Shape) -> (Vec<String>, Vec<String>) {
        let beyond = |min: u64, max: u64, most: u64| {
            let low = min.checked_sub(1).map(|text| text.to_string());
            let high = (max < most).then(|| (max + 1).to_string());
            low.into_iter().chain(high).chain(["few".to_owned()]).collect()
        };
        match shape {
            Shape::Text(_) | Shape::Texts(_) => (Vec::new(), Vec::new()),
            Shape::Switch => (vec!["true".to_owned(), "FALSE".to_owned()], vec!["yes".to_owned()]),
            Shape::Count(min, max) => {
                (vec![min.to_string(), max.to_string()], beyond(min.into(), max.into(), u32::MAX.into()))
            }
            Shape::Bytes(min, max) => {
                (vec![min.to_string(), max.to_string()], beyond(min as u64, max as u64, usize::MAX as u64))
            }
            Shape::Period(min, max) => {
                (vec![format!("{min}ms"), max.to_string()], beyond(min, max, u64::MAX))
            }
            Shape::Words(words) => (
                words.iter().flat_map(|word| [(*word).to_owned(), word.to_uppercase()]).collect(),
                vec!["none of these".to_owned()],
            ),
            Shape::Exactly(words) => {
                (words.iter().map(|word| (*word).to_owned()).collect(), vec!["11s".to_owned()])
            }
        }
    }

    #[test]
    fn shapes_show_what_the_checks_take() {
        let mut found = Vec::new();
        forms(&ROOT, "rocketmq", &mut found);
        forms(&ATTRIBUTE, "attribute", &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for (key, Form { check, shape }) in found {
            let (takes, refuses) = edges(shape);
            for text in takes {
                // The check of a duration may know more: Spring counts some in minutes.
                assert!(check(&text).is_ok(), "`{key}` refuses \"{text}\": {:?}", check(&text));
            }
            for text in refuses {
                assert!(check(&text).is_err(), "`{key}` takes \"{text}\"");
            }
            if let Shape::Words(words) | Shape::Exactly(words) = shape {
                let shown: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let told = check("?").unwrap_err().replace('"', "");
                assert_eq!(told, format!("one of {}", shown.join(", ")).replace('"', ""), "`{key}`");
            }
        }
    }
}
