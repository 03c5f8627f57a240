//! The table of delay levels (`messageDelayLevel`), and what a DELAY property means against it.

use std::fmt;

/// Apache's 18 levels.
pub(crate) const DEFAULT_LEVELS: &str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

/// The delays behind the levels, level 1 first. Shown as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayLevels {
    text: String,
    millis: Vec<i64>,
}

impl fmt::Display for DelayLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A `messageDelayLevel` that cannot be read; names the word at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayLevelError {
    word: String,
}

impl fmt::Display for DelayLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "messageDelayLevel: {:?} is not a delay; write a number and one of s, m, h, d, such as \"30s 5m 1h\"",
            self.word
        )
    }
}

impl std::error::Error for DelayLevelError {}

impl DelayLevels {
    /// Reads a list such as `1s 5s 1m`; at least one level is required.
    pub fn parse(text: &str) -> Result<Self, DelayLevelError> {
        let millis = text.split_whitespace().map(parse_word).collect::<Result<Vec<_>, _>>()?;
        if millis.is_empty() {
            return Err(DelayLevelError { word: text.to_owned() });
        }
        Ok(Self { text: text.to_owned(), millis })
    }

    /// Every delay in milliseconds, level 1 first.
    pub fn all(&self) -> &[i64] {
        &self.millis
    }

    /// The highest level.
    pub fn max(&self) -> i32 {
        i32::try_from(self.millis.len()).unwrap_or(i32::MAX)
    }

    /// A wanted level, cut to the highest there is.
    pub fn clamp(&self, level: i32) -> i32 {
        level.min(self.max())
    }

    /// The delay of a level in milliseconds; levels outside the table have none.
    pub fn millis(&self, level: i32) -> Option<i64> {
        let index = usize::try_from(level).ok()?.checked_sub(1)?;
        self.millis.get(index).copied()
    }
}

impl Default for DelayLevels {
    fn default() -> Self {
        Self::parse(DEFAULT_LEVELS).unwrap_or(Self { text: String::new(), millis: Vec::new() })
    }
}

fn parse_word(word: &str) -> Result<i64, DelayLevelError> {
    let fault = || DelayLevelError { word: word.to_owned() };
    let unit = match word.as_bytes().last() {
        Some(b's') => 1_000,
        Some(b'm') => 60_000,
        Some(b'h') => 3_600_000,
        Some(b'd') => 86_400_000,
        _ => return Err(fault()),
    };
    let number: i64 = word[..word.len() - 1].parse().map_err(|_| fault())?;
    if number < 0 {
        return Err(fault());
    }
    number.checked_mul(unit).ok_or_else(fault)
}

/// The queue of the schedule topic that holds a level.
pub(crate) fn queue_of_level(level: i32) -> i32 {
    level - 1
}

/// The level held by a queue of the schedule topic.
pub(crate) fn level_of_queue(queue: i32) -> i32 {
    queue.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_table_has_18_levels_from_a_second_to_two_hours() {
        let levels = DelayLevels::default();
        assert_eq!(levels.max(), 18);
        assert_eq!(levels.millis(1), Some(1_000));
        assert_eq!(levels.millis(18), Some(7_200_000));
        assert_eq!(levels.millis(0), None);
        assert_eq!(levels.clamp(99), 18);
    }

    #[test]
    fn custom_levels_may_use_days_and_a_bad_word_is_named() {
        assert_eq!(DelayLevels::parse("2d 0s").unwrap().millis(1), Some(172_800_000));
        let text = DelayLevels::parse("1s 5x").unwrap_err().to_string();
        assert!(text.contains("\"5x\""), "{text}");
        assert!(DelayLevels::parse("1s 9223372036854775807d").is_err());
        assert!(DelayLevels::parse("").is_err());
    }
}
