//! Filters of consumers: by the hash of a message's tag, or by an expression over its properties.

use std::collections::HashSet;
use std::sync::Arc;

use rocketmq_remoting::message::RecordView;
use rocketmq_remoting::message::properties::find;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{SyntaxError, sql::Sql};

use crate::store;

/// The filter of a consumer. Clones are cheap.
#[derive(Debug, Clone, Default)]
pub enum Filter {
    /// Passes every message (`*`).
    #[default]
    All,
    /// Passes messages whose tag has one of these hashes. Different tags may have the same hash, so the client compares
    /// the text as well.
    Tags(Arc<HashSet<i32>>),
    /// Passes messages whose properties meet a condition.
    Sql(Arc<Sql>),
}

impl Filter {
    /// Makes a filter of tag hashes. Without any hash it passes every message.
    pub fn tags(codes: impl IntoIterator<Item = i32>) -> Self {
        let codes: HashSet<i32> = codes.into_iter().collect();
        if codes.is_empty() { Self::All } else { Self::Tags(Arc::new(codes)) }
    }

    /// Makes the filter of a subscription by tags or by SQL92.
    ///
    /// # Errors
    /// Fails for an SQL92 condition that does not parse.
    pub fn of(subscription: &SubscriptionData) -> Result<Self, SyntaxError> {
        if subscription.is_tag() {
            return Ok(Self::tags(subscription.code_set.iter().copied()));
        }
        Ok(Self::Sql(Arc::new(subscription.sub_string.parse()?)))
    }

    /// Returns false if the tag's hash rules the message out. An SQL92 condition rules nothing out here.
    pub fn may_match_tag(&self, tags_code: i64) -> bool {
        match self {
            Self::All | Self::Sql(_) => true,
            // Java compares the low 32 bits.
            Self::Tags(codes) => codes.contains(&(tags_code as i32)),
        }
    }

    /// Returns false if the properties rule the message out. A filter by tags rules nothing out here.
    pub fn matches_properties(&self, properties: &str) -> bool {
        match self {
            Self::All | Self::Tags(_) => true,
            Self::Sql(sql) => sql.matches(&|name: &str| find(properties, name)),
        }
    }
}

impl store::Filter for Filter {
    fn wants_code(&self, tags_code: i64) -> bool {
        self.may_match_tag(tags_code)
    }

    fn wants_record(&self, record: &[u8]) -> bool {
        match self {
            Self::All | Self::Tags(_) => true,
            Self::Sql(_) => {
                RecordView::parse(record).is_ok_and(|view| self.matches_properties(&view.properties()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_by_the_low_32_bits_of_their_hash() {
        let filter = Filter::tags([-5]);
        assert!(filter.may_match_tag(-5));
        assert!(!filter.may_match_tag(5));
        assert!(Filter::tags([]).may_match_tag(5));
    }

    #[test]
    fn a_condition_reads_the_properties() {
        let filter = Filter::of(&SubscriptionData::sql92("t", "a > 4").unwrap()).unwrap();
        assert!(filter.matches_properties("a\u{1}5\u{2}"));
        assert!(!filter.matches_properties("a\u{1}4\u{2}"));
        assert!(Filter::of(&SubscriptionData::sql92("t", "a >").unwrap()).is_err());
    }
}
