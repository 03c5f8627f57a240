//! The retry topics of POP: one for each group and topic, in two spellings, and the choice between them.

use rocketmq_remoting::receipt::Origin;

use super::settings::PopSettings;
use crate::broker::names;

/// Returns the topic that a group subscribed to, from the name of one of its retry topics.
pub(crate) fn normal_topic<'a>(topic: &'a str, group: &str) -> &'a str {
    let behind = names::group_of_retry(topic).and_then(|rest| rest.strip_prefix(group));
    behind.and_then(|rest| rest.strip_prefix(['+', '_'])).unwrap_or(topic)
}

/// Returns the topic to which messages of `topic` go when they are handed out again.
pub(crate) fn destination(settings: &PopSettings, group: &str, topic: &str) -> String {
    if names::is_retry(topic) {
        return topic.to_owned();
    }
    let origin = if settings.retry_topic_v2 { Origin::RetryV2 } else { Origin::RetryV1 };
    origin.topic(group, topic)
}

/// The retry topics that one pop reads. It takes messages of one of them at most, since both count as one in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPlan {
    /// Before the topic itself, else after it.
    pub first: bool,
    pub origin: Origin,
}

impl RetryPlan {
    /// Chooses by a number from 0 to 99.
    ///
    /// If the chosen retry topic has nothing and the other one has, the pop reads the other. A pop that was woken by a message
    /// handed out again would otherwise sleep on half the time.
    pub(crate) fn by_chance(
        settings: &PopSettings,
        chance: u32,
        has_message: impl Fn(Origin) -> bool,
    ) -> Self {
        let chosen = match (settings.retry_topic_v2, settings.read_retry_topic_v1) {
            // Messages may be left from a time with the other spelling.
            (false, _) => [Origin::RetryV1, Origin::RetryV2],
            (true, false) => [Origin::RetryV2; 2],
            (true, true) if chance.is_multiple_of(2) => [Origin::RetryV1, Origin::RetryV2],
            (true, true) => [Origin::RetryV2, Origin::RetryV1],
        };
        let origin = if chosen[0] == chosen[1] || !has_message(chosen[1]) || has_message(chosen[0]) {
            chosen[0]
        } else {
            chosen[1]
        };
        Self { first: chance < settings.retry_first_percent, origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_lead_back_to_the_topic() {
        for origin in [Origin::RetryV1, Origin::RetryV2] {
            let name = origin.topic("g_x", "t_y");
            assert_eq!(normal_topic(&name, "g_x"), "t_y");
        }
        assert_eq!(normal_topic("t", "g"), "t");
        assert_eq!(normal_topic("%RETRY%g", "g"), "%RETRY%g");
    }

    #[test]
    fn every_fifth_pop_looks_into_the_retry_topic_first() {
        let settings = PopSettings::default();
        let first =
            (0..100).filter(|chance| RetryPlan::by_chance(&settings, *chance, |_| true).first).count();
        assert_eq!(first, 20);
        assert_eq!(RetryPlan::by_chance(&settings, 7, |_| false).origin, Origin::RetryV1);
        assert_eq!(RetryPlan::by_chance(&settings, 7, |_| true).origin, Origin::RetryV1);
        let left = RetryPlan::by_chance(&settings, 7, |origin| origin == Origin::RetryV2);
        assert_eq!(left.origin, Origin::RetryV2, "from a time with the new spelling");
    }

    #[test]
    fn with_the_new_spelling_the_old_one_is_read_half_the_time() {
        let settings = PopSettings { retry_topic_v2: true, ..PopSettings::default() };
        assert_eq!(RetryPlan::by_chance(&settings, 8, |_| true).origin, Origin::RetryV1);
        assert_eq!(RetryPlan::by_chance(&settings, 9, |_| true).origin, Origin::RetryV2);
        assert_eq!(
            RetryPlan::by_chance(&settings, 8, |origin| origin == Origin::RetryV2).origin,
            Origin::RetryV2
        );
        assert_eq!(destination(&settings, "g", "t"), "%RETRY%g+t");
        assert_eq!(destination(&settings, "g", "%RETRY%g_t"), "%RETRY%g_t");
    }
}
