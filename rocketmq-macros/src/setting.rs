//! The kinds of values of settings, and the rules by which literals are checked at compile time.
//!
//! The starter checks a value with a placeholder (`"${key:default}"`) when the application starts, by the same rules.

use rocketmq_syntax::spring::{Renamed, canonical};
use rocketmq_syntax::{SyntaxError, names, sql, tags};

/// One key of an attribute.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its spelling in the attribute.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// The keys of one attribute, and Spring's names for them.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) keys: &'static [Key],
    pub(crate) spring: fn(&str) -> Option<&'static Renamed>,
}

impl Vocabulary {
    pub(crate) fn get(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Returns advice for an unknown key, and the key that is meant.
    pub(crate) fn unknown(&self, name: &str) -> (String, Option<&'static Key>) {
        if let Some(renamed) = (self.spring)(name) {
            return (springs(name, renamed), self.get(renamed.ours));
        }
        match nearest(name, self.keys) {
            Some(near) => (format!("unknown key `{name}`; did you mean `{}`?", near.name), Some(near)),
            None => {
                let names: Vec<_> = self.keys.iter().map(|key| key.name).collect();
                (format!("unknown key `{name}`; known keys are {}", names.join(", ")), None)
            }
        }
    }
}

fn springs(name: &str, renamed: &Renamed) -> String {
    match renamed {
        Renamed { ours: "", note, .. } => format!("`{name}` is Spring's name: {note}"),
        Renamed { ours, note: "", .. } => format!("`{name}` is Spring's name: write `{ours}`"),
        Renamed { ours, note, .. } => format!("`{name}` is Spring's name: write `{ours}` ({note})"),
    }
}

/// The kind of value of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Any text that is not empty.
    Text,
    /// A topic.
    Topic,
    /// A group.
    Group,
    /// A whole number within these bounds.
    Count { min: i64, max: i64 },
    /// `true` or `false`.
    Switch,
    /// A duration: a number of milliseconds, or text such as `"15m"`.
    Period,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number of bytes, or text such as `"4MiB"`.
    Size,
    /// Tags joined by `||`, or `*`.
    Tags,
    /// An SQL92 condition.
    Sql,
    /// `"first"`, `"last"`, or a UTC time such as `"2026-01-31T12:00:00Z"`.
    StartPoint,
}

impl Kind {
    /// Describes the kind, for an error message.
    pub(crate) fn expected(self) -> String {
        match self {
            Kind::Text | Kind::Topic | Kind::Group => "text".into(),
            Kind::Size => "a size such as \"4MiB\", or a number of bytes".into(),
            Kind::Sql => "an SQL92 condition such as \"amount > 100\"".into(),
            Kind::Count { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Switch => "`true` or `false`".into(),
            Kind::Period => "a duration such as \"15m\", or a number of milliseconds".into(),
            Kind::Choice(words) => {
                let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Kind::Tags => "tags such as \"created || paid\", or \"*\"".into(),
            Kind::StartPoint => "\"first\", \"last\", or a UTC time such as \"2026-01-31T12:00:00Z\"".into(),
        }
    }

    /// Checks a value without a placeholder, by the rules of the starter, the client and the broker.
    pub(crate) fn check(self, value: &str) -> Result<(), Fault> {
        let fits = match self {
            Kind::Text => !value.trim().is_empty(),
            Kind::Topic => return drawn(value, names::check_topic(value)),
            Kind::Group => return drawn(value, names::check_group(value)),
            Kind::Tags => return drawn(value, tags::check(value)),
            Kind::Sql => return drawn(value, sql::check(value)),
            Kind::Count { min, max } => value.parse().is_ok_and(|n: i64| (min..=max).contains(&n)),
            Kind::Switch => matches!(value, "true" | "false"),
            Kind::Period => value.parse::<u64>().is_ok() || humantime::parse_duration(value).is_ok(),
            Kind::Size => value.parse::<bytesize::ByteSize>().is_ok(),
            Kind::Choice(words) => words.contains(&value),
            Kind::StartPoint => {
                matches!(value, "first" | "last") || humantime::parse_rfc3339_weak(value).is_ok()
            }
        };
        if fits { Ok(()) } else { Err(Fault::Sort) }
    }
}

/// The fault of a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not of the kind that its key takes.
    Sort,
    /// It is wrong at one place: the text, with a caret and the reason below it.
    Place(String),
}

fn drawn<E: Into<SyntaxError>>(value: &str, checked: Result<(), E>) -> Result<(), Fault> {
    checked.map_err(|error| Fault::Place(error.into().drawn(value)))
}

/// Returns the known key that is nearest to a misspelt one, if one is near enough.
fn nearest(word: &str, known: &'static [Key]) -> Option<&'static Key> {
    known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(&canonical(word), &canonical(key.name)), key))
        .filter(|(distance, key)| *distance <= 1 + key.name.len() / 3)
        .min_by_key(|(distance, key)| (*distance, key.name))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: Kind, value: &str) -> String {
        match kind.check(value) {
            Err(Fault::Place(drawn)) => drawn,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn names_tags_and_conditions_are_read_as_the_broker_reads_them() {
        for (kind, right) in
            [(Kind::Topic, "%a-_|"), (Kind::Group, "g"), (Kind::Tags, "a || b"), (Kind::Sql, "a > 4")]
        {
            assert_eq!(kind.check(right), Ok(()), "{right}");
        }
        assert!(place(Kind::Topic, "a.b").starts_with("a.b\n ^ the topic holds '.'"));
        assert!(place(Kind::Group, "").contains("the group is missing"));
        assert!(place(Kind::Group, &"g".repeat(121)).contains("at most 120"));
        assert!(place(Kind::Tags, "a ||").starts_with("a ||\n    ^ a tag is missing"));
        assert_eq!(place(Kind::Sql, "a >"), "a >\n   ^ a value is missing here");
    }

    #[test]
    fn periods_are_milliseconds_or_numbers_with_units() {
        for right in ["0", "3000", "15m", "1h 30m", "90s", "250ms", "1.5s"] {
            assert!(Kind::Period.check(right).is_ok(), "{right:?} was refused");
        }
        for wrong in ["", "fifteen", "15 parsecs", "m", "15m3", "-1s"] {
            assert_eq!(Kind::Period.check(wrong), Err(Fault::Sort), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn counts_sizes_and_start_points_have_bounds() {
        assert!(Kind::Count { min: 1, max: 1000 }.check("0").is_err());
        assert!(Kind::Count { min: 1, max: 1000 }.check("1000").is_ok());
        assert!(Kind::Size.check("8MiB").is_ok() && Kind::Size.check("4096").is_ok());
        assert!(Kind::Size.check("much").is_err());
        assert!(Kind::StartPoint.check("2026-01-31T12:00:00Z").is_ok());
        assert!(Kind::StartPoint.check("2026-02-31T12:00:00Z").is_err());
    }

    #[test]
    fn a_far_word_has_no_nearest_key() {
        static KNOWN: [Key; 2] =
            [Key { name: "concurrency", kind: Kind::Text }, Key { name: "group", kind: Kind::Text }];
        let near = |word| nearest(word, &KNOWN).map(|key| key.name);
        assert_eq!((near("concurency"), near("wheelbarrow")), (Some("concurrency"), None));
    }
}
