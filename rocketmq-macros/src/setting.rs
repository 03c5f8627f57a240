//! What a setting of an attribute may hold, and the rules a literal is checked against while compiling.
//!
//! A value that contains a placeholder (`"${key:default}"`) is known only when the application starts; the
//! starter checks it then, by the same rules.

/// One key that an attribute understands.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it is written in the attribute.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Any text that is not empty.
    Text,
    /// A topic or a group: RocketMQ allows `%`, `|`, `-`, `_`, letters and digits.
    Resource { max: usize },
    /// A whole number within these bounds.
    Count { min: i64, max: i64 },
    /// `true` or `false`.
    Switch,
    /// A duration: a number of milliseconds, or text such as `"15m"`.
    Period,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Tags joined by `||`, or `*`.
    Tags,
    /// `"first"`, `"last"`, or a UTC time such as `"2026-01-31T12:00:00Z"`.
    StartPoint,
}

/// A topic, as long as brokers take it.
pub(crate) const TOPIC: Kind = Kind::Resource { max: 127 };
/// A group, as long as brokers take it.
pub(crate) const GROUP: Kind = Kind::Resource { max: 120 };

impl Kind {
    /// What to write instead, for an error message.
    pub(crate) fn expected(self) -> String {
        match self {
            Kind::Text | Kind::Resource { .. } => "text".into(),
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

    /// Says what is wrong with a value that carries no placeholder.
    pub(crate) fn check(self, value: &str) -> Result<(), String> {
        let fits = match self {
            Kind::Text => !value.trim().is_empty(),
            Kind::Resource { max } => return check_resource(value, max),
            Kind::Count { min, max } => value.parse().is_ok_and(|n: i64| (min..=max).contains(&n)),
            Kind::Switch => matches!(value, "true" | "false"),
            Kind::Period => is_period(value),
            Kind::Choice(words) => words.contains(&value),
            Kind::Tags => return check_tags(value),
            Kind::StartPoint => matches!(value, "first" | "last") || is_time(value),
        };
        if fits { Ok(()) } else { Err(format!("is not {}", self.expected())) }
    }
}

/// Apache's rule for the names of topics and groups.
fn check_resource(name: &str, max: usize) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '%' | '|' | '-' | '_');
    if name.is_empty() {
        return Err("must not be empty".into());
    }
    if name.len() > max {
        return Err(format!("is {} characters long, but at most {max} are allowed", name.len()));
    }
    match name.chars().find(|c| !allowed(*c)) {
        Some(c) => {
            Err(format!("holds the character {c:?}; allowed are letters, digits, `%`, `|`, `-` and `_`"))
        }
        None => Ok(()),
    }
}

/// Stricter than the broker, which silently drops an empty tag and takes `a b` for one tag.
fn check_tags(selector: &str) -> Result<(), String> {
    if selector.trim() == "*" {
        return Ok(());
    }
    for tag in selector.split("||").map(str::trim) {
        if tag.is_empty() {
            return Err("has a tag missing beside `||`; write tags as \"created || paid\"".into());
        }
        if tag == "*" {
            return Err("mixes `*` (every message) with tags; write one or the other".into());
        }
        if let Some(c) = tag.chars().find(|c| c.is_whitespace() || matches!(c, '|' | '&' | ',')) {
            return Err(format!("has {c:?} inside the tag `{tag}`; tags are joined by `||` only"));
        }
    }
    Ok(())
}

/// A number of milliseconds, or numbers each followed by a unit: `90s`, `1h 30m`.
fn is_period(text: &str) -> bool {
    const UNITS: &[&str] = &["ms", "s", "sec", "m", "min", "h", "d"];
    let compact: String = text.split_whitespace().collect();
    if !compact.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    if compact.parse::<u64>().is_ok() {
        return true;
    }
    let mut rest = compact.as_str();
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        if unit.len() == rest.len() || !UNITS.contains(&&unit[..end]) {
            return false;
        }
        rest = &unit[end..];
    }
    true
}

/// `2026-01-31T12:00:00Z`; the `T` may be a space and the `Z` may be left out.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let text = text.strip_suffix('Z').unwrap_or(text).as_bytes();
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        other => byte == other,
    };
    text.len() == FORM.len() && text.iter().zip(FORM).all(fits)
}

/// The known key that is nearest to a misspelt one, when one is near enough to be meant.
pub(crate) fn nearest(word: &str, known: &[Key]) -> Option<&'static str> {
    known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(word, key.name), key.name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_joined_by_two_bars_only() {
        assert!(Kind::Tags.check("*").is_ok());
        assert!(Kind::Tags.check("a || b||c").is_ok());
        for wrong in ["", "a ||", "|| a", "a | b", "a b", "a && b", "a, b", "* || a"] {
            assert!(Kind::Tags.check(wrong).is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn periods_are_milliseconds_or_numbers_with_units() {
        for right in ["0", "3000", "15m", "1h 30m", "90s", "250ms"] {
            assert!(Kind::Period.check(right).is_ok(), "{right:?} was refused");
        }
        for wrong in ["", "fifteen", "15 parsecs", "m", "15m3", "-1s", "+5"] {
            assert!(Kind::Period.check(wrong).is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn names_follow_the_rule_of_the_broker() {
        let name = Kind::Resource { max: 5 };
        assert!(name.check("%a-_|").is_ok());
        assert!(name.check("").is_err());
        assert!(name.check("abcdef").unwrap_err().contains("at most 5"));
        assert!(name.check("a.b").unwrap_err().contains("'.'"));
        assert!(TOPIC.check(&"t".repeat(127)).is_ok() && TOPIC.check(&"t".repeat(128)).is_err());
        assert!(GROUP.check(&"g".repeat(120)).is_ok() && GROUP.check(&"g".repeat(121)).is_err());
    }

    #[test]
    fn counts_and_start_points_have_bounds() {
        assert!(Kind::Count { min: 1, max: 1000 }.check("0").is_err());
        assert!(Kind::Count { min: 1, max: 1000 }.check("1000").is_ok());
        assert!(Kind::StartPoint.check("2026-01-31T12:00:00Z").is_ok());
        assert!(Kind::StartPoint.check("2026-01-31").is_err());
    }

    #[test]
    fn a_far_word_has_no_nearest_key() {
        let known = [Key { name: "concurrency", kind: Kind::Text }, Key { name: "group", kind: Kind::Text }];
        assert_eq!(nearest("concurency", &known), Some("concurrency"));
        assert_eq!(nearest("wheelbarrow", &known), None);
    }
}
