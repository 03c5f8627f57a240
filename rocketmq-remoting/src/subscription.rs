//! Subscriptions: the expression by which a group selects messages of a topic, and Java's hash of tags.
//!
//! ```
//! use rocketmq_remoting::subscription::{SubscriptionData, tag_code};
//!
//! let subscription = SubscriptionData::parse("orders", "created || paid")?;
//! assert!(subscription.matches_tag_code(tag_code(Some("paid"))));
//! assert!(subscription.matches_tag_text(Some("paid")));
//! assert!(!subscription.matches_tag_text(Some("cancelled")));
//!
//! let condition = SubscriptionData::sql92("orders", "amount > 100 AND region = 'eu'")?;
//! assert!(!condition.is_tag());
//! # Ok::<(), rocketmq_remoting::DecodeError>(())
//! ```

use std::collections::BTreeSet;

use rocketmq_syntax::tags;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;

pub use tags::ALL;
/// Type of an expression of tags, joined by two vertical bars.
pub const TAG: &str = "TAG";
/// Type of an expression that is an SQL92 condition on the properties.
pub const SQL92: &str = "SQL92";

/// Hashes a text like Java's `String.hashCode`: over UTF-16 units, wrapping.
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// Returns the code that a consume queue stores for a message's tag: its hash, or 0 without a tag.
pub fn tag_code(tags: Option<&str>) -> i64 {
    i64::from(tags.map_or(0, java_string_hash))
}

/// The subscription of a group to one topic, as heartbeats carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionData {
    /// True for a class filter; no current broker runs one.
    pub class_filter_mode: bool,
    /// Hashes of the tags.
    pub code_set: BTreeSet<i32>,
    /// [`TAG`] or [`SQL92`].
    pub expression_type: String,
    /// The expression.
    pub sub_string: String,
    /// Time of the subscription, ms since the epoch. Keep it as long as the expression stays the same: brokers take the
    /// newer of two, and compare those of all members of a group.
    pub sub_version: i64,
    /// Tags; empty for `*`.
    pub tags_set: BTreeSet<String>,
    /// The topic.
    pub topic: String,
}

impl Default for SubscriptionData {
    /// Subscribes to every message. The topic is empty.
    fn default() -> Self {
        Self {
            class_filter_mode: false,
            code_set: BTreeSet::new(),
            expression_type: TAG.to_owned(),
            sub_string: ALL.to_owned(),
            sub_version: 0,
            tags_set: BTreeSet::new(),
            topic: String::new(),
        }
    }
}

impl SubscriptionData {
    /// Subscribes by tags joined by `||`. `*` selects every message, alone or among tags, and so does an empty
    /// expression. Spaces around a tag do not count.
    ///
    /// # Errors
    /// Fails for bars without a tag.
    pub fn parse(topic: &str, expression: &str) -> Result<Self, DecodeError> {
        let mut data = Self { topic: topic.to_owned(), ..Self::default() };
        let tags = tags::split(expression).map_err(|error| {
            let what = format!("tags joined by ||, or *; of {expression:?} for {topic} {}", error.reason());
            DecodeError::new("subscription", what)
        })?;
        if tags.is_empty() {
            return Ok(data);
        }
        data.code_set = tags.iter().map(|tag| java_string_hash(tag)).collect();
        data.tags_set = tags.into_iter().map(str::to_owned).collect();
        data.sub_string = expression.to_owned();
        Ok(data)
    }

    /// Subscribes by an SQL92 condition, which the broker evaluates. Does not parse the condition.
    ///
    /// # Errors
    /// Fails for an empty condition.
    pub fn sql92(topic: &str, expression: &str) -> Result<Self, DecodeError> {
        if expression.is_empty() {
            return Err(DecodeError::new(
                "subscription",
                format!("an SQL92 condition for {topic}; it is empty"),
            ));
        }
        Ok(Self {
            topic: topic.to_owned(),
            sub_string: expression.to_owned(),
            expression_type: SQL92.to_owned(),
            ..Self::default()
        })
    }

