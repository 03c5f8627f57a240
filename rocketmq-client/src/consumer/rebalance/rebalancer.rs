//! The actor that decides which queues this member reads: on a timer, when the broker says the members changed, and when
//! something here asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::{MessageModel, MessageQueueAssignment, MessageRequestMode};
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;

use super::allocate::{AllocateStrategy, Allocation, java_order, queue_order};
use crate::clock::instant;
use crate::cluster::route::Purpose;
use crate::consumer::member::Member;
use crate::consumer::pop::push::PopService;
use crate::consumer::pop::receipt::Origin;
use crate::consumer::pull::pull_loop::{Begin, HAND_OVER, PullLoop};
use crate::consumer::pull::puller::PullOptions;
use crate::consumer::queue::owned::OwnedQueue;
use crate::error::CallError;

/// Between two rounds while all is well.
const PERIOD: Duration = Duration::from_secs(20);
/// Between two rounds in any case. (Java: one second.) Shorter than [`HAND_OVER`], so that a member gives its queues up,
/// and stores their offsets, before the member that takes them over asks for those.
const SPACING: Duration = Duration::from_millis(200);
/// Until the next round after one that did not succeed.
const RETRY: Duration = Duration::from_secs(1);
/// After a queue's broker lock was refused.
const LOCK_RETRY: Duration = Duration::from_millis(500);

/// Told after each change of a topic's queues: the topic, all its queues, those of this member.
pub(crate) type OnAssignment = Arc<dyn Fn(&str, &[MessageQueue], &[MessageQueue]) + Send + Sync>;

/// The rebalancer of one consumer.
pub(crate) struct Rebalancer {
    pub(crate) group: Arc<Member>,
    pub(crate) strategy: Arc<dyn AllocateStrategy>,
    pub(crate) pull: PullOptions,
    pub(crate) on_assignment: Option<OnAssignment>,
    /// Set when the broker assigns the queues.
    pub(crate) pop: Option<Arc<PopService>>,
}

/// The result of a round, or of one topic in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// This member owns the queues that were assigned to it.
    Balanced,
    /// A request failed; another round is due soon.
    Unbalanced,
    /// Another member still holds the lock of a queue.
    Locked,
}

impl Rebalancer {
    /// Rounds until the consumer stops.
    pub(crate) async fn run(self) {
        let mut pause = Backoff::default();
        loop {
            let started = instant();
            let round = tokio::select! {
                () = self.group.stopped.cancelled() => return,
                round = self.round() => round,
            };
            let wait = pause.after(round);
            tokio::select! {
                () = self.group.stopped.cancelled() => return,
                () = tokio::time::sleep_until(started + wait) => {}
                () = self.group.rebalance.notified() => {}
            }
            tokio::select! {
                () = self.group.stopped.cancelled() => return,
                () = tokio::time::sleep_until(started + SPACING.min(wait)) => {}
            }
        }
    }

    async fn round(&self) -> Round {
        let topics: Vec<String> = self.group.subscriptions.read().keys().cloned().collect();
        let mut worst = self.drop_unsubscribed(&topics).await;
        for topic in &topics {
            worst = match (worst, self.topic(topic).await) {
                (Round::Locked, _) | (_, Round::Locked) => Round::Locked,
                (Round::Balanced, outcome) => outcome,
                (worst, _) => worst,
            };
        }
        worst
    }

    /// Drops the queues of topics without a subscription. A queue that an orderly handler works on is left for the next
    /// round.
    async fn drop_unsubscribed(&self, topics: &[String]) -> Round {
        if let Some(pop) = &self.pop {
            pop.keep_topics(topics);
        }
        let mut round = Round::Balanced;
        for owned in self.group.owned().iter().filter(|owned| !topics.contains(&owned.queue.topic)) {
            if !self.release(owned).await {
                round = Round::Unbalanced;
            }
        }
        round
    }

