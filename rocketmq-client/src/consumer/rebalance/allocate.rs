//! The strategies that split the queues of a topic among the members of a group.
//!
//! Every member computes the split from the same two sorted lists. Formulas and order must be those of the Java client:
//! otherwise a mixed group reads some queues twice and others never. The tests replay splits that the Java classes of
//! 5.4.0 produced.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};

use rocketmq_remoting::route::MessageQueue;

/// Holds the input of a strategy: the queues of one topic and the members of the group, both in Java's order.
/// [`AllocateStrategy`] has an example.
#[derive(Debug, Clone, Copy)]
pub struct Allocation<'a> {
    /// The client id of this member.
    pub me: &'a str,
    /// Every readable queue of the topic, sorted by broker name and queue id.
    pub queues: &'a [MessageQueue],
    /// The client ids of all live members, sorted.
    pub members: &'a [String],
}

impl Allocation<'_> {
    /// Returns the position of this member; `None` while the broker does not list it.
    fn index(&self) -> Option<usize> {
        self.members.iter().position(|id| id == self.me)
    }

    fn pick(&self, range: impl Iterator<Item = usize>) -> Vec<MessageQueue> {
        range.filter_map(|i| self.queues.get(i).cloned()).collect()
    }
}

/// Splits the queues of a topic among the members of a group.
///
/// All members of a group must use the same strategy; neither client nor broker can verify that.
///
/// ```
/// use rocketmq_client::MessageQueue;
/// use rocketmq_client::consumer::{AllocateError, AllocateStrategy, Allocation};
///
/// /// Gives all queues to the first member.
/// #[derive(Debug)]
/// struct First;
///
/// impl AllocateStrategy for First {
///     fn name(&self) -> String {
///         "FIRST".into()
///     }
///
///     fn allocate(&self, allocation: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
///         let is_first = allocation.members.first().is_some_and(|member| member == allocation.me);
///         Ok(if is_first { allocation.queues.to_vec() } else { Vec::new() })
///     }
/// }
///
/// let queues = [MessageQueue::new("orders", "broker-a", 0)];
/// let members = ["a".to_owned(), "b".to_owned()];
/// let of = |me| First.allocate(&Allocation { me, queues: &queues, members: &members });
/// assert_eq!((of("a")?.len(), of("b")?.len()), (1, 0));
/// # Ok::<(), AllocateError>(())
/// ```
pub trait AllocateStrategy: fmt::Debug + Send + Sync + 'static {
    /// Returns Java's name of the strategy. It goes to brokers that assign queues to clients (request 400).
    fn name(&self) -> String;

    /// Returns the queues of `allocation.me`: none when it is not among the members.
    ///
    /// # Errors
    /// The strategy cannot decide. The assignment then stays as it is until the next round.
    fn allocate(&self, allocation: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError>;
}

impl<S: AllocateStrategy + ?Sized> AllocateStrategy for Arc<S> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn allocate(&self, allocation: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        (**self).allocate(allocation)
    }
}

/// Lists the reasons why a strategy cannot split the queues.
///
/// ```
/// use rocketmq_client::consumer::AllocateError;
///
/// let unknown = AllocateError::UnknownRoom("broker-a".into());
/// assert!(unknown.to_string().starts_with("no machine room is known for broker-a"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocateError {
    /// The room resolver gave no room for a queue's broker or for a member.
    #[error(
        "no machine room is known for {0}: let the room resolver name one for every broker and client id"
    )]
    UnknownRoom(String),
}

/// Gives each member a block of neighbouring queues; the first members get one more when the queues do not divide
/// evenly (Java's default, `AVG`).
///
/// ```
/// use rocketmq_client::MessageQueue;
/// use rocketmq_client::consumer::{AllocateStrategy as _, Allocation, Averagely};
///
/// let queues: Vec<_> = (0..5).map(|id| MessageQueue::new("orders", "broker-a", id)).collect();
/// let members = ["a".to_owned(), "b".to_owned()];
/// let mine = Averagely.allocate(&Allocation { me: "a", queues: &queues, members: &members })?;
/// assert_eq!(mine.iter().map(|queue| queue.queue_id).collect::<Vec<_>>(), [0, 1, 2]);
/// # Ok::<(), rocketmq_client::consumer::AllocateError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Averagely;

impl AllocateStrategy for Averagely {
    fn name(&self) -> String {
        "AVG".into()
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        let Some(index) = a.index() else { return Ok(Vec::new()) };
        let (each, larger) = (a.queues.len() / a.members.len(), a.queues.len() % a.members.len());
        let start = index * each + index.min(larger);
        let size = each + usize::from(index < larger);
        Ok(a.pick(start..start + size))
    }
}

