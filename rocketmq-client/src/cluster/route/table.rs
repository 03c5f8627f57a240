//! Every route this client knows, as one immutable snapshot that readers load without a lock.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rocketmq_remoting::route::{MASTER_ID, MessageQueue, TopicRoute};

use super::logical::{Homes, homes, is_logical};
use super::queue::{SharedQueue, queues_of};
use crate::error::RouteError;

/// The answer of a lookup; `None`: no such topic.
pub(crate) type Lookup = Result<Option<Arc<TopicInfo>>, RouteError>;

/// One of the addresses of a broker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// That of its master.
    Master,
    /// That of the member with this id, else of the next slave, else of any: good enough to read from.
    Reader(i64),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "a master",
            Self::Reader(_) => "a master or slave",
        })
    }
}

/// The queues of one topic, computed once for each change of its route.
#[derive(Debug)]
pub(crate) struct TopicInfo {
    pub(crate) route: TopicRoute,
    /// Queues to send to: writable, and their broker has a master.
    pub(crate) publish: Vec<SharedQueue>,
    /// Queues to pull from.
    pub(crate) subscribe: Vec<SharedQueue>,
    homes: Homes,
    /// The topic does not exist yet: the queues are those a broker would give it.
    pub(crate) provisional: bool,
    /// Grows with every change of any route.
    pub(crate) generation: u64,
}

impl TopicInfo {
    pub(crate) fn new(topic: &str, mut route: TopicRoute) -> Self {
        route.queue_datas.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
        route.broker_datas.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
        let homes = route.topic_queue_mapping_by_broker.as_ref().map(|mappings| homes(topic, mappings));
        let homes = homes.unwrap_or_default();
        let publish = publish_queues(topic, &route, &homes);
        let subscribe = subscribe_queues(topic, &route, &homes);
        Self { route, publish, subscribe, homes, provisional: false, generation: 0 }
    }

    /// Makes the route of a topic that a broker would create after the template topic.
    pub(crate) fn provisional(topic: &str, mut template: TopicRoute, queues: i32) -> Self {
        for data in &mut template.queue_datas {
            let count = queues.min(data.read_queue_nums);
            data.read_queue_nums = count;
            data.write_queue_nums = count;
        }
        Self { provisional: true, ..Self::new(topic, template) }
    }
}

fn publish_queues(topic: &str, route: &TopicRoute, homes: &Homes) -> Vec<SharedQueue> {
    if let Some(conf) = route.order_topic_conf.as_deref().filter(|conf| !conf.is_empty()) {
        return ordered_queues(topic, conf);
    }
    if !homes.is_empty() {
        return homes.keys().cloned().collect();
    }
    let has_master = |name: &str| route.broker(name).is_some_and(|broker| broker.master().is_some());
    let writable = route.queue_datas.iter().filter(|d| d.perm.is_writable() && has_master(&d.broker_name));
    writable.flat_map(|d| queues_of(topic, &d.broker_name, d.write_queue_nums)).collect()
}

fn subscribe_queues(topic: &str, route: &TopicRoute, homes: &Homes) -> Vec<SharedQueue> {
    if !homes.is_empty() {
        return homes.keys().cloned().collect();
    }
    let readable = route.queue_datas.iter().filter(|data| data.perm.is_readable());
    readable.flat_map(|data| queues_of(topic, &data.broker_name, data.read_queue_nums)).collect()
}

/// Reads the order that an administrator set, `broker:count;broker:count`; other entries are skipped.
fn ordered_queues(topic: &str, conf: &str) -> Vec<SharedQueue> {
    let entries = conf.split(';').filter_map(|entry| entry.rsplit_once(':'));
    let counted = entries.filter_map(|(broker, count)| Some((broker, count.trim().parse().ok()?)));
    counted.flat_map(|(broker, count)| queues_of(topic, broker, count)).collect()
}

/// All routes at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    topics: HashMap<String, Arc<TopicInfo>>,
    /// The addresses of each broker, by the id of the member.
    brokers: HashMap<String, BTreeMap<i64, Arc<str>>>,
    pub(crate) generation: u64,
}

impl Snapshot {
    pub(crate) fn topic(&self, topic: &str) -> Option<&Arc<TopicInfo>> {
        self.topics.get(topic)
    }

    /// Returns an address of a broker.
    pub(crate) fn address(&self, broker: &str, which: Which) -> Option<Arc<str>> {
        let addresses = self.brokers.get(broker)?;
        let slave_after = |id: i64| addresses.get(&id.checked_add(1).filter(|_| id != MASTER_ID)?);
        let found = match which {
            Which::Master => addresses.get(&MASTER_ID),
            Which::Reader(id) => {
                addresses.get(&id).or_else(|| slave_after(id)).or_else(|| addresses.values().next())
            }
        };
        found.cloned()
    }