    async fn topic(&self, topic: &str) -> Round {
        let Some(all) = self.queues(topic).await else { return Round::Unbalanced };
        let mine = match &self.pop {
            Some(pop) if !is_retry(topic) => self.brokers_choice(topic, &all, pop).await,
            _ => self.assigned(topic, &all).await,
        };
        let Some(mine) = mine else { return Round::Unbalanced };
        let complete = mine.complete;
        match self.apply(topic, &all, mine).await {
            Round::Balanced if !complete => Round::Unbalanced,
            outcome => outcome,
        }
    }

    /// Finds the topic's queues, in Java's order; `None` while no name server knows the topic.
    async fn queues(&self, topic: &str) -> Option<Vec<MessageQueue>> {
        let info = match self.group.calls.cluster.topic(topic, Purpose::Read, None).await {
            Ok(info) => info,
            Err(error) => {
                let error = self.group.calls.cluster.explained(error).await;
                tracing::debug!(group = self.group.name(), topic, "no route, nothing is rebalanced: {error}");
                self.group.health.route(topic, Err(&error));
                return None;
            }
        };
        let brokers: Vec<_> =
            info.route.broker_datas.iter().map(|broker| broker.broker_name.clone()).collect();
        self.group.health.route(topic, Ok(&brokers));
        let mut queues: Vec<MessageQueue> = info.subscribe.iter().map(|queue| (**queue).clone()).collect();
        queues.sort_by(queue_order);
        Some(queues)
    }

    async fn assigned(&self, topic: &str, all: &[MessageQueue]) -> Option<Assigned> {
        if self.group.model == MessageModel::Broadcasting {
            return Some(Assigned { queues: all.to_vec(), alone: true, complete: true });
        }
        let mut members = Vec::from_iter(self.members(topic).await?);
        members.sort_by(|a, b| java_order(a, b));
        let allocation =
            Allocation { me: &self.group.calls.cluster.client_id, queues: all, members: &members };
        match self.strategy.allocate(&allocation) {
            Ok(queues) => Some(Assigned { queues, alone: members.len() == 1, complete: true }),
            Err(error) => {
                tracing::error!(group = self.group.name(), topic, "the queues cannot be allocated: {error}");
                None
            }
        }
    }

    /// Takes the queues that the brokers assign: queues to pop go to `pop`, the others are returned.
    async fn brokers_choice(
        &self,
        topic: &str,
        all: &[MessageQueue],
        pop: &Arc<PopService>,
    ) -> Option<Assigned> {
        let (mut popped, mut pulled) = (Vec::new(), Vec::new());
        let (mut asked, mut complete) = (false, true);
        for (broker, address) in self.group.calls.cluster.brokers_of(topic) {
            asked = true;
            let answer = self.ask_for_assignment(&address, topic).await;
            self.group.health.members(topic, answer.as_ref().map(drop));
            complete &= answer.is_ok();
            match answer.ok().flatten() {
                Some(assignments) => {
                    let own = assignments.into_iter().filter(|it| self.is_of(&it.message_queue, &broker));
                    for MessageQueueAssignment { message_queue, mode, .. } in own {
                        let list = if mode == MessageRequestMode::Pop { &mut popped } else { &mut pulled };
                        list.push(message_queue);
                    }
                }
                None => {
                    popped.extend(pop.queues(topic).into_iter().filter(|queue| self.is_of(queue, &broker)));
                    let owned = self.group.owned().into_iter().map(|owned| owned.queue.clone());
                    pulled.extend(owned.filter(|queue| queue.topic == topic && self.is_of(queue, &broker)));
                }
            }
        }
        self.follow_retries(topic, pop.pops(topic), !popped.is_empty());
        if pop.assign(topic, &popped) {
            self.tell(topic, all, &popped);
        }
        asked.then_some(Assigned { queues: pulled, alone: false, complete })
    }

