//! [`ConsumerHealth`]: the state of a push consumer.

use std::fmt;
use std::sync::{Arc, Weak};

use super::member::PushMember;
use crate::consumer::health::{HealthBook, TopicHealth};

/// Shows the state of a consumer at each call. It outlives the consumer, whose topics are
/// [`Stopped`](crate::consumer::TopicState::Stopped) then.
///
/// ```no_run
/// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::consumer::TopicState;
///
/// let health = running.health();
/// let ready = health.topics().iter().all(|topic| topic.state == TopicState::Consuming);
/// println!("ready: {ready}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ConsumerHealth {
    book: HealthBook,
    member: Weak<PushMember>,
}

impl ConsumerHealth {
    pub(crate) fn of(member: &Arc<PushMember>) -> Self {
        Self { book: member.group.health.clone(), member: Arc::downgrade(member) }
    }

    /// Returns one entry for each topic, sorted by name.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", running.health().topics());
    /// # Ok(())
    /// # }
    /// ```
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