    /// Returns the name of the broker that holds a queue: the queue's own, unless its topic is a static one.
    pub(crate) fn home<'a>(&'a self, queue: &'a MessageQueue) -> &'a str {
        if !is_logical(queue) {
            return &queue.broker_name;
        }
        let home = self.topics.get(&queue.topic).and_then(|info| info.homes.get(queue));
        home.unwrap_or(&queue.broker_name)
    }

    /// Returns the name of the broker at an address.
    pub(crate) fn broker_at(&self, address: &str) -> Option<&str> {
        let mut brokers = self.brokers.iter();
        let found = brokers.find(|(_, addresses)| addresses.values().any(|known| **known == *address));
        found.map(|(name, _)| name.as_str())
    }

    /// Returns the addresses of every broker in use.
    pub(crate) fn addresses(&self, with_slaves: bool) -> Vec<String> {
        let all = self.brokers.values().flatten();
        all.filter(|(id, _)| with_slaves || **id == MASTER_ID).map(|(_, at)| at.to_string()).collect()
    }

    /// Returns every topic known.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&String, &Arc<TopicInfo>)> {
        self.topics.iter()
    }

    /// Rebuilds the table, and keeps only addresses that some route still names.
    fn rebuilt(topics: HashMap<String, Arc<TopicInfo>>, generation: u64) -> Self {
        let mut brokers = HashMap::new();
        let mut infos: Vec<_> = topics.values().collect();
        infos.sort_by_key(|info| info.generation);
        for broker in infos.iter().flat_map(|info| &info.route.broker_datas) {
            let addresses = broker.broker_addrs.iter().map(|(id, at)| (*id, Arc::from(at.as_str())));
            brokers.insert(broker.broker_name.clone(), addresses.collect());
        }
        Self { topics, brokers, generation }
    }
}

/// The current [`Snapshot`]: one writer at a time, readers never wait.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    current: ArcSwap<Snapshot>,
    writing: Mutex<()>,
}

impl RouteTable {
    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.current.load()
    }

    pub(crate) fn load_full(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Takes what a name server answered; true when it changes anything.
    pub(crate) fn apply(&self, topic: &str, mut info: TopicInfo) -> (Arc<TopicInfo>, bool) {
        let _writing = self.writing.lock();
        let old = self.current.load();
        if let Some(known) = old.topic(topic).filter(|known| is_no_news(known, &info)) {
            return (known.clone(), false);
        }
        let generation = old.generation + 1;
        info.generation = generation;
        let info = Arc::new(info);
        let mut topics = old.topics.clone();
        topics.insert(topic.to_owned(), info.clone());
        self.current.store(Arc::new(Snapshot::rebuilt(topics, generation)));
        (info, true)
    }
}