    /// Tells whether a broker decides about a queue: each decides about the queues that it holds.
    fn is_of(&self, queue: &MessageQueue, broker: &str) -> bool {
        self.group.calls.cluster.home(queue) == broker
    }

    /// Asks a broker for the assignment; `None` when it cannot tell, and nothing is to change.
    async fn ask_for_assignment(
        &self,
        address: &str,
        topic: &str,
    ) -> Result<Option<Vec<MessageQueueAssignment>>, CallError> {
        let strategy = self.strategy.name();
        let assigned = self.group.calls.assignment(address, topic, &strategy, self.group.model).await;
        assigned.inspect_err(|error| {
            tracing::debug!(group = self.group.name(), topic, "{address} assigns no queues: {error}");
        })
    }

    /// Subscribes to the retry topic of popped messages once the topic is pulled instead, to read the messages that
    /// were left there.
    fn follow_retries(&self, topic: &str, popped_before: bool, popped_now: bool) {
        let retries = Origin::RetryV1.topic(self.group.name(), topic);
        if popped_now {
            self.group.subscriptions.write().remove(&retries);
        } else if popped_before && let Ok(data) = SubscriptionData::parse(&retries, "*") {
            self.group
                .subscriptions
                .write()
                .insert(retries, Arc::new(data.with_version(self.group.now_ms())));
        }
    }

