//! Options of push consumers.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rocketmq_remoting::body::MessageModel;

use super::start::FromWhere;
use crate::consumer::queue::flow::FlowLimits;
use crate::observe::trace::TraceConfig;

/// How many handlers may run at once.
pub(crate) const CONCURRENCY: RangeInclusive<usize> = 1..=1000;

/// Options of a push consumer; the defaults are the Java client's unless a field says otherwise.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConsumerConfig {
    /// Handlers running at once, 1 to 1000, default 20. In orderly mode: queues handled at once.
    pub concurrency: usize,
    /// Most messages per call of a batch listener, 1 to 1024, default 1.
    pub batch: usize,
    /// Most messages per pull, 1 to 1024, default 32; brokers have a limit of their own.
    pub pull_batch: i32,
    /// Most bytes per pull, default 256 KiB.
    pub pull_batch_bytes: i32,
    /// Pause between two pulls of a queue, default none.
    pub pull_interval: Duration,
    /// A handler that takes longer is cancelled and its message retried, default 15 minutes; concurrent mode only.
    pub consume_timeout: Duration,
    /// Tries after the first before a message goes to the dead letter queue. `None` (default): 16, in orderly mode for
    /// ever.
    pub max_reconsume_times: Option<u32>,
    /// Pause before an orderly queue tries its message again, unless the handler says how long: 10 ms to 30 s, default
    /// 1 s.
    pub suspend: Duration,
    /// What may be cached.
    pub flow: FlowLimits,
    /// Where a group without stored offsets begins, default at the end.
    pub from_where: FromWhere,
    /// Shared or copied messages, default shared.
    pub model: MessageModel,
    /// Handle each queue in order.
    pub orderly: bool,
    /// Send the filter with every pull, default off: the broker knows it from the heartbeat.
    pub filter_with_pull: bool,
    /// How long `shutdown` waits for running handlers, default 10 s. (Java: none.)
    pub shutdown_timeout: Duration,
    /// Where a broadcasting consumer keeps its offsets, default `~/.rocketmq_offsets`.
    pub offset_folder: Option<PathBuf>,
    /// Let the broker assign queues, which a group in POP mode needs, default off.
    pub broker_assignment: bool,
    /// Options of queues the broker serves in POP mode.
    pub pop: PopConfig,
    /// Trace the calls of the handler, default as the client is configured.
    pub trace: Option<TraceConfig>,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            concurrency: 20,
            batch: 1,
            pull_batch: 32,
            pull_batch_bytes: 256 << 10,
            pull_interval: Duration::ZERO,
            consume_timeout: Duration::from_secs(15 * 60),
            max_reconsume_times: None,
            suspend: Duration::from_secs(1),
            flow: FlowLimits::default(),
            from_where: FromWhere::default(),
            model: MessageModel::Clustering,
            orderly: false,
            filter_with_pull: false,
            shutdown_timeout: Duration::from_secs(10),
            offset_folder: None,
            broker_assignment: false,
            pop: PopConfig::default(),
            trace: None,
        }
    }
}

/// Options of consumption by POP.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PopConfig {
    /// How long a handed-out message stays hidden from others, 5 s to 5 minutes, default 1 minute.
    pub invisible: Duration,
    /// Most messages per pop, 1 to 32, default 32.
    pub batch: i32,
    /// Messages of one queue that may wait for their acknowledgement, default 96.
    pub threshold: usize,
}

impl Default for PopConfig {
    fn default() -> Self {
        Self { invisible: Duration::from_secs(60), batch: 32, threshold: 96 }
    }
}

impl ConsumerConfig {
    /// What is wrong with the values, naming option, value and range.
    pub(crate) fn check(&self) -> Result<(), String> {
        range("concurrency", self.concurrency, *CONCURRENCY.start(), *CONCURRENCY.end())?;
        range("batch", self.batch, 1, 1024)?;
        range("pull_batch", self.pull_batch, 1, 1024)?;
        range("pull_batch_bytes", self.pull_batch_bytes, 1, 64 << 20)?;
        range("flow.queue_count", self.flow.queue_count, 1, 65_535)?;
        range("flow.queue_bytes", self.flow.queue_bytes, 1 << 20, 1 << 30)?;
        range("flow.max_span", self.flow.max_span, 1, 65_535)?;
        range("flow.topic_count", self.flow.topic_count.unwrap_or(1), 1, 6_553_500)?;
        range("flow.topic_bytes", self.flow.topic_bytes.unwrap_or(1 << 20), 1 << 20, 100 << 30)?;
        range("pop.batch", self.pop.batch, 1, 32)?;
        range("pop.invisible (ms)", self.pop.invisible.as_millis(), 5_000, 300_000)?;
        range("consume_timeout (ms)", self.consume_timeout.as_millis(), 1, u128::from(u64::MAX))?;
        if self.orderly && self.broker_assignment {
            return Err(
                "broker_assignment cannot be combined with orderly mode: leave one of them out".into()
            );
        }
        Ok(())
    }

    /// The limit the broker is told with each message sent back.
    pub(crate) fn wire_max_reconsume_times(&self) -> i32 {
        match self.max_reconsume_times {
            Some(times) => i32::try_from(times).unwrap_or(i32::MAX),
            None if self.orderly => i32::MAX,
            None => crate::consumer::handling::retry::DEFAULT_MAX_RECONSUME_TIMES,
        }
    }
}

fn range<T: PartialOrd + std::fmt::Display>(name: &str, value: T, min: T, max: T) -> Result<(), String> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(format!("{name} is {value}, allowed are {min} to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_out_of_range_is_named_with_value_and_range() {
        let wrong = ConsumerConfig { concurrency: 1001, ..ConsumerConfig::default() };
        assert_eq!(wrong.check().unwrap_err(), "concurrency is 1001, allowed are 1 to 1000");
        let wrong = ConsumerConfig { batch: 0, ..ConsumerConfig::default() };
        assert_eq!(wrong.check().unwrap_err(), "batch is 0, allowed are 1 to 1024");
        assert_eq!(ConsumerConfig::default().check(), Ok(()));
    }

    #[test]
    fn retries_end_at_sixteen_or_never_in_order() {
        let mut config = ConsumerConfig::default();
        assert_eq!(config.wire_max_reconsume_times(), 16);
        config.orderly = true;
        assert_eq!(config.wire_max_reconsume_times(), i32::MAX);
        config.max_reconsume_times = Some(3);
        assert_eq!(config.wire_max_reconsume_times(), 3);
    }
}