/// Deals queues out one by one in turn (`AVG_BY_CIRCLE`).
///
/// ```
/// use rocketmq_client::MessageQueue;
/// use rocketmq_client::consumer::{AllocateStrategy as _, Allocation, AveragelyByCircle};
///
/// let queues: Vec<_> = (0..5).map(|id| MessageQueue::new("orders", "broker-a", id)).collect();
/// let members = ["a".to_owned(), "b".to_owned()];
/// let mine = AveragelyByCircle.allocate(&Allocation { me: "a", queues: &queues, members: &members })?;
/// assert_eq!(mine.iter().map(|queue| queue.queue_id).collect::<Vec<_>>(), [0, 2, 4]);
/// # Ok::<(), rocketmq_client::consumer::AllocateError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct AveragelyByCircle;

impl AllocateStrategy for AveragelyByCircle {
    fn name(&self) -> String {
        "AVG_BY_CIRCLE".into()
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        let Some(index) = a.index() else { return Ok(Vec::new()) };
        Ok(a.pick((index..a.queues.len()).step_by(a.members.len())))
    }
}

/// Takes exactly the configured queues, whatever the other members take (`CONFIG`).
///
/// ```
/// use rocketmq_client::MessageQueue;
/// use rocketmq_client::consumer::{AllocateStrategy as _, Allocation, Configured};
///
/// let queues: Vec<_> = (0..5).map(|id| MessageQueue::new("orders", "broker-a", id)).collect();
/// let members = ["a".to_owned(), "b".to_owned()];
/// let mine = Configured(vec![queues[3].clone()]).allocate(&Allocation { me: "a", queues: &queues, members: &members })?;
/// assert_eq!(mine.iter().map(|queue| queue.queue_id).collect::<Vec<_>>(), [3]);
/// # Ok::<(), rocketmq_client::consumer::AllocateError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Configured(pub Vec<MessageQueue>);

impl AllocateStrategy for Configured {
    fn name(&self) -> String {
        "CONFIG".into()
    }

    fn allocate(&self, _: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        Ok(self.0.clone())
    }
}

/// Takes only queues of brokers named `<room>@<broker>` whose room is in the set (`MACHINE_ROOM`).
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::consumer::MachineRoom;
///
/// let consumer = client.push_consumer("billing").allocate(MachineRoom(["berlin".to_owned()].into()));
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct MachineRoom(pub BTreeSet<String>);

impl MachineRoom {
    fn serves(&self, queue: &MessageQueue) -> bool {
        let mut parts = queue.broker_name.split('@');
        let (room, broker, more) = (parts.next(), parts.next(), parts.next());
        broker.is_some() && more.is_none() && room.is_some_and(|room| self.0.contains(room))
    }
}

impl AllocateStrategy for MachineRoom {
    fn name(&self) -> String {
        "MACHINE_ROOM".into()
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        let Some(index) = a.index() else { return Ok(Vec::new()) };
        let queues: Vec<_> = a.queues.iter().filter(|q| self.serves(q)).cloned().collect();
        let inside = Allocation { queues: &queues, ..*a };
        let each = queues.len() / a.members.len();
        let leftover = each * a.members.len() + index;
        Ok(inside.pick((index * each..(index + 1) * each).chain([leftover])))
    }
}

/// Names the machine room of brokers and members, for [`MachineRoomNearby`].
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::MessageQueue;
/// use rocketmq_client::consumer::{Averagely, MachineRoomNearby, RoomResolver};
///
/// /// The room is the first part of each name.
/// struct Prefix;
///
/// impl RoomResolver for Prefix {
///     fn room_of_queue(&self, queue: &MessageQueue) -> Option<String> {
///         queue.broker_name.split('-').next().map(str::to_owned)
///     }
///
///     fn room_of_member(&self, client_id: &str) -> Option<String> {
///         client_id.split('-').next().map(str::to_owned)
///     }
/// }
///
/// let consumer = client.push_consumer("billing").allocate(MachineRoomNearby::new(Averagely, Prefix));
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
pub trait RoomResolver: Send + Sync + 'static {
    /// Returns the room of the queue's broker; `None` when it is unknown.
    fn room_of_queue(&self, queue: &MessageQueue) -> Option<String>;
    /// Returns the room of the member; `None` when it is unknown.
    fn room_of_member(&self, client_id: &str) -> Option<String>;
}

/// Gives queues to members in the same room; all members share the rooms without members (`MACHINE_ROOM_NEARBY-<inner>`).
/// [`RoomResolver`] has an example.
#[derive(Clone)]
pub struct MachineRoomNearby {
    inner: Arc<dyn AllocateStrategy>,
    rooms: Arc<dyn RoomResolver>,
}

