//! The further settings of a group's consumer, under the names the Java client gives them.

use super::options::Options;
use crate::config::parse::{self, bytes_within, count_within};
use crate::config::set;
use crate::error::MistakeKind;
use rocketmq_client::consumer::{
    AllocateStrategy, Averagely, AveragelyByCircle, ConsistentHash, ConsumerConfig, FlowLimits, MachineRoom,
    PopConfig, PushConsumerBuilder,
};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The strategy that gives queues to the members of a group; all members need the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocate {
    Averagely,
    ByCircle,
    ConsistentHash,
    MachineRoom,
}

const STRATEGIES: &[(&str, Allocate)] = &[
    ("averagely", Allocate::Averagely),
    ("by-circle", Allocate::ByCircle),
    ("consistent-hash", Allocate::ConsistentHash),
    ("machine-room", Allocate::MachineRoom),
];

impl Allocate {
    /// `rooms` are those whose queues the group reads.
    fn strategy(self, rooms: BTreeSet<String>) -> Arc<dyn AllocateStrategy> {
        match self {
            Allocate::Averagely => Arc::new(Averagely),
            Allocate::ByCircle => Arc::new(AveragelyByCircle),
            Allocate::ConsistentHash => Arc::new(ConsistentHash::default()),
            Allocate::MachineRoom => Arc::new(MachineRoom(rooms)),
        }
    }
}

/// Settings of the allocation of queues, of POP, and of the messages that wait in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsumerTuning {
    allocate: Option<Arc<dyn AllocateStrategy>>,
    client_rebalance: Option<bool>,
    pop_invisible_time: Option<Duration>,
    pop_batch_nums: Option<u32>,
    pop_threshold_for_queue: Option<u32>,
    pull_threshold_for_queue: Option<u32>,
    pull_threshold_size_for_queue: Option<usize>,
    pull_threshold_for_topic: Option<u32>,
    pull_threshold_size_for_topic: Option<usize>,
    consume_concurrently_max_span: Option<u32>,
    local_offset_store_dir: Option<PathBuf>,
}

impl ConsumerTuning {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        const QUEUE_MESSAGES: fn(&str) -> Result<u32, String> = count_within::<1, 65_535>;
        ConsumerTuning {
            allocate: allocate(options),
            client_rebalance: options.read("client-rebalance", parse::switch),
            pop_invisible_time: options.read("pop-invisible-time", parse::pop_invisible_time),
            pop_batch_nums: options.read("pop-batch-nums", count_within::<1, 32>),
            pop_threshold_for_queue: options.read("pop-threshold-for-queue", QUEUE_MESSAGES),
            pull_threshold_for_queue: options.read("pull-threshold-for-queue", QUEUE_MESSAGES),
            pull_threshold_size_for_queue: options
                .read("pull-threshold-size-for-queue", bytes_within::<{ 1 << 20 }, { 1 << 30 }>),
            pull_threshold_for_topic: options.read("pull-threshold-for-topic", count_within::<1, 6_553_500>),
            pull_threshold_size_for_topic: options
                .read("pull-threshold-size-for-topic", bytes_within::<{ 1 << 20 }, { 100 << 30 }>),
            consume_concurrently_max_span: options.read("consume-concurrently-max-span", QUEUE_MESSAGES),
            local_offset_store_dir: options.read("local-offset-store-dir", parse::path),
        }
    }

    /// Sets the configured values; others keep the client's default.
    pub(crate) fn apply(&self, config: &mut ConsumerConfig) {
        set(&mut config.broker_assignment, self.client_rebalance.map(|client| !client));
        self.apply_to_pop(&mut config.pop);
        self.apply_to_flow(&mut config.flow);
        config.offset_folder = self.local_offset_store_dir.clone().or(config.offset_folder.take());
    }

    fn apply_to_pop(&self, pop: &mut PopConfig) {
        set(&mut pop.invisible, self.pop_invisible_time);
        set(&mut pop.batch, self.pop_batch_nums.and_then(|messages| messages.try_into().ok()));
        set(&mut pop.threshold, self.pop_threshold_for_queue.map(|messages| messages as usize));
    }

    fn apply_to_flow(&self, flow: &mut FlowLimits) {
        set(&mut flow.queue_count, self.pull_threshold_for_queue.map(|messages| messages as usize));
        set(&mut flow.queue_bytes, self.pull_threshold_size_for_queue);
        set(&mut flow.max_span, self.consume_concurrently_max_span.map(i64::from));
        flow.topic_count =
            self.pull_threshold_for_topic.map(|messages| messages as usize).or(flow.topic_count);
        flow.topic_bytes = self.pull_threshold_size_for_topic.or(flow.topic_bytes);
    }

    pub(crate) fn is_assigned_by_broker(&self) -> bool {
        self.client_rebalance == Some(false)
    }

    pub(crate) fn allocate(&self, consumer: PushConsumerBuilder) -> PushConsumerBuilder {
        match &self.allocate {
            None => consumer,
            Some(strategy) => consumer.allocate(strategy.clone()),
        }
    }

    /// Sets the strategy of `App::allocate`, which goes before the key.
    pub(crate) fn allocate_by(&mut self, strategy: Arc<dyn AllocateStrategy>) {
        self.allocate = Some(strategy);
    }

    #[cfg(test)]
    pub(crate) fn strategy(&self) -> Option<String> {
        self.allocate.as_ref().map(|strategy| strategy.name())
    }
}