/// Tells whether the new route changes nothing. An invented route never replaces a real one.
fn is_no_news(known: &TopicInfo, new: &TopicInfo) -> bool {
    match (known.provisional, new.provisional) {
        (false, true) => true,
        (true, false) => false,
        _ => known.route == new.route,
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_remoting::route::{BrokerData, Perm, QueueData, TopicQueueMappingInfo};

    use super::*;
    use crate::cluster::route::queue::MAX_QUEUES;

    fn broker(name: &str, ids: &[i64]) -> BrokerData {
        let broker_addrs = ids.iter().map(|id| (*id, format!("{name}-{id}:10911"))).collect();
        BrokerData { broker_name: name.into(), cluster: "c".into(), broker_addrs, ..BrokerData::default() }
    }

    fn queue(broker: &str, perm: i32, read: i32, write: i32) -> QueueData {
        QueueData {
            broker_name: broker.into(),
            perm: Perm(perm),
            read_queue_nums: read,
            write_queue_nums: write,
            topic_sys_flag: 0,
        }
    }

    fn names(queues: &[SharedQueue]) -> Vec<String> {
        queues.iter().map(|q| format!("{}{}", q.broker_name, q.queue_id)).collect()
    }

    fn route() -> TopicRoute {
        TopicRoute {
            queue_datas: vec![
                queue("b", 6, 2, 1),
                queue("a", 6, 1, 2),
                queue("c", 4, 1, 1),
                queue("s", 6, 1, 1),
            ],
            broker_datas: vec![broker("b", &[0]), broker("a", &[0, 1]), broker("c", &[0]), broker("s", &[1])],
            ..TopicRoute::default()
        }
    }

    #[test]
    fn queues_are_sorted_by_broker_and_sends_need_write_permission_and_a_master() {
        let info = TopicInfo::new("t", route());
        assert_eq!(names(&info.publish), ["a0", "a1", "b0"]);
        assert_eq!(names(&info.subscribe), ["a0", "b0", "b1", "c0", "s0"]);
    }

    #[test]
    fn an_ordered_topic_has_exactly_the_configured_queues() {
        let route = TopicRoute { order_topic_conf: Some("x:2;junk;y:1;z:many".into()), ..route() };
        assert_eq!(names(&TopicInfo::new("t", route).publish), ["x0", "x1", "y0"]);
    }

    #[test]
    fn a_template_is_clamped() {
        let template = TopicRoute { queue_datas: vec![queue("a", 7, 8, 8), queue("b", 7, 1, 1)], ..route() };
        let info = TopicInfo::provisional("new", template, 2);
        assert_eq!(names(&info.publish), ["a0", "a1", "b0"]);
        assert!(info.provisional);
        assert!(info.publish.iter().all(|queue| queue.topic == "new"));
    }

    #[test]
    fn a_hostile_count_builds_no_millions() {
        let route = TopicRoute { queue_datas: vec![queue("a", 6, i32::MAX, -1)], ..route() };
        let info = TopicInfo::new("t", route);
        assert_eq!((info.publish.len(), info.subscribe.len()), (0, MAX_QUEUES as usize));
    }

    #[test]
    fn only_a_changed_route_changes_the_generation() {
        let table = RouteTable::default();
        assert!(table.apply("t", TopicInfo::new("t", route())).1);
        let mut shuffled = route();
        shuffled.queue_datas.reverse();
        assert!(!table.apply("t", TopicInfo::new("t", shuffled)).1);
        assert_eq!(table.load().generation, 1);
        let mut less = route();
        less.broker_datas.pop();
        assert!(table.apply("t", TopicInfo::new("t", less)).1);
        assert_eq!(table.load().generation, 2);
        assert!(!table.load().brokers.contains_key("s"), "an address no route names is dropped");
    }

    #[test]
    fn an_invented_route_gives_way_to_the_real_one_and_not_the_other_way_round() {
        let table = RouteTable::default();
        assert!(table.apply("t", TopicInfo::provisional("t", route(), 4)).1);
        assert!(table.apply("t", TopicInfo::new("t", route())).1);
        assert!(!table.apply("t", TopicInfo::provisional("t", route(), 4)).1);
        assert!(table.load().topic("t").is_some_and(|info| !info.provisional));
    }

    #[test]
    fn the_newest_route_says_where_a_broker_is() {
        let table = RouteTable::default();
        let _ = table.apply("t", TopicInfo::new("t", route()));
        let mut moved = route();
        moved.broker_datas[0].broker_addrs.insert(0, "elsewhere:1".into());
        let _ = table.apply("u", TopicInfo::new("u", moved));
        assert_eq!(table.load().address("b", Which::Master).as_deref(), Some("elsewhere:1"));
    }

    #[test]
    fn a_queue_of_a_static_topic_is_where_its_mapping_says() {
        let table = RouteTable::default();
        let mapping = TopicQueueMappingInfo {
            bname: "a".into(),
            curr_id_map: [(0, 5)].into(),
            total_queues: 2,
            ..TopicQueueMappingInfo::default()
        };
        let mappings = Some([("a".to_owned(), mapping)].into());
        let (info, _) = table.apply(
            "t",
            TopicInfo::new("t", TopicRoute { topic_queue_mapping_by_broker: mappings, ..route() }),
        );
        assert_eq!(names(&info.publish), ["__syslo__global__0", "__syslo__global__1"]);
        assert_eq!(info.publish, info.subscribe);
        let snapshot = table.load();
        let homes = info.publish.iter().map(|queue| snapshot.home(queue)).collect::<Vec<_>>();
        assert_eq!(homes, ["a", "__syslo__none__"]);
        assert_eq!(snapshot.home(&MessageQueue::new("other", "b", 0)), "b");
    }

    #[test]
    fn a_reader_falls_back_to_the_next_slave_and_then_to_anyone() {
        let table = RouteTable::default();
        let mut route = route();
        route.broker_datas = vec![broker("a", &[0, 2])];
        let _ = table.apply("t", TopicInfo::new("t", route));
        let reader = |broker, id| table.load().address(broker, Which::Reader(id));
        assert_eq!(reader("a", 0).as_deref(), Some("a-0:10911"));
        assert_eq!(reader("a", 1).as_deref(), Some("a-2:10911"));
        assert_eq!(reader("a", 3).as_deref(), Some("a-0:10911"));
        assert_eq!(reader("a", i64::MAX).as_deref(), Some("a-0:10911"));
        assert_eq!(reader("x", 0), None);
    }
}