impl fmt::Debug for MachineRoomNearby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineRoomNearby").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl MachineRoomNearby {
    /// Makes a strategy that splits the queues within each room by `inner`. [`RoomResolver`] has an example.
    pub fn new(inner: impl AllocateStrategy, rooms: impl RoomResolver) -> Self {
        Self { inner: Arc::new(inner), rooms: Arc::new(rooms) }
    }

    fn queues_by_room(
        &self,
        queues: &[MessageQueue],
    ) -> Result<BTreeMap<String, Vec<MessageQueue>>, AllocateError> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for queue in queues {
            let room = known(self.rooms.room_of_queue(queue), &queue.broker_name)?;
            rooms.entry(room).or_default().push(queue.clone());
        }
        Ok(rooms)
    }

    fn members_by_room(&self, members: &[String]) -> Result<BTreeMap<String, Vec<String>>, AllocateError> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for id in members {
            rooms.entry(known(self.rooms.room_of_member(id), id)?).or_default().push(id.clone());
        }
        Ok(rooms)
    }
}

fn known(room: Option<String>, name: &str) -> Result<String, AllocateError> {
    room.filter(|room| !room.trim().is_empty()).ok_or_else(|| AllocateError::UnknownRoom(name.to_owned()))
}

impl AllocateStrategy for MachineRoomNearby {
    fn name(&self) -> String {
        format!("MACHINE_ROOM_NEARBY-{}", self.inner.name())
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        if a.index().is_none() {
            return Ok(Vec::new());
        }
        let mut queues = self.queues_by_room(a.queues)?;
        let members = self.members_by_room(a.members)?;
        let mine = known(self.rooms.room_of_member(a.me), a.me)?;
        let mut result = Vec::new();
        if let (Some(queues), Some(members)) = (queues.remove(&mine), members.get(&mine)) {
            result = self.inner.allocate(&Allocation { me: a.me, queues: &queues, members })?;
        }
        for (_, queues) in queues.iter().filter(|(room, _)| !members.contains_key(*room)) {
            result.extend(self.inner.allocate(&Allocation { queues, ..*a })?);
        }
        Ok(result)
    }
}

/// Hashes queues onto a ring of members, so that few queues move when a member comes or goes (`CONSISTENT_HASH`).
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::consumer::ConsistentHash;
///
/// let consumer = client.push_consumer("billing").allocate(ConsistentHash::default());
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ConsistentHash {
    virtual_nodes: u32,
}

impl ConsistentHash {
    /// Java's number of virtual nodes of one member.
    pub const VIRTUAL_NODES: u32 = 10;

    /// Makes a ring with this many virtual nodes for each member. All members must use the same number. Default: 10, as
    /// in Java.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::consumer::ConsistentHash;
    ///
    /// let consumer = client.push_consumer("billing").allocate(ConsistentHash::new(64));
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(virtual_nodes: u32) -> Self {
        Self { virtual_nodes }
    }

    fn ring<'a>(&self, members: &'a [String]) -> BTreeMap<u32, &'a str> {
        let nodes = members.iter().flat_map(|id| (0..self.virtual_nodes).map(move |k| (id, k)));
        nodes.map(|(id, k)| (ring_position(&format!("{id}-{k}")), id.as_str())).collect()
    }
}

impl Default for ConsistentHash {
    fn default() -> Self {
        Self::new(Self::VIRTUAL_NODES)
    }
}

