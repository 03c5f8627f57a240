//! Which messages of a topic a consumer wants: decided by the hash of the tag, or by an expression over the properties.

pub mod sql;

use std::collections::HashSet;
use std::sync::Arc;

use rocketmq_remoting::message::RecordView;
use rocketmq_remoting::message::properties::find;
use rocketmq_remoting::subscription::SubscriptionData;

use crate::store;
use sql::{Sql, SqlError};

/// A consumer's filter. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub enum Filter {
    /// `*`
    #[default]
    All,
    /// Hashes of the wanted tags. The client compares the text, since hashes collide.
    Tags(Arc<HashSet<i32>>),
    /// A condition on the properties.
    Sql(Arc<Sql>),
}

impl Filter {
    /// A filter for these tag hashes; none at all means every message.
    pub fn tags(codes: impl IntoIterator<Item = i32>) -> Self {
        let codes: HashSet<i32> = codes.into_iter().collect();
        if codes.is_empty() { Self::All } else { Self::Tags(Arc::new(codes)) }
    }

    /// The filter behind a subscription of either kind.
    ///
    /// # Errors
    /// An SQL92 condition that cannot be read.
    pub fn of(subscription: &SubscriptionData) -> Result<Self, SqlError> {
        if subscription.is_tag() {
            return Ok(Self::tags(subscription.code_set.iter().copied()));
        }
        Ok(Self::Sql(Arc::new(subscription.sub_string.parse()?)))
    }

    /// Whether the tag's hash leaves the message in the running. Conditions decide later.
    pub fn may_match_tag(&self, tags_code: i64) -> bool {
        match self {
            Self::All | Self::Sql(_) => true,
            // Java compares the low 32 bits.
            Self::Tags(codes) => codes.contains(&(tags_code as i32)),
        }
    }

    /// Whether a message with this property string is wanted, as far as properties decide.
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
    fn a_condition_looks_at_the_properties() {
        let filter = Filter::of(&SubscriptionData::sql92("t", "a > 4").unwrap()).unwrap();
        assert!(filter.matches_properties("a\u{1}5\u{2}"));
        assert!(!filter.matches_properties("a\u{1}4\u{2}"));
        assert!(Filter::of(&SubscriptionData::sql92("t", "a >").unwrap()).is_err());
    }
}