    /// Asks one broker of the topic, another one when that fails; an empty list changes nothing either.
    async fn members(&self, topic: &str) -> Option<BTreeSet<String>> {
        let mut failure = None;
        for (_, address) in self.group.calls.cluster.brokers_of(topic) {
            match self.group.membership.group_members(&address, self.group.name()).await {
                Ok(members) if !members.is_empty() => {
                    self.group.health.members(topic, Ok(()));
                    return Some(members);
                }
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure {
            tracing::debug!(group = self.group.name(), topic, "the members are not known: {error}");
            self.group.health.members(topic, Err(&error));
        }
        None
    }

    async fn apply(&self, topic: &str, all: &[MessageQueue], mine: Assigned) -> Round {
        let now = self.group.now_ms();
        let owned = self.group.owned().into_iter().filter(|owned| owned.queue.topic == topic);
        let owned: BTreeMap<MessageQueue, Arc<OwnedQueue>> = owned.map(|o| (o.queue.clone(), o)).collect();
        let change = Change::between(&mine.queues, &owned, now);
        let mut outcome = Round::Balanced;
        for queue in &change.release {
            if let Some(owned) = owned.get(queue)
                && !self.release(owned).await
            {
                outcome = Round::Unbalanced;
            }
        }
        let opened = self.acquire(&change.acquire, mine.alone).await;
        if opened < change.acquire.len() {
            outcome = Round::Locked;
        }
        if opened + change.release.len() > 0 {
            self.tell(topic, all, &mine.queues);
        }
        outcome
    }

    /// Gives a queue up; `false` when a handler still works on it in order, so that it stays for another round.
    async fn release(&self, owned: &Arc<OwnedQueue>) -> bool {
        if self.group.needs_locks()
            && !owned.wait_idle(crate::consumer::handling::orderly::RELEASE_WAIT).await
        {
            return false;
        }
        self.group.release(owned).await;
        if self.group.needs_locks() {
            self.group.unlock(vec![owned.queue.clone()]).await;
        }
        tracing::info!(group = self.group.name(), queue = ?owned.queue, "queue released");
        true
    }

    /// Starts on queues; how many.
    async fn acquire(&self, queues: &[MessageQueue], alone: bool) -> usize {
        if queues.is_empty() {
            return 0;
        }
        // A broker refuses pulls of a group it has not heard of, and this one may be new to the topic.
        self.group.membership.heartbeat_in_full().await;
        let locked = match self.group.needs_locks() {
            true => self.group.lock(queues).await,
            false => queues.to_vec(),
        };
        let delay = if alone { Duration::ZERO } else { HAND_OVER };
        let mut opened = 0;
        for queue in queues.iter().filter(|queue| locked.contains(queue)) {
            let owned = OwnedQueue::new(queue.clone(), self.group.now_ms());
            owned.set_locked(self.group.needs_locks(), self.group.now_ms());
            if self.group.insert(owned.clone()) {
                tracing::info!(group = self.group.name(), queue = ?queue, "queue assigned");
                PullLoop::spawn(&self.group, owned, self.pull.clone(), Begin::Lookup(delay));
            }
            opened += 1;
        }
        opened
    }

    fn tell(&self, topic: &str, all: &[MessageQueue], mine: &[MessageQueue]) {
        self.group.count_rebalance(topic);
        if let Some(tell) = &self.on_assignment {
            tell(topic, all, mine);
        }
    }
}

/// The queues of this member.
struct Assigned {
    queues: Vec<MessageQueue>,
    /// It is the only member.
    alone: bool,
    /// All brokers could be asked.
    complete: bool,
}

/// The work of a round on one topic.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    release: Vec<MessageQueue>,
    acquire: Vec<MessageQueue>,
}

impl Change {
    /// Queues whose pull loop must be stuck are released and acquired in one go.
    fn between(mine: &[MessageQueue], owned: &BTreeMap<MessageQueue, Arc<OwnedQueue>>, now_ms: i64) -> Self {
        let wanted: BTreeSet<&MessageQueue> = mine.iter().collect();
        let expired = |queue: &MessageQueue| owned.get(queue).is_some_and(|o| o.is_pull_expired(now_ms));
        let release =
            owned.keys().filter(|queue| !wanted.contains(queue) || expired(queue)).cloned().collect();
        let acquire =
            mine.iter().filter(|queue| !owned.contains_key(queue) || expired(queue)).cloned().collect();
        Self { release, acquire }
    }
}

/// Rounds that do not succeed come after 1, 2, 4 … seconds, so that a missing topic is found soon but not asked for
/// every second for ever.
#[derive(Debug, Default)]
struct Backoff {
    failed: u32,
}

impl Backoff {
    fn after(&mut self, round: Round) -> Duration {
        self.failed = if round == Round::Unbalanced { self.failed + 1 } else { 0 };
        match round {
            Round::Balanced => PERIOD,
            Round::Locked => LOCK_RETRY,
            Round::Unbalanced => (RETRY * (1 << (self.failed - 1).min(5))).min(PERIOD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(id: i32) -> MessageQueue {
        MessageQueue::new("t", "b", id)
    }

    fn owned(ids: &[i32], pulled_at: i64) -> BTreeMap<MessageQueue, Arc<OwnedQueue>> {
        ids.iter().map(|id| (queue(*id), OwnedQueue::new(queue(*id), pulled_at))).collect()
    }

    #[test]
    fn only_the_difference_is_changed() {
        let change = Change::between(&[queue(1), queue(2)], &owned(&[0, 1], 0), 1000);
        assert_eq!(change, Change { release: vec![queue(0)], acquire: vec![queue(2)] });
        assert_eq!(Change::between(&[], &owned(&[0], 0), 0).release, [queue(0)]);
    }

    #[test]
    fn a_queue_nobody_pulled_for_two_minutes_is_started_anew() {
        let change = Change::between(&[queue(0)], &owned(&[0], 0), 120_001);
        assert_eq!(change, Change { release: vec![queue(0)], acquire: vec![queue(0)] });
    }

    #[test]
    fn unsuccessful_rounds_come_ever_more_rarely() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..7).map(|_| backoff.after(Round::Unbalanced).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20]);
        assert_eq!(backoff.after(Round::Balanced), PERIOD);
        assert_eq!(backoff.after(Round::Unbalanced), RETRY);
        assert_eq!(backoff.after(Round::Locked), LOCK_RETRY);
    }
}
