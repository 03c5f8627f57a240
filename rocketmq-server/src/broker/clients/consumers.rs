//! Consumers: the live members and subscriptions of each group, as their heartbeats tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::conflicts::{Conflict, Subscribed, Subscriber};
use super::member::Member;
use rocketmq_remoting::body::heartbeat::{ConsumeFromWhere, ConsumeType, ConsumerData, MessageModel};
use rocketmq_remoting::subscription::SubscriptionData;

/// One group while it has at least one live member.
///
/// Subscriptions and modes belong to the group, not to the member: the last heartbeat wins for all, as in Apache.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerGroup {
    /// By channel.
    subscribers: BTreeMap<u64, Subscriber>,
    /// Counts the heartbeats of members.
    events: u64,
    subscriptions: BTreeMap<String, Arc<SubscriptionData>>,
    consume_type: ConsumeType,
    message_model: MessageModel,
    consume_from_where: ConsumeFromWhere,
    fingerprint: i32,
}

impl ConsumerGroup {
    fn new(data: &ConsumerData) -> Self {
        Self {
            subscribers: BTreeMap::new(),
            events: 0,
            subscriptions: BTreeMap::new(),
            consume_type: data.consume_type,
            message_model: data.message_model,
            consume_from_where: data.consume_from_where,
            fingerprint: 0,
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.subscribers.values().map(|subscriber| &subscriber.member)
    }

    /// The live member that calls itself `client_id`.
    pub(crate) fn member(&self, client_id: &str) -> Option<&Member> {
        self.members().find(|member| member.client_id == client_id)
    }

    /// Returns each client id once. A client that finds its id twice takes one share of the queues for two, and nobody
    /// reads the other.
    pub(crate) fn client_ids(&self) -> Vec<String> {
        let ids: BTreeSet<&String> = self.members().map(|member| &member.client_id).collect();
        ids.into_iter().cloned().collect()
    }

    /// Returns a conflict between the member on a channel and another one.
    pub(crate) fn conflict(&self, channel: u64) -> Option<Conflict> {
        let subscriber = self.subscribers.get(&channel)?;
        let others = self.subscribers.iter().filter(|(other, _)| **other != channel);
        others.into_iter().find_map(|(_, other)| subscriber.conflict_with(other))
    }

    pub(crate) fn subscriptions(&self) -> &BTreeMap<String, Arc<SubscriptionData>> {
        &self.subscriptions
    }

    pub(crate) fn subscription(&self, topic: &str) -> Option<&Arc<SubscriptionData>> {
        self.subscriptions.get(topic)
    }

    pub(crate) fn consume_type(&self) -> ConsumeType {
        self.consume_type
    }

    pub(crate) fn message_model(&self) -> MessageModel {
        self.message_model
    }

    pub(crate) fn consume_from_where(&self) -> ConsumeFromWhere {
        self.consume_from_where
    }

    pub(crate) fn is_broadcasting(&self) -> bool {
        self.message_model == MessageModel::Broadcasting
    }

    fn take_modes(&mut self, data: &ConsumerData) {
        self.consume_type = data.consume_type;
        self.message_model = data.message_model;
        self.consume_from_where = data.consume_from_where;
    }

    /// Takes a heartbeat, which may leave the subscriptions out. Returns true if the channel is new to the group.
    fn touch(&mut self, member: Member, subscribed: Option<Subscribed>) -> bool {
        self.events += 1;
        let channel = member.channel;
        if let Some(known) = self.subscribers.get_mut(&channel) {
            known.renew(member, subscribed, self.events);
            return false;
        }
        let new = Subscriber::new(member, subscribed.unwrap_or_default(), self.events);
        self.subscribers.insert(channel, new);
        true
    }

    /// Notes that a member is alive.
    fn hear(&mut self, channel: u64) {
        self.events += 1;
        if let Some(subscriber) = self.subscribers.get_mut(&channel) {
            subscriber.hear(self.events);
        }
    }

    /// Returns whether a topic was added or dropped; a newer version alone is no change.
    fn subscribe(&mut self, wanted: &[SubscriptionData]) -> bool {
        let mut changed = false;
        for data in wanted {
            changed |= self.subscribe_one(data);
        }
        let topics: BTreeSet<&str> = wanted.iter().map(|data| data.topic.as_str()).collect();
        let before = self.subscriptions.len();
        self.subscriptions.retain(|topic, _| topics.contains(topic.as_str()));
        changed || self.subscriptions.len() != before
    }

    fn subscribe_one(&mut self, data: &SubscriptionData) -> bool {
        match self.subscriptions.get_mut(&data.topic) {
            None => {
                self.subscriptions.insert(data.topic.clone(), Arc::new(data.clone()));
                true
            }
            Some(known) => {
                if data.sub_version > known.sub_version {
                    *known = Arc::new(data.clone());
                }
                false
            }
        }
    }
}

/// The effect of a heartbeat on a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Registered {
    /// Members or topics changed: the others must rebalance.
    pub changed: bool,
    /// The subscription fingerprint is another one than before: the client must send its subscriptions in full.
    pub fingerprint_changed: bool,
}