fn ring_position(key: &str) -> u32 {
    let digest = Md5::digest(key.as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Returns the text that Java prints for a queue, and hashes.
fn java_text(queue: &MessageQueue) -> String {
    format!(
        "MessageQueue [topic={}, brokerName={}, queueId={}]",
        queue.topic, queue.broker_name, queue.queue_id
    )
}

impl AllocateStrategy for ConsistentHash {
    fn name(&self) -> String {
        "CONSISTENT_HASH".into()
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        let Some(index) = a.index() else { return Ok(Vec::new()) };
        let ring = self.ring(a.members);
        let owner = |queue: &MessageQueue| {
            let at = ring_position(&java_text(queue));
            ring.range(at..).chain(ring.iter()).next().map(|(_, id)| *id)
        };
        let me = a.members[index].as_str();
        Ok(a.queues.iter().filter(|q| owner(q) == Some(me)).cloned().collect())
    }
}

/// Compares strings as Java does: by UTF-16 code unit, which differs from Rust's order above U+FFFF.
pub(crate) fn java_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Compares queues as Java does: by topic, broker name, queue id.
pub(crate) fn queue_order(a: &MessageQueue, b: &MessageQueue) -> Ordering {
    java_order(&a.topic, &b.topic)
        .then_with(|| java_order(&a.broker_name, &b.broker_name))
        .then_with(|| a.queue_id.cmp(&b.queue_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Produced by the classes of rocketmq-client 5.4.0: strategy, topic, `broker:queues,…`, sorted members, and per
    /// member the indexes it gets.
    const JAVA: &str = include_str!("java_splits.tsv");

    struct PrefixRooms;

    impl RoomResolver for PrefixRooms {
        fn room_of_queue(&self, queue: &MessageQueue) -> Option<String> {
            queue.broker_name.split('-').next().map(str::to_owned)
        }
        fn room_of_member(&self, id: &str) -> Option<String> {
            id.split('-').next().map(str::to_owned)
        }
    }

    fn strategy(name: &str) -> Box<dyn AllocateStrategy> {
        match name {
            "AVG" => Box::new(Averagely),
            "AVG_BY_CIRCLE" => Box::new(AveragelyByCircle),
            "CONSISTENT_HASH" => Box::new(ConsistentHash::default()),
            "MACHINE_ROOM hz,sh" => Box::new(MachineRoom(["hz".into(), "sh".into()].into())),
            "MACHINE_ROOM_NEARBY-AVG" => Box::new(MachineRoomNearby::new(Averagely, PrefixRooms)),
            "MACHINE_ROOM_NEARBY-AVG_BY_CIRCLE" => {
                Box::new(MachineRoomNearby::new(AveragelyByCircle, PrefixRooms))
            }
            other => panic!("unknown strategy {other}"),
        }
    }

    fn queues(topic: &str, spec: &str) -> Vec<MessageQueue> {
        let mut all = Vec::new();
        for part in spec.split(',') {
            let (broker, n) = part.rsplit_once(':').unwrap();
            all.extend((0..n.parse().unwrap()).rev().map(|id| MessageQueue::new(topic, broker, id)));
        }
        all.sort_by(queue_order);
        all
    }

    fn members(list: &str) -> Vec<String> {
        let mut all: Vec<_> = list.split(',').rev().map(str::to_owned).collect();
        all.sort_by(|a, b| java_order(a, b));
        all
    }

    fn indexes(list: &str) -> Vec<usize> {
        list.split(',').filter(|i| !i.is_empty()).map(|i| i.parse().unwrap()).collect()
    }

    #[test]
    fn every_split_is_javas() {
        for line in JAVA.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let [name, topic, spec, ids, expected] = fields[..] else { panic!("bad line {line}") };
            let (queues, members, strategy) = (queues(topic, spec), members(ids), strategy(name));
            for (me, expected) in members.iter().zip(expected.split('|')) {
                let got = strategy.allocate(&Allocation { me, queues: &queues, members: &members }).unwrap();
                let expected: Vec<_> = indexes(expected).into_iter().map(|i| queues[i].clone()).collect();
                assert_eq!(got, expected, "{name} {spec} for {me} of {ids}");
            }
        }
    }

    #[test]
    fn members_are_sorted_as_java_sorts_them() {
        for line in JAVA.lines() {
            let ids = line.split('\t').nth(3).unwrap();
            assert_eq!(members(ids).join(","), ids);
        }
    }

    #[test]
    fn a_member_the_broker_does_not_list_gets_nothing() {
        let (queues, members) = (queues("t", "b:4"), members("a,b"));
        let absent = Allocation { me: "c", queues: &queues, members: &members };
        for name in
            ["AVG", "AVG_BY_CIRCLE", "CONSISTENT_HASH", "MACHINE_ROOM hz,sh", "MACHINE_ROOM_NEARBY-AVG"]
        {
            assert_eq!(strategy(name).allocate(&absent).unwrap(), [], "{name}");
        }
    }

    #[test]
    fn configured_queues_are_taken_as_they_are() {
        let mine = vec![MessageQueue::new("elsewhere", "b", 9)];
        let (queues, members) = (queues("t", "b:4"), members("a"));
        let asked = Allocation { me: "not-listed", queues: &queues, members: &members };
        assert_eq!(Configured(mine.clone()).allocate(&asked).unwrap(), mine);
    }

    #[test]
    fn a_broker_without_a_room_is_named_in_the_error() {
        struct NoRoom;
        impl RoomResolver for NoRoom {
            fn room_of_queue(&self, _: &MessageQueue) -> Option<String> {
                Some(" ".into())
            }
            fn room_of_member(&self, _: &str) -> Option<String> {
                Some("hz".into())
            }
        }
        let (queues, members) = (queues("t", "broker-x:1"), members("a"));
        let asked = Allocation { me: "a", queues: &queues, members: &members };
        let error = MachineRoomNearby::new(Averagely, NoRoom).allocate(&asked).unwrap_err();
        assert_eq!(error, AllocateError::UnknownRoom("broker-x".into()));
    }

    #[test]
    fn names_are_those_of_request_400() {
        assert_eq!(
            MachineRoomNearby::new(ConsistentHash::default(), PrefixRooms).name(),
            "MACHINE_ROOM_NEARBY-CONSISTENT_HASH"
        );
    }
}