    /// Subscribes by an expression of the type `kind`. Without a type, or with an empty one, it is a [`TAG`]
    /// expression.
    ///
    /// # Errors
    /// Fails like [`parse`](Self::parse) and [`sql92`](Self::sql92), and for an unknown type.
    pub fn of_type(topic: &str, expression: &str, kind: Option<&str>) -> Result<Self, DecodeError> {
        match kind {
            None | Some("" | TAG) => Self::parse(topic, expression),
            Some(SQL92) => Self::sql92(topic, expression),
            Some(other) => Err(DecodeError::new("expressionType", format!("TAG or SQL92; it is {other:?}"))),
        }
    }

    /// Sets the version: the time of the subscription, ms since the epoch.
    #[must_use]
    pub fn with_version(mut self, sub_version: i64) -> Self {
        self.sub_version = sub_version;
        self
    }

    /// Returns true for a tag expression.
    pub fn is_tag(&self) -> bool {
        self.expression_type.is_empty() || self.expression_type == TAG
    }

    /// Returns true if the tag behind this code may match. Brokers ask this before they read a message. Different tags
    /// may have the same code, so consumers also ask [`matches_tag_text`](Self::matches_tag_text). Always true for
    /// SQL92.
    pub fn matches_tag_code(&self, code: i64) -> bool {
        if self.class_filter_mode || !self.is_tag() || self.sub_string == ALL {
            return true;
        }
        self.code_set.contains(&(code as i32))
    }

    /// Returns true if the tag of a message is in the subscription. Consumers ask this for each pulled message. Always
    /// true for SQL92 and `*`.
    pub fn matches_tag_text(&self, tags: Option<&str>) -> bool {
        if self.class_filter_mode || self.tags_set.is_empty() {
            return true;
        }
        tags.is_some_and(|tag| self.tags_set.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_those_of_java() {
        for (text, hash) in [("TagA", 2_598_919), ("TagB", 2_598_920), ("*", 42), ("标签", 857_175), ("", 0)]
        {
            assert_eq!(java_string_hash(text), hash, "{text}");
        }
        assert_eq!(java_string_hash("😀"), 1_772_899);
        assert_eq!(tag_code(None), 0);
        assert_eq!(tag_code(Some("polygenelubricants")), i64::from(i32::MIN));
    }

    #[test]
    fn tags_are_split_and_trimmed() {
        let data = SubscriptionData::parse("T", " TagA || TagB|||| \t||").unwrap();
        assert_eq!(data.tags_set.iter().collect::<Vec<_>>(), ["TagA", "TagB"]);
        assert_eq!(data.code_set.iter().copied().collect::<Vec<_>>(), [2_598_919, 2_598_920]);
        assert!(data.matches_tag_code(2_598_919) && !data.matches_tag_code(0));
        assert!(data.matches_tag_text(Some("TagB")) && !data.matches_tag_text(Some("tagB")));
        assert!(!data.matches_tag_text(None));
        let odd = SubscriptionData::parse("T", "a|||b").unwrap();
        assert_eq!(odd.tags_set.iter().collect::<Vec<_>>(), ["a", "|b"]);
    }

    #[test]
    fn a_star_or_an_empty_expression_selects_everything() {
        for expression in ["", "*", "* ", "* || a"] {
            let data = SubscriptionData::parse("T", expression).unwrap();
            assert_eq!(data.sub_string, "*");
            assert!(data.matches_tag_code(7) && data.matches_tag_text(None));
        }
    }

    #[test]
    fn bars_alone_are_refused() {
        let error = SubscriptionData::parse("T", "||").unwrap_err().to_string();
        assert!(error.contains("\"||\""), "{error}");
        assert!(SubscriptionData::parse("T", "|| ||").is_err());
        assert!(SubscriptionData::sql92("T", "").is_err());
        assert!(SubscriptionData::of_type("T", "a", Some("XPATH")).is_err());
        assert!(!SubscriptionData::of_type("T", "a > 1", Some(SQL92)).unwrap().is_tag());
    }

    #[test]
    fn json_has_the_names_of_java() {
        let text = r#"{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB","subVersion":1795408913719,"tagsSet":["TagA","TagB"],"topic":"TA"}"#;
        let data = SubscriptionData::parse("TA", "TagA || TagB").unwrap().with_version(1_795_408_913_719);
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
        assert_eq!(serde_json::from_str::<SubscriptionData>(text).unwrap(), data);
    }
}
