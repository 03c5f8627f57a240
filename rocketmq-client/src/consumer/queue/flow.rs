//! [`FlowLimits`]: stops the pulls of a queue while the handlers have enough messages.
//!
//! Thresholds and their order are the Java client's (count, bytes, span). A topic threshold is split over all queues
//! that the consumer owns, retry queues included, as Java does.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::window::Usage;

/// Limits the messages that one consumer has pulled and not handled. Pulling stops above a limit.
///
/// ```
/// use rocketmq_client::consumer::FlowLimits;
///
/// let limits = FlowLimits { queue_count: 500, topic_bytes: Some(1 << 30), ..FlowLimits::default() };
/// assert_eq!((limits.queue_bytes, limits.max_span), (100 << 20, 2000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLimits {
    /// Messages of one queue, 1 to 65,535. Default: 1000.
    pub queue_count: usize,
    /// Bytes of one queue, 1 MiB to 1 GiB. Default: 100 MiB.
    pub queue_bytes: usize,
    /// Messages of all queues of the consumer. Default: `None`, no limit.
    pub topic_count: Option<usize>,
    /// Bytes of all queues of the consumer. Default: `None`, no limit.
    pub topic_bytes: Option<usize>,
    /// The distance between the oldest and the newest message of one queue that are in progress; not in orderly mode.
    /// Default: 2000.
    pub max_span: i64,
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self {
            queue_count: 1000,
            queue_bytes: 100 << 20,
            topic_count: None,
            topic_bytes: None,
            max_span: 2000,
        }
    }
}

impl FlowLimits {
    /// Returns the limits of one queue when the consumer owns `queues` of them.
    pub(crate) fn per_queue(&self, queues: usize) -> QueueLimits {
        let share = |total: usize| (total / queues.max(1)).max(1);
        QueueLimits {
            count: self.topic_count.map_or(self.queue_count, share),
            bytes: self.topic_bytes.map_or(self.queue_bytes, |bytes| share(bytes).max(1 << 20)),
            span: self.max_span,
        }
    }
}

/// Counts a frequent event, and tells which times are worth a log line: the first, then every 1000th.
#[derive(Debug, Default)]
pub(crate) struct Seldom(AtomicU64);

impl Seldom {
    /// Counts one event.
    pub(crate) fn is_worth_a_line(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000)
    }
}

/// The limits of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueLimits {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    pub(crate) span: i64,
}

impl QueueLimits {
    /// Returns the first limit that the usage exceeds, in Java's order of checks; `span` counts for concurrent
    /// consumers only.
    pub(crate) fn check(&self, usage: Usage, concurrent: bool) -> Option<Throttle> {
        if usage.count > self.count {
            Some(Throttle::Count { cached: usage.count, limit: self.count })
        } else if usage.bytes > self.bytes {
            Some(Throttle::Bytes { cached: usage.bytes, limit: self.bytes })
        } else if concurrent && usage.span > self.span {
            Some(Throttle::Span { span: usage.span, limit: self.span })
        } else {
            None
        }
    }
}

/// The reason why a queue is not pulled now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Throttle {
    Count { cached: usize, limit: usize },
    Bytes { cached: usize, limit: usize },
    Span { span: i64, limit: i64 },
}

impl Throttle {
    /// Returns a label for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Throttle::Count { .. } => "count",
            Throttle::Bytes { .. } => "bytes",
            Throttle::Span { .. } => "span",
        }
    }
}

impl fmt::Display for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Throttle::Count { cached, limit } => write!(f, "{cached} messages cached, limit {limit}"),
            Throttle::Bytes { cached, limit } => write!(f, "{cached} bytes cached, limit {limit}"),
            Throttle::Span { span, limit } => {
                write!(f, "the oldest message in progress is {span} offsets behind the newest, limit {limit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(count: usize, bytes: usize, span: i64) -> Usage {
        Usage { count, bytes, span }
    }

    #[test]
    fn pulling_stops_above_a_limit_not_at_it() {
        let limits = FlowLimits::default().per_queue(8);
        assert_eq!(limits.check(usage(1000, 100 << 20, 2000), true), None);
        assert_eq!(
            limits.check(usage(1001, (100 << 20) + 1, 2001), true),
            Some(Throttle::Count { cached: 1001, limit: 1000 })
        );
        assert_eq!(limits.check(usage(1, (100 << 20) + 1, 2001), true).map(|t| t.kind()), Some("bytes"));
        assert_eq!(limits.check(usage(1, 1, 2001), true), Some(Throttle::Span { span: 2001, limit: 2000 }));
    }

    #[test]
    fn span_does_not_hold_back_an_orderly_queue() {
        assert_eq!(FlowLimits::default().per_queue(1).check(usage(1, 1, 9999), false), None);
    }

    #[test]
    fn a_topic_limit_is_shared_by_all_queues_of_the_consumer() {
        let limits =
            FlowLimits { topic_count: Some(10), topic_bytes: Some(64 << 20), ..FlowLimits::default() };
        assert_eq!(limits.per_queue(4), QueueLimits { count: 2, bytes: 16 << 20, span: 2000 });
        assert_eq!(limits.per_queue(100).count, 1, "at least one message each");
        assert_eq!(limits.per_queue(100).bytes, 1 << 20, "at least one MiB each");
    }

    #[test]
    fn the_log_line_names_figure_and_limit() {
        assert_eq!(Throttle::Count { cached: 7, limit: 5 }.to_string(), "7 messages cached, limit 5");
    }
}