pub(crate) fn allocation(text: &str) -> Result<Allocate, String> {
    parse::word(STRATEGIES, text)
}

fn allocate(options: &mut Options<'_>) -> Option<Arc<dyn AllocateStrategy>> {
    let rooms = options.read("consumer-idcs", parse::names).unwrap_or_default();
    let allocate = options.read("allocate", allocation)?;
    if (allocate == Allocate::MachineRoom) == rooms.is_empty() {
        let text = "`allocate = \"machine-room\"` and `consumer-idcs`, the rooms whose queues it reads, are set together";
        options.mistake(MistakeKind::WrongValue, text);
    }
    Some(allocate.strategy(rooms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::Sources;
    use crate::listener::Spec;

    fn read(toml: &str) -> (ConsumerTuning, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let spec = Spec::new("a", "here", "t", "g", &[("pull-threshold-for-queue", "500")]);
        let specs = [&spec];
        let tuning = ConsumerTuning::read(&mut Options::new(&sources, "g", &specs, &mut mistakes));
        (tuning, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_configured_reaches_the_consumer_and_the_rest_stays() {
        let (tuning, mistakes) = read(
            "[rocketmq.consumer.groups.g]\nclient-rebalance=false\npop-invisible-time='30s'\n\
             pull-threshold-size-for-queue='8MiB'\nlocal-offset-store-dir='offsets'",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let mut config = ConsumerConfig::default();
        tuning.apply(&mut config);
        assert!(config.broker_assignment);
        assert_eq!((config.pop.invisible, config.pop.batch), (Duration::from_secs(30), 32));
        assert_eq!((config.flow.queue_count, config.flow.queue_bytes), (500, 8 << 20));
        assert_eq!((config.flow.topic_count, config.flow.max_span), (None, 2000));
        assert_eq!(config.offset_folder, Some(PathBuf::from("offsets")));
    }

    #[test]
    fn a_machine_room_reads_the_queues_of_its_rooms() {
        let (tuning, mistakes) =
            read("[rocketmq.consumer.groups.g]\nallocate='machine-room'\nconsumer-idcs='north; south'");
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(tuning.strategy().as_deref(), Some("MACHINE_ROOM"));
        let shown = format!("{tuning:?}");
        assert!(shown.contains(r#""north", "south""#), "{shown}");
        for half in ["allocate='machine-room'", "allocate='averagely'\nconsumer-idcs='north'"] {
            let (_, mistakes) = read(&format!("[rocketmq.consumer.groups.g]\n{half}"));
            assert!(mistakes.len() == 1 && mistakes[0].contains("set together"), "{mistakes:?}");
        }
    }

    #[test]
    fn an_unknown_strategy_names_the_known_ones() {
        let (_, mistakes) = read("[rocketmq.consumer.groups.g]\nallocate='random'\npop-batch-nums=33");
        assert!(
            mistakes[0].contains("\"by-circle\"") && mistakes[1].contains("from 1 to 32"),
            "{mistakes:?}"
        );
    }
}