/// All consumer groups with live members.
#[derive(Debug, Default)]
pub(crate) struct ConsumerTable {
    groups: HashMap<String, ConsumerGroup>,
}

impl ConsumerTable {
    /// Takes a heartbeat with subscriptions.
    pub(crate) fn register(&mut self, data: &ConsumerData, member: Member, fingerprint: i32) -> Registered {
        let group = self.groups.entry(data.group_name.clone()).or_insert_with(|| ConsumerGroup::new(data));
        group.take_modes(data);
        let known = std::mem::replace(&mut group.fingerprint, fingerprint);
        let joined = group.touch(member, Some(Subscribed::of(data)));
        let subscribed = group.subscribe(&data.subscription_data_set);
        Registered { changed: joined || subscribed, fingerprint_changed: known != 0 && known != fingerprint }
    }

    /// Takes a heartbeat that left its subscriptions out because the fingerprint says they are as before.
    ///
    /// A group unknown here (this broker restarted, say) counts as changed, which makes the client send all of it.
    pub(crate) fn refresh(&mut self, group: &str, member: Member, fingerprint: i32) -> Registered {
        let Some(known) = self.groups.get_mut(group) else {
            return Registered { changed: false, fingerprint_changed: true };
        };
        Registered {
            changed: known.touch(member, None),
            fingerprint_changed: known.fingerprint != fingerprint,
        }
    }

    /// Removes a channel from one group; says whether it was in it.
    pub(crate) fn unregister(&mut self, group: &str, channel: u64) -> bool {
        let Some(known) = self.groups.get_mut(group) else {
            return false;
        };
        let removed = known.subscribers.remove(&channel).is_some();
        if known.subscribers.is_empty() {
            self.groups.remove(group);
        }
        removed
    }

    /// Removes a closed channel everywhere; returns the groups it was in.
    pub(crate) fn remove_channel(&mut self, channel: u64) -> Vec<String> {
        let groups: Vec<String> = self
            .groups
            .iter()
            .filter(|(_, group)| group.subscribers.contains_key(&channel))
            .map(|(name, _)| name.clone())
            .collect();
        for group in &groups {
            self.unregister(group, channel);
        }
        groups
    }

    /// Removes members not heard of for longer than `timeout_ms`; returns their channels, which are to be closed.
    pub(crate) fn expire(&mut self, passed: i64, timeout_ms: i64) -> Vec<u64> {
        let mut gone = Vec::new();
        self.groups.retain(|_, group| {
            let is_silent = |member: &Member| member.silent_since(passed) > timeout_ms;
            gone.extend(group.members().filter(|member| is_silent(member)).map(|member| member.channel));
            group.subscribers.retain(|_, subscriber| !is_silent(&subscriber.member));
            !group.subscribers.is_empty()
        });
        gone
    }

    /// The clock is about to jump: members live through it, for they cannot send heartbeats meanwhile.
    pub(crate) fn outlive(&mut self, jump_ms: i64) {
        self.groups
            .values_mut()
            .flat_map(|group| group.subscribers.values_mut())
            .for_each(|subscriber| subscriber.member.heard_at += jump_ms);
    }

