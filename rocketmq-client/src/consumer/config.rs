//! [`ConsumerConfig`]: the options of push consumers.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rocketmq_remoting::body::MessageModel;

use super::start::FromWhere;
use crate::consumer::queue::flow::FlowLimits;
use crate::observe::trace::TraceConfig;

/// The handlers that may run at once.
pub(crate) const CONCURRENCY: RangeInclusive<usize> = 1..=1000;

/// Holds the options of a push consumer. The defaults are the Java client's unless a field says otherwise.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let consumer = client.push_consumer("billing").configure(|config| {
///     config.pull_batch = 64;
///     config.flow.queue_count = 500;
/// });
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConsumerConfig {
    /// The handlers that run at once, 1 to 1000; in orderly mode, the queues. Default: 20.
    pub concurrency: usize,
    /// The most messages of one call of a batch listener, 1 to 1024. Default: 1.
    pub batch: usize,
    /// The most messages of one pull, 1 to 1024; brokers have a limit of their own. Default: 32.
    pub pull_batch: i32,
    /// The most bytes of one pull, 1 to 64 MiB. Default: 256 KiB.
    pub pull_batch_bytes: i32,
    /// The pause between two pulls of a queue. Default: none.
    pub pull_interval: Duration,
    /// Cancels a handler that takes longer, and delivers its messages again; not in orderly mode. Default: 15 minutes.
    pub consume_timeout: Duration,
    /// The tries after the first; then a message goes to the dead letter queue. Default: `None`, which is 16, and no
    /// limit in orderly mode.
    pub max_reconsume_times: Option<u32>,
    /// The pause before an orderly queue tries its message again, unless the handler sets one: 10 ms to 30 s. Default: 1 s.
    pub suspend: Duration,
    /// Limits of the messages that were pulled and are not handled yet.
    pub flow: FlowLimits,
    /// The begin of a group without stored offsets. Default: the end of each queue.
    pub from_where: FromWhere,
    /// Shares messages among the members, or hands each to all. Default: shares them.
    pub model: MessageModel,
    /// Starts without pulling, until [`Running::resume`](crate::Running::resume). Default: false.
    pub paused: bool,
    /// Handles each queue in order. Default: false.
    pub orderly: bool,
    /// Sends the filter with every pull, though the broker knows it from the heartbeat. Default: false.
    pub filter_with_pull: bool,
    /// The time that `shutdown` gives running handlers. Default: 10 s. (Java: none.)
    pub shutdown_timeout: Duration,
    /// The folder in which a broadcasting consumer keeps its offsets. Default: `~/.rocketmq_offsets`.
    pub offset_folder: Option<PathBuf>,
    /// Lets the broker assign queues; a group in POP mode needs it. Default: false.
    pub broker_assignment: bool,
    /// Options of queues that the broker serves in POP mode.
    pub pop: PopConfig,
    /// Traces the calls of the handler. Default: as the client is configured.
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
            paused: false,
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

/// Holds the options of consumption by POP.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let consumer = client.push_consumer("billing").subscribe("orders", "*").configure(|config| {
///     config.broker_assignment = true;
///     config.pop.invisible = Duration::from_secs(30);
/// });
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PopConfig {
    /// The time that a message stays hidden from others, 5 s to 5 minutes. Default: 1 minute.
    pub invisible: Duration,
    /// The most messages of one pop, 1 to 32. Default: 32.
    pub batch: i32,
    /// The most messages of one queue that may wait for their acknowledgement. Default: 96.
    pub threshold: usize,
}

impl Default for PopConfig {
    fn default() -> Self {
        Self { invisible: Duration::from_secs(60), batch: 32, threshold: 96 }
    }
}

impl ConsumerConfig {
    /// Checks the values. The error names the option, the value and the range.
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
}
