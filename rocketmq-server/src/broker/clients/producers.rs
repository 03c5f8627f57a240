//! Producers. The broker asks them about undecided transactions, and hands replies to them.

use std::collections::{BTreeMap, HashMap};

use super::member::Member;

/// Producer groups and the channel of each client id.
#[derive(Debug, Default)]
pub(crate) struct ProducerTable {
    groups: BTreeMap<String, BTreeMap<u64, Member>>,
    clients: HashMap<String, u64>,
    /// The member that got the last check-back; the next one goes to another.
    turn: usize,
}

impl ProducerTable {
    /// Takes a heartbeat.
    pub(crate) fn register(&mut self, group: &str, member: Member) {
        self.clients.insert(member.client_id.clone(), member.channel);
        self.groups.entry(group.to_owned()).or_default().insert(member.channel, member);
    }

    /// Removes a channel from one group.
    pub(crate) fn unregister(&mut self, group: &str, channel: u64) {
        let Some(members) = self.groups.get_mut(group) else {
            return;
        };
        members.remove(&channel);
        if members.is_empty() {
            self.groups.remove(group);
        }
        self.forget_clients();
    }

    /// Removes a closed channel everywhere.
    pub(crate) fn remove_channel(&mut self, channel: u64) {
        self.retain(|member| member.channel != channel);
    }

    /// Removes members not heard of for longer than `timeout_ms`; returns their channels, which are to be closed.
    pub(crate) fn expire(&mut self, passed: i64, timeout_ms: i64) -> Vec<u64> {
        let mut gone = Vec::new();
        self.retain(|member| {
            let alive = member.silent_since(passed) <= timeout_ms;
            if !alive {
                gone.push(member.channel);
            }
            alive
        });
        gone
    }

    /// The clock is about to jump: members live through it, for they cannot send heartbeats meanwhile.
    pub(crate) fn outlive(&mut self, jump_ms: i64) {
        self.groups.values_mut().flat_map(BTreeMap::values_mut).for_each(|member| member.heard_at += jump_ms);
    }

    fn retain(&mut self, mut keep: impl FnMut(&Member) -> bool) {
        self.groups.retain(|_, members| {
            members.retain(|_, member| keep(member));
            !members.is_empty()
        });
        self.forget_clients();
    }

    /// A client id is known as long as one of its channels is in some group.
    fn forget_clients(&mut self) {
        let groups = &self.groups;
        self.clients.retain(|_, channel| groups.values().any(|members| members.contains_key(channel)));
    }

    /// The channel of a client, for replies.
    pub(crate) fn channel_of(&self, client_id: &str) -> Option<u64> {
        self.clients.get(client_id).copied()
    }

    /// The channels of a group, starting with another one at each call.
    pub(crate) fn channels_in_turn(&mut self, group: &str) -> Vec<u64> {
        let Some(members) = self.groups.get(group) else {
            return Vec::new();
        };
        let mut channels: Vec<u64> = members.keys().copied().collect();
        let first = self.turn % channels.len();
        self.turn = self.turn.wrapping_add(1);
        channels.rotate_left(first);
        channels
    }

    /// The members of a group.
    pub(crate) fn members(&self, group: &str) -> Vec<Member> {
        self.groups.get(group).map_or_else(Vec::new, |members| members.values().cloned().collect())
    }

    /// Every group with its members.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, Vec<&Member>)> {
        self.groups.iter().map(|(group, members)| (group, members.values().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_backs_go_round_the_members() {
        let mut table = ProducerTable::default();
        table.register("g", Member::for_test(1, 0));
        table.register("g", Member::for_test(2, 0));
        let first = table.channels_in_turn("g")[0];
        let second = table.channels_in_turn("g")[0];
        assert_ne!(first, second);
        assert!(table.channels_in_turn("h").is_empty());
    }

    #[test]
    fn a_client_is_reachable_until_its_last_channel_is_gone() {
        let mut table = ProducerTable::default();
        table.register("g", Member::for_test(1, 0));
        table.register("h", Member::for_test(1, 0));
        table.unregister("g", 1);
        assert_eq!(table.channel_of("client-1"), Some(1));
        assert_eq!(table.expire(120_001, 120_000), [1]);
        assert_eq!(table.channel_of("client-1"), None);
    }
}
