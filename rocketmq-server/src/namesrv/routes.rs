//! The route table: registered brokers and the queues of topics. It has no clock, no sockets and no locks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rocketmq_remoting::body::DataVersion;
use rocketmq_remoting::route::{BrokerData, MASTER_ID, Perm, QueueData, TopicQueueMappingInfo, TopicRoute};

/// Longest silence of a broker whose registration names no timeout.
pub(super) const DEFAULT_TIMEOUT_MS: i64 = 120_000;

/// Switches of the rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// A slave may act as master.
    pub(super) acting_master: bool,
    /// A registration removes the topics it does not list.
    pub(super) delete_missing_topics: bool,
}

/// One process of a broker. Addresses are unique only within a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) cluster: String,
    pub(super) address: String,
}

/// The registration of a broker, with its topics.
#[derive(Debug, Clone, Default)]
pub(super) struct Registration {
    pub(super) cluster: String,
    pub(super) broker_name: String,
    pub(super) broker_id: i64,
    pub(super) address: String,
    pub(super) ha_address: String,
    pub(super) zone: Option<String>,
    /// `None` for a broker that is older than this feature.
    pub(super) acting_master: Option<bool>,
    pub(super) timeout_ms: Option<i64>,
    pub(super) version: DataVersion,
    pub(super) topics: Vec<TopicQueues>,
    pub(super) mappings: Vec<TopicQueueMappingInfo>,
    /// Connection of the request.
    pub(super) connection: u64,
}

impl Registration {
    pub(super) fn member(&self) -> Member {
        Member { cluster: self.cluster.clone(), address: self.address.clone() }
    }
}

/// One topic of a registration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TopicQueues {
    pub(super) topic: String,
    pub(super) read_queues: i32,
    pub(super) write_queues: i32,
    pub(super) perm: Perm,
    pub(super) sys_flag: i32,
}

/// The master of a slave, as the slave learns it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Master {
    pub(super) address: String,
    pub(super) ha_address: String,
}

/// Reports a first registration with exactly one topic.
///
/// Apache refuses it too. After a restart of the name server, an incremental update of a broker looks like this. Taken
/// for the whole table, it would remove all other topics of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("register broker failed: a first registration must not carry exactly one topic")]
pub(super) struct SingleTopic;

#[derive(Debug)]
struct Live {
    broker_name: String,
    last_seen_ms: i64,
    timeout_ms: i64,
    version: DataVersion,
    ha_address: String,
    connection: u64,
}

/// All registrations, and the routes that follow from them.
#[derive(Debug, Default)]
pub(super) struct RouteTable {
    rules: Rules,
    /// Queues by topic and broker name.
    pub(super) topics: BTreeMap<String, BTreeMap<String, QueueData>>,
    pub(super) brokers: BTreeMap<String, BrokerData>,
    pub(super) clusters: BTreeMap<String, BTreeSet<String>>,
    live: HashMap<Member, Live>,
    mappings: BTreeMap<String, BTreeMap<String, TopicQueueMappingInfo>>,
}

impl RouteTable {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    pub(super) fn is_live(&self, member: &Member) -> bool {
        self.live.contains_key(member)
    }

    /// Adds a registration. Returns the master of a slave, if there is one.
    pub(super) fn register(&mut self, new: Registration, now_ms: i64) -> Result<Option<Master>, SingleTopic> {
        let member = new.member();
        if self.is_outranked(&new) {
            self.live.remove(&member);
            return Ok(None);
        }
        let known = self.address_of(&new.broker_name, new.broker_id).is_some();
        if !known && new.topics.len() == 1 {
            return Err(SingleTopic);
        }
        self.admit(&new);
        if self.speaks_for_topics(&new) {
            self.take_topics(&new, &member, !known);
        }
        let master = self.master_for(&new);
        self.live.insert(member, Live::new(new, now_ms));
        Ok(master)
    }

    fn address_of(&self, broker_name: &str, broker_id: i64) -> Option<&String> {
        self.brokers.get(broker_name)?.broker_addrs.get(&broker_id)
    }

    /// Returns true if another process holds this broker id with a newer state: the new process is then a former
    /// master.
    fn is_outranked(&self, new: &Registration) -> bool {
        let Some(holder) = self.address_of(&new.broker_name, new.broker_id) else { return false };
        let holder = Member { cluster: new.cluster.clone(), address: holder.clone() };
        holder.address != new.address
            && self
                .live
                .get(&holder)
                .is_some_and(|live| live.version.state_version > new.version.state_version)
    }

