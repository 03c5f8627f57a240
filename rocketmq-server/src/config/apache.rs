//! Apache's settings that no setting here corresponds to, each with the reason.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The table: see its head.
const TEXT: &str = include_str!("apache_keys.txt");

/// A setting of Apache's that the program does not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ApacheKey {
    /// The value that asks for what happens here anyway.
    granted: Option<&'static str>,
    /// The reason for which no setting corresponds to it.
    pub(super) reason: &'static str,
}

impl ApacheKey {
    /// Finds a setting by its name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        TABLE.get(name)
    }

    /// Every name.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.keys().copied()
    }

    /// Returns true if the program behaves as this value demands.
    pub(super) fn grants(&self, value: &str) -> bool {
        self.granted.is_some_and(|granted| granted.eq_ignore_ascii_case(value))
    }
}

static TABLE: LazyLock<HashMap<&'static str, ApacheKey>> = LazyLock::new(|| {
    let mut reason = "";
    let mut table = HashMap::new();
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        if let Some(text) = line.strip_prefix("> ") {
            reason = text;
            continue;
        }
        for word in line.split_whitespace() {
            let (name, granted) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            table.insert(name, ApacheKey { granted, reason });
        }
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_with_a_reason() {
        let words = TEXT.lines().filter(|line| !line.starts_with(['#', '>'])).flat_map(str::split_whitespace);
        assert_eq!(words.count(), TABLE.len());
        assert!(TABLE.values().all(|key| !key.reason.is_empty()));
        assert!(ApacheKey::names().all(|name| !name.contains(['>', '#'])));
    }

    #[test]
    fn a_value_that_asks_for_what_happens_anyway_is_granted() {
        let key = ApacheKey::find("transientStorePoolEnable").unwrap();
        assert!(key.grants("false") && key.grants("FALSE") && !key.grants("true") && !key.grants(""));
        let key = ApacheKey::find("sendMessageThreadPoolNums").unwrap();
        assert!(!key.grants("16"));
    }
}