    /// Returns the group that a member asks about over this channel.
    pub(crate) fn heard(&mut self, group: &str, channel: u64) -> Option<&ConsumerGroup> {
        let known = self.groups.get_mut(group)?;
        known.hear(channel);
        Some(known)
    }

    /// Returns a conflict between the member of a group on a channel and another one.
    pub(crate) fn conflict(&self, group: &str, channel: u64) -> Option<Conflict> {
        self.group(group)?.conflict(channel)
    }

    pub(crate) fn group(&self, group: &str) -> Option<&ConsumerGroup> {
        self.groups.get(group)
    }

    /// The channels of a group.
    pub(crate) fn channels(&self, group: &str) -> Vec<u64> {
        self.groups.get(group).map_or_else(Vec::new, |g| g.subscribers.keys().copied().collect())
    }

    /// Groups that subscribe to the topic now.
    pub(crate) fn groups_of_topic(&self, topic: &str) -> BTreeSet<String> {
        self.groups
            .iter()
            .filter(|(_, group)| group.subscriptions.contains_key(topic))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(topics: &[&str]) -> ConsumerData {
        ConsumerData {
            group_name: "g".into(),
            consume_type: ConsumeType::Passively,
            message_model: MessageModel::Clustering,
            consume_from_where: ConsumeFromWhere::LastOffset,
            subscription_data_set: topics.iter().map(|topic| subscription(topic, 1)).collect(),
            unit_mode: false,
        }
    }

    fn subscription(topic: &str, version: i64) -> SubscriptionData {
        let mut data = SubscriptionData::parse(topic, "*").unwrap();
        data.sub_version = version;
        data
    }

    fn member(channel: u64, now: i64) -> Member {
        Member::for_test(channel, now)
    }

    #[test]
    fn a_new_member_and_a_new_topic_are_changes_and_a_repetition_is_none() {
        let mut table = ConsumerTable::default();
        assert!(table.register(&data(&["a"]), member(1, 0), 0).changed);
        assert!(!table.register(&data(&["a"]), member(1, 0), 0).changed);
        assert!(table.register(&data(&["a", "b"]), member(1, 0), 0).changed);
        assert!(table.register(&data(&["b"]), member(1, 0), 0).changed);
        assert!(table.register(&data(&["b"]), member(2, 0), 0).changed);
        assert_eq!(table.channels("g"), [1, 2]);
    }

    #[test]
    fn only_a_newer_subscription_replaces_the_known_one() {
        let mut table = ConsumerTable::default();
        let mut newer = data(&[]);
        newer.subscription_data_set = vec![subscription("a", 9)];
        table.register(&newer, member(1, 0), 0);
        table.register(&data(&["a"]), member(1, 0), 0);
        let version = |t: &ConsumerTable| t.group("g").unwrap().subscription("a").unwrap().sub_version;
        assert_eq!(version(&table), 9);
    }

    #[test]
    fn silent_members_expire_and_an_empty_group_is_gone() {
        let mut table = ConsumerTable::default();
        table.register(&data(&["a"]), member(1, 0), 0);
        assert!(table.expire(120_000, 120_000).is_empty());
        assert_eq!(table.expire(120_001, 120_000), [1]);
        assert!(table.group("g").is_none());
    }

    #[test]
    fn a_closed_channel_leaves_every_group() {
        let mut table = ConsumerTable::default();
        table.register(&data(&["a"]), member(1, 0), 0);
        table.register(&data(&["a"]), member(2, 0), 0);
        assert_eq!(table.remove_channel(1), ["g"]);
        assert_eq!(table.channels("g"), [2]);
        assert!(table.remove_channel(1).is_empty());
    }

    #[test]
    fn a_heartbeat_without_subscriptions_asks_for_them_when_the_group_or_the_fingerprint_is_new() {
        let mut table = ConsumerTable::default();
        assert!(table.refresh("g", member(1, 0), 7).fingerprint_changed);
        table.register(&data(&["a"]), member(1, 0), 7);
        assert!(!table.refresh("g", member(1, 5), 7).fingerprint_changed);
        assert!(table.refresh("g", member(1, 5), 8).fingerprint_changed);
    }
}