    fn admit(&mut self, new: &Registration) {
        self.clusters.entry(new.cluster.clone()).or_default().insert(new.broker_name.clone());
        let broker = self.brokers.entry(new.broker_name.clone()).or_insert_with(|| BrokerData {
            cluster: new.cluster.clone(),
            broker_name: new.broker_name.clone(),
            ..BrokerData::default()
        });
        broker.zone_name.clone_from(&new.zone);
        broker.enable_acting_master = new.acting_master.unwrap_or(false);
        // Removes the process from its former role.
        broker.broker_addrs.retain(|id, address| *id == new.broker_id || *address != new.address);
        broker.broker_addrs.insert(new.broker_id, new.address.clone());
    }

    fn speaks_for_topics(&self, new: &Registration) -> bool {
        new.broker_id == MASTER_ID || self.is_prime_slave(new)
    }

    fn is_prime_slave(&self, new: &Registration) -> bool {
        let smallest =
            self.brokers.get(&new.broker_name).and_then(|broker| broker.broker_addrs.keys().next());
        new.acting_master.is_some() && new.broker_id != MASTER_ID && smallest == Some(&new.broker_id)
    }

    fn take_topics(&mut self, new: &Registration, member: &Member, first: bool) {
        if self.rules.delete_missing_topics {
            self.drop_missing(new);
        }
        let stale = first || self.live.get(member).is_none_or(|live| live.version != new.version);
        let read_only = self.is_prime_slave(new) && new.acting_master == Some(true);
        for topic in &new.topics {
            let brokers = self.topics.entry(topic.topic.clone()).or_default();
            if stale || !brokers.contains_key(&new.broker_name) {
                brokers.insert(new.broker_name.clone(), topic.queue_data(&new.broker_name, read_only));
            }
        }
        for mapping in new.mappings.iter().filter(|_| stale) {
            let by_broker = self.mappings.entry(mapping.topic.clone()).or_default();
            by_broker.insert(mapping.bname.clone(), mapping.clone());
        }
    }

    fn drop_missing(&mut self, new: &Registration) {
        let listed: BTreeSet<&str> = new.topics.iter().map(|topic| topic.topic.as_str()).collect();
        for (topic, brokers) in &mut self.topics {
            if !listed.contains(topic.as_str()) {
                brokers.remove(&new.broker_name);
            }
        }
        self.topics.retain(|_, brokers| !brokers.is_empty());
    }

    fn master_for(&self, new: &Registration) -> Option<Master> {
        if new.broker_id == MASTER_ID {
            return None;
        }
        let address = self.address_of(&new.broker_name, MASTER_ID)?.clone();
        let member = Member { cluster: new.cluster.clone(), address };
        let ha_address = self.live.get(&member)?.ha_address.clone();
        Some(Master { address: member.address, ha_address })
    }

    /// Records a sign of life. An unknown member stays unknown.
    pub(super) fn touch(&mut self, member: &Member, now_ms: i64) {
        if let Some(live) = self.live.get_mut(member) {
            live.last_seen_ms = now_ms;
        }
    }

    /// Returns the version of a member's topics at its last registration.
    pub(super) fn version_of(&self, member: &Member) -> Option<&DataVersion> {
        self.live.get(member).map(|live| &live.version)
    }

    /// Returns the members that were silent for longer than allowed.
    pub(super) fn expired(&self, now_ms: i64) -> Vec<Member> {
        let silent = |live: &Live| live.last_seen_ms.saturating_add(live.timeout_ms) < now_ms;
        self.live.iter().filter(|(_, live)| silent(live)).map(|(member, _)| member.clone()).collect()
    }

    /// Returns the members whose last registration came over this connection.
    pub(super) fn members_on(&self, connection: u64) -> Vec<Member> {
        let on = self.live.iter().filter(|(_, live)| live.connection == connection);
        on.map(|(member, _)| member.clone()).collect()
    }

    /// Returns the connection of a member.
    pub(super) fn connection_of(&self, member: &Member) -> Option<u64> {
        self.live.get(member).map(|live| live.connection)
    }

    /// Removes a member. The last member of a broker name takes the broker's queues with it.
    pub(super) fn remove(&mut self, member: &Member) {
        if let Some(live) = self.live.remove(member) {
            self.leave(&live.broker_name, &member.address);
        }
    }

    fn leave(&mut self, broker_name: &str, address: &str) {
        let Some(broker) = self.brokers.get_mut(broker_name) else { return };
        broker.broker_addrs.retain(|_, known| known != address);
        if broker.broker_addrs.is_empty() {
            self.forget_broker(broker_name);
        } else if broker.enable_acting_master && self.rules.acting_master && broker.master().is_none() {
            self.change_perms(broker_name, |perm| Perm(perm.0 & !Perm::WRITE));
        }
    }

