//! [`ConsumerHealth`]: how a push consumer gets on.

use std::fmt;
use std::sync::{Arc, Weak};

use super::member::PushMember;
use crate::consumer::health::{HealthBook, TopicHealth};

/// The health of a consumer, now and whenever it is asked. It outlives the consumer, whose topics are
/// [`Stopped`](crate::consumer::TopicState::Stopped) then.
#[derive(Clone)]
pub struct ConsumerHealth {
    book: HealthBook,
    member: Weak<PushMember>,
}

impl ConsumerHealth {
    pub(crate) fn of(member: &Arc<PushMember>) -> Self {
        Self { book: member.group.health.clone(), member: Arc::downgrade(member) }
    }

    /// One entry for each topic, by name.
    pub fn topics(&self) -> Vec<TopicHealth> {
        let member = self.member.upgrade().filter(|member| !member.group.stopped.is_cancelled());
        self.book.topics(|topic| member.as_ref().map(|member| member.backlog(topic)))
    }
}

impl fmt::Debug for ConsumerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.topics()).finish()
    }
}
