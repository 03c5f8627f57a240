//! What a group wants of a topic: tag expressions and the hash Java compares them by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::DecodeError;

/// Matches every message.
pub const ALL: &str = "*";
/// The expression is tags joined by two vertical bars.
pub const TAG: &str = "TAG";
/// The expression is an SQL92 condition over the properties.
pub const SQL92: &str = "SQL92";

/// `String.hashCode` of Java: over UTF-16 units, wrapping.
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The code a consume queue keeps for a message's tag: its hash, 0 without a tag.
pub fn tag_code(tags: Option<&str>) -> i64 {
    i64::from(tags.map_or(0, java_string_hash))
}

/// One group's subscription to one topic, as heartbeats carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionData {
    /// Class filter; no living broker runs it.
    pub class_filter_mode: bool,
    /// The hashes of the tags.
    pub code_set: BTreeSet<i32>,
    /// [`TAG`] or [`SQL92`].
    pub expression_type: String,
    /// The expression.
    pub sub_string: String,
    /// When the subscription was made, ms. Must not change while the expression does not: brokers take the
    /// newer one, and all members of a group are compared.
    pub sub_version: i64,
    /// The tags; empty for `*`.
    pub tags_set: BTreeSet<String>,
    /// The topic.
    pub topic: String,
}

impl Default for SubscriptionData {
    /// Everything of no topic yet.
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
    /// A subscription by tags: `*` (or nothing) for all, else tags joined by `||`. Spaces around a tag do not count.
    ///
    /// # Errors
    /// Bars without a tag among them, which Java refuses too.
    pub fn parse(topic: &str, expression: &str) -> Result<Self, DecodeError> {
        let mut data = Self { topic: topic.to_owned(), ..Self::default() };
        if expression.is_empty() || expression == ALL {
            return Ok(data);
        }
        // Java's split drops empty parts at the end, so that bars alone leave nothing.
        if expression.split("||").all(str::is_empty) {
            return Err(DecodeError::new(
                "subscription",
                format!("tags joined by ||, or *; the expression for {topic} is {expression:?}"),
            ));
        }
        data.sub_string = expression.to_owned();
        for tag in expression.split("||").map(java_trim).filter(|tag| !tag.is_empty()) {
            data.code_set.insert(java_string_hash(tag));
            data.tags_set.insert(tag.to_owned());
        }
        Ok(data)
    }

    /// A subscription by an SQL92 condition, which the broker evaluates. The condition is not parsed here.
    ///
    /// # Errors
    /// An empty condition.
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

    /// Either of the two, by the type's name; no type, or an empty one, means [`TAG`].
    ///
    /// # Errors
    /// As [`parse`](Self::parse) and [`sql92`](Self::sql92), or an unknown type.
    pub fn of_type(topic: &str, expression: &str, kind: Option<&str>) -> Result<Self, DecodeError> {
        match kind {
            None | Some("" | TAG) => Self::parse(topic, expression),
            Some(SQL92) => Self::sql92(topic, expression),
            Some(other) => Err(DecodeError::new("expressionType", format!("TAG or SQL92; it is {other:?}"))),
        }
    }

    /// The same subscription with a version: the time it was made, ms.
    #[must_use]
    pub fn with_version(mut self, sub_version: i64) -> Self {
        self.sub_version = sub_version;
        self
    }

    /// Whether the expression is a tag expression.
    pub fn is_tag(&self) -> bool {
        self.expression_type.is_empty() || self.expression_type == TAG
    }

    /// What a broker asks before it reads the message: whether a hash kept in the consume queue may match. Hashes
    /// collide, so the consumer asks [`matches_tag_text`](Self::matches_tag_text) again. Always true for SQL92.
    pub fn matches_tag_code(&self, code: i64) -> bool {
        if self.class_filter_mode || !self.is_tag() || self.sub_string == ALL {
            return true;
        }
        self.code_set.contains(&(code as i32))
    }

    /// What a consumer asks of a pulled message: whether its tag is one of ours, text for text.
    pub fn matches_tag_text(&self, tags: Option<&str>) -> bool {
        if self.class_filter_mode || self.tags_set.is_empty() {
            return true;
        }
        tags.is_some_and(|tag| self.tags_set.contains(tag))
    }
}

/// `String.trim` of Java cuts every character up to the space, and no other white space.
fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_java() {
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
    fn a_star_or_nothing_is_all() {
        for expression in ["", "*"] {
            let data = SubscriptionData::parse("T", expression).unwrap();
            assert_eq!(data.sub_string, "*");
            assert!(data.matches_tag_code(7) && data.matches_tag_text(None));
        }
    }

    #[test]
    fn bars_alone_are_refused() {
        let error = SubscriptionData::parse("T", "||").unwrap_err().to_string();
        assert!(error.contains("\"||\""), "{error}");
        assert!(SubscriptionData::parse("T", "|| ||").unwrap().tags_set.is_empty());
        assert!(SubscriptionData::sql92("T", "").is_err());
        assert!(SubscriptionData::of_type("T", "a", Some("XPATH")).is_err());
        assert!(!SubscriptionData::of_type("T", "a > 1", Some(SQL92)).unwrap().is_tag());
    }

    #[test]
    fn the_names_of_java() {
        let text = r#"{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB","subVersion":1795408913719,"tagsSet":["TagA","TagB"],"topic":"TA"}"#;
        let data = SubscriptionData::parse("TA", "TagA || TagB").unwrap().with_version(1_795_408_913_719);
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
        assert_eq!(serde_json::from_str::<SubscriptionData>(text).unwrap(), data);
    }
}