    fn forget_broker(&mut self, broker_name: &str) {
        self.brokers.remove(broker_name);
        self.topics.retain(|_, brokers| {
            brokers.remove(broker_name);
            !brokers.is_empty()
        });
        self.mappings.retain(|_, brokers| {
            brokers.remove(broker_name);
            !brokers.is_empty()
        });
        self.clusters.retain(|_, names| {
            names.remove(broker_name);
            !names.is_empty()
        });
    }

    /// Removes the write permission of every queue of a broker. Returns the number of topics.
    pub(super) fn wipe_write_perm(&mut self, broker_name: &str) -> usize {
        self.change_perms(broker_name, |perm| Perm(perm.0 & !Perm::WRITE))
    }

    /// Makes every queue of a broker readable and writable. Returns the number of topics.
    pub(super) fn add_write_perm(&mut self, broker_name: &str) -> usize {
        self.change_perms(broker_name, |_| Perm(Perm::READ | Perm::WRITE))
    }

    fn change_perms(&mut self, broker_name: &str, change: impl Fn(Perm) -> Perm) -> usize {
        let queues = self.topics.values_mut().filter_map(|brokers| brokers.get_mut(broker_name));
        queues.map(|queue| queue.perm = change(queue.perm)).count()
    }

    /// Removes a topic from one cluster, or from all.
    pub(super) fn delete_topic(&mut self, topic: &str, cluster: Option<&str>) {
        let Some(cluster) = cluster else {
            self.topics.remove(topic);
            return;
        };
        let names = self.clusters.get(cluster);
        if let (Some(names), Some(brokers)) = (names, self.topics.get_mut(topic)) {
            brokers.retain(|name, _| !names.contains(name));
        }
        self.topics.retain(|_, brokers| !brokers.is_empty());
    }

    /// Adds a topic's queues on registered brokers, and ignores the others.
    pub(super) fn add_topic(&mut self, topic: &str, queues: Vec<QueueData>) {
        let known: Vec<_> =
            queues.into_iter().filter(|queue| self.brokers.contains_key(&queue.broker_name)).collect();
        if !known.is_empty() {
            let by_broker = known.into_iter().map(|queue| (queue.broker_name.clone(), queue));
            self.topics.entry(topic.to_owned()).or_default().extend(by_broker);
        }
    }

    /// Returns the route of `topic`, or `None` if no registered broker has it.
    pub(super) fn route(&self, topic: &str) -> Option<TopicRoute> {
        let queues = self.topics.get(topic)?;
        let brokers: Vec<_> = queues.keys().filter_map(|name| self.brokers.get(name)).cloned().collect();
        if brokers.is_empty() {
            return None;
        }
        let mut route = TopicRoute {
            broker_datas: brokers,
            queue_datas: queues.values().cloned().collect(),
            topic_queue_mapping_by_broker: self.mappings.get(topic).cloned(),
            ..TopicRoute::default()
        };
        if self.rules.acting_master {
            appoint_acting_masters(topic, &mut route);
        }
        Some(route)
    }
}

/// Shows the slave with the lowest id as master of a broker without one, so that clients can read and lock its queues.
fn appoint_acting_masters(topic: &str, route: &mut TopicRoute) {
    /// Prefix of topics whose routes show brokers their own members. These routes must not be changed.
    const MEMBER_TOPICS: &str = "rmq_sys_SYNC_BROKER_MEMBER_";
    if topic.starts_with(MEMBER_TOPICS) {
        return;
    }
    for broker in &mut route.broker_datas {
        let queues = route.queue_datas.iter().find(|queue| queue.broker_name == broker.broker_name);
        let read_only = queues.is_some_and(|queue| !queue.perm.is_writable());
        if read_only
            && broker.enable_acting_master
            && broker.master().is_none()
            && let Some((_, address)) = broker.broker_addrs.pop_first()
        {
            broker.broker_addrs.insert(MASTER_ID, address);
        }
    }
}

impl Live {
    fn new(from: Registration, now_ms: i64) -> Self {
        Self {
            broker_name: from.broker_name,
            last_seen_ms: now_ms,
            timeout_ms: from.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS),
            version: from.version,
            ha_address: from.ha_address,
            connection: from.connection,
        }
    }
}

impl TopicQueues {
    fn queue_data(&self, broker_name: &str, read_only: bool) -> QueueData {
        let perm = if read_only { Perm(self.perm.0 & !Perm::WRITE) } else { self.perm };
        QueueData {
            broker_name: broker_name.to_owned(),
            perm,
            read_queue_nums: self.read_queues,
            write_queue_nums: self.write_queues,
            topic_sys_flag: self.sys_flag,
        }
    }
}

#[cfg(test)]
mod tests;
