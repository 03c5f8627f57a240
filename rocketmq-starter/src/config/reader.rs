//! Typed reading of one table: what is asked for is known, everything else is a mistake.

use super::secret::Secret;
use super::sources::{Found, Sources, canonical};
use crate::error::{Mistake, MistakeKind};
use figment::value::Value;
use std::time::Duration;

/// Reads the keys of one table and remembers which it was asked for.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    sources: &'a Sources,
    path: String,
    known: Vec<String>,
    mistakes: &'a mut Vec<Mistake>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(sources: &'a Sources, path: &str, mistakes: &'a mut Vec<Mistake>) -> Self {
        Section { sources, path: path.to_owned(), known: Vec::new(), mistakes }
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

    /// Reads any key with its own parser; the parser's error says what was expected.
    pub(crate) fn read<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let found = self.found(key)?;
        match parse(&found.text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.mistakes.push(wrong_value(&format!("{}.{key}", self.path), &found, &expected));
                None
            }
        }
    }

    /// The text of a key with its placeholders resolved. An empty text is a key left open, as in Spring.
    pub(crate) fn found(&mut self, key: &str) -> Option<Found> {
        self.known.push(key.to_owned());
        let path = format!("{}.{key}", self.path);
        if let Some(table @ Value::Dict(..)) = self.sources.value(&path) {
            let message =
                format!("`{path}` is a table in {}, but one value is expected", self.sources.origin(&table));
            self.mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
            return None;
        }
        match self.sources.find(&path) {
            Ok(found) => found.filter(|found| !found.text.trim().is_empty()),
            Err(error) => {
                self.mistakes.push(Mistake::new(MistakeKind::Placeholder, format!("`{path}`: {error}")));
                None
            }
        }
    }

    /// A table inside this one that is read elsewhere.
    pub(crate) fn table(&mut self, key: &str) -> String {
        self.known.push(key.to_owned());
        format!("{}.{key}", self.path)
    }

    /// A key of Spring's that has no meaning here: it ports without an error, and says so in the log.
    pub(crate) fn without_effect(&mut self, key: &str, why: &str) {
        self.known.push(key.to_owned());
        let path = format!("{}.{key}", self.path);
        if self.sources.value(&path).is_some() {
            tracing::warn!(key = %path, why, "this key has no effect here");
        }
    }

    /// Reports the keys of this table that nothing asked for.
    pub(crate) fn finish(self) {
        for (key, origin) in self.sources.keys(&self.path) {
            if !self.known.iter().any(|known| canonical(known) == canonical(&key)) {
                self.mistakes.push(unknown_key(&self.path, &key, &origin, &self.known));
            }
        }
    }
}

/// Names the key, the value, what was expected and where it was written; the value of a secret is not shown.
pub(crate) fn wrong_value(path: &str, found: &Found, expected: &str) -> Mistake {
    let shown = if path.ends_with("-key") || path.ends_with("token") {
        "(hidden)".to_owned()
    } else {
        format!("\"{}\"", found.text)
    };
    let message = format!("`{path}` is {shown} in {}, but {expected} is expected", found.origin);
    Mistake::new(MistakeKind::WrongValue, message)
}

pub(crate) fn unknown_key(path: &str, key: &str, origin: &str, known: &[String]) -> Mistake {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&canonical(key), &canonical(name)), name))
        .min()
        .map(|(_, name)| name);
    let hint = nearest.map(|name| format!("; the nearest known key is `{name}`")).unwrap_or_default();
    Mistake::new(MistakeKind::UnknownKey, format!("`{path}.{key}` in {origin} is not a known key{hint}"))
}

/// Text -> value. Each error says what was expected, to follow "but".
pub(crate) mod parse {
    use std::collections::BTreeSet;
    use std::time::Duration;

    pub(crate) fn text(text: &str) -> Result<String, String> {
        Ok(text.trim().to_owned())
    }

    pub(crate) fn count(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| "a whole number, zero or more,".to_owned())
    }

    pub(crate) fn count_within(min: u32, max: u32) -> impl Fn(&str) -> Result<u32, String> {
        move |text| {
            let within = text.trim().parse().ok().filter(|count| (min..=max).contains(count));
            within.ok_or_else(|| format!("a whole number from {min} to {max}"))
        }
    }

    /// Names separated by `;` or `,`.
    pub(crate) fn names(text: &str) -> Result<BTreeSet<String>, String> {
        Ok(text.split([';', ',']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// A pause between two turns of something.
    pub(crate) fn interval(text: &str) -> Result<Duration, String> {
        let some = period(text).ok().filter(|interval| !interval.is_zero());
        some.ok_or_else(|| "a duration above zero such as \"30s\", or a number of milliseconds,".to_owned())
    }

    pub(crate) fn switch(text: &str) -> Result<bool, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("true or false".to_owned()),
        }
    }

    /// A bare number is milliseconds, as in Spring.
    pub(crate) fn period(text: &str) -> Result<Duration, String> {
        let text = text.trim();
        match text.parse() {
            Ok(millis) => Ok(Duration::from_millis(millis)),
            Err(_) => humantime::parse_duration(text)
                .map_err(|_| "a duration such as \"3s\", or a number of milliseconds,".to_owned()),
        }
    }

    pub(crate) fn bytes(text: &str) -> Result<usize, String> {
        let size: Option<bytesize::ByteSize> = text.trim().parse().ok();
        size.and_then(|size| usize::try_from(size.as_u64()).ok())
            .ok_or_else(|| "a size such as \"4MiB\", or a number of bytes,".to_owned())
    }

    /// One of some words; Spring's spelling in capitals is accepted too.
    pub(crate) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, String> {
        move |text| {
            let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
            found.map(|(_, value)| *value).ok_or_else(|| {
                let quoted: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> (Option<Duration>, Vec<String>) {
        let sources = Sources::from_toml(toml, &[]);
        let mut mistakes = Vec::new();
        let mut section = Section::new(&sources, "rocketmq.producer", &mut mistakes);
        let timeout = section.period("send-message-timeout");
        section.text("group");
        section.finish();
        (timeout, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_bare_number_is_milliseconds() {
        assert_eq!(
            read("[rocketmq.producer]\nsend-message-timeout = 250").0,
            Some(Duration::from_millis(250))
        );
        assert_eq!(read("[rocketmq.producer]\nsend-message-timeout = '2s'").0, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_wrong_type_names_key_value_expectation_and_place() {
        let (_, mistakes) = read("[rocketmq.producer]\nsend-message-timeout = 'soon'");
        assert_eq!(mistakes.len(), 1);
        for part in ["rocketmq.producer.send-message-timeout", "\"soon\"", "\"3s\"", "the configuration"] {
            assert!(mistakes[0].contains(part), "{mistakes:?}");
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let (_, mistakes) = read("[rocketmq.producer]\ngruop = 'a'\nsend-timeout = 3");
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(mistakes[0].contains("nearest known key is `group`"), "{mistakes:?}");
        assert!(mistakes[1].contains("`send-message-timeout`"), "{mistakes:?}");
    }

    #[test]
    fn a_table_where_a_value_belongs_is_named() {
        let (_, mistakes) = read("[rocketmq.producer.group]\nx = 1");
        assert!(mistakes[0].contains("is a table"), "{mistakes:?}");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let found = Found { text: "hunter2".into(), origin: "x.toml".into() };
        assert!(!wrong_value("rocketmq.producer.secret-key", &found, "text").to_string().contains("hunter2"));
    }

    #[test]
    fn sizes_and_words_have_their_forms() {
        assert_eq!(parse::bytes("4MiB"), Ok(4 << 20));
        assert_eq!(parse::bytes("4096"), Ok(4096));
        assert!(parse::bytes("much").is_err());
        let model = parse::word(&[("clustering", 1), ("broadcasting", 2)]);
        assert_eq!(model("BROADCASTING"), Ok(2));
        assert!(model("both").unwrap_err().contains("\"clustering\""));
        assert!(parse::count_within(1, 3)("4").is_err());
    }
}
