//! [`ProducerConfig`]: the options of producers, and their defaults.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::compress::Compression;
use rocketmq_remoting::frame::MAX_BODY;
use rocketmq_remoting::names::TEMPLATE_TOPIC;

use crate::error::RETRYABLE_CODES;
use crate::messages::validate::{at_least, at_least_a_millisecond, topic};
use crate::observe::trace::TraceConfig;

/// Holds the options of one producer.
///
/// ```
/// use std::time::Duration;
///
/// use rocketmq_client::producer::ProducerConfig;
///
/// let mut config = ProducerConfig::default();
/// config.send_timeout = Duration::from_secs(5);
/// config.attempt_timeout = Some(Duration::from_secs(1));
/// assert_eq!((config.retries, config.max_message_size), (2, 4 << 20));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProducerConfig {
    /// Limits the time of one send, with retries and the wait for room. Default: 3 s.
    pub send_timeout: Duration,
    /// Limits the time of one try while another is left. Default: none: a broker that does not answer uses half of the time left
    /// if another broker has the topic, and all of it otherwise.
    pub attempt_timeout: Option<Duration>,
    /// The number of tries after the first. Default: 2.
    pub retries: u32,
    /// Tries another broker when the message was stored, but not flushed or replicated as configured. The message may
    /// then be stored twice. Default: false. (Java: `retryAnotherBrokerWhenNotStoreOK`.)
    pub retry_when_not_durable: bool,
    /// The broker's answers that are tried again. Default: 17, 14, 1, 2, 16, 204, 205, 1500. Flow control never is.
    pub retry_codes: Vec<ResponseCode>,
    /// The most bytes of a body, before compression. Default: 4 MiB. A body of more than about 16 MiB after compression cannot
    /// be sent: it does not fit into a frame.
    pub max_message_size: usize,
    /// Compresses bodies of at least this many bytes. Default: 4096.
    pub compress_threshold: usize,
    /// The compression of bodies. Default: zlib.
    pub compression: Compression,
    /// The effort of compression, 0 to 9. Default: 5.
    pub compression_level: i32,
    /// The most messages on their way at once; further sends wait in turn. Default: 1024.
    pub max_in_flight: usize,
    /// The most body bytes on their way at once. Default: 100 MiB.
    pub max_in_flight_bytes: usize,
    /// The topic whose settings a broker copies when it creates the message's topic. Default: `TBW102`.
    pub create_topic_key: String,
    /// The number of queues of a topic that a broker creates. Default: 4.
    pub default_topic_queues: i32,
    /// Avoids brokers that were slow or failed lately. Default: false.
    pub latency_fault_tolerance: bool,
    /// Asks avoided brokers every 2 s whether they answer again. Default: false.
    pub latency_fault_detector: bool,
    /// Gathers messages into batches. Default: off.
    pub linger: Option<LingerConfig>,
    /// Traces stored messages. Default: as the client is configured, which is off.
    pub trace: Option<TraceConfig>,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            send_timeout: Duration::from_secs(3),
            attempt_timeout: None,
            retries: 2,
            retry_when_not_durable: false,
            retry_codes: RETRYABLE_CODES.to_vec(),
            max_message_size: 4 * 1024 * 1024,
            compress_threshold: 4096,
            compression: Compression::Zlib,
            compression_level: 5,
            max_in_flight: 1024,
            max_in_flight_bytes: 100 * 1024 * 1024,
            create_topic_key: TEMPLATE_TOPIC.to_owned(),
            default_topic_queues: 4,
            latency_fault_tolerance: false,
            latency_fault_detector: false,
            linger: None,
            trace: None,
        }
    }
}

impl ProducerConfig {
    /// Returns the most bytes of a batch.
    pub(super) fn max_batch_size(&self) -> usize {
        self.max_message_size.min(MAX_BODY)
    }

    /// Checks the values. The error names the option, the value and the range.
    pub(crate) fn check(&self) -> Result<(), String> {
        at_least_a_millisecond("send_timeout", self.send_timeout)?;
        self.attempt_timeout.map_or(Ok(()), |limit| at_least_a_millisecond("attempt_timeout", limit))?;
        at_least("max_message_size", self.max_message_size, 1)?;
        at_least("max_in_flight", self.max_in_flight, 1)?;
        at_least("max_in_flight_bytes", self.max_in_flight_bytes, 1)?;
        at_least("default_topic_queues", self.default_topic_queues, 1)?;
        at_least("linger.max_bytes", self.linger.map_or(1, |linger| linger.max_bytes), 1)?;
        topic(&self.create_topic_key).map_err(|fault| format!("create_topic_key: {fault}"))
    }
}

/// Sets when gathered messages leave.
///
/// ```
/// use std::time::Duration;
///
/// use rocketmq_client::producer::LingerConfig;
///
/// let linger = LingerConfig { max_delay: Duration::from_millis(5), ..LingerConfig::default() };
/// assert_eq!(linger.max_bytes, 32 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LingerConfig {
    /// The longest time that a message waits for others. Default: 10 ms.
    pub max_delay: Duration,
    /// Bytes at which a batch leaves at once. Default: 32 KiB.
    pub max_bytes: usize,
    /// The most bytes that are held in all; further messages leave alone. Default: 32 MiB.
    pub total_bytes: usize,
}

impl Default for LingerConfig {
    fn default() -> Self {
        Self { max_delay: Duration::from_millis(10), max_bytes: 32 * 1024, total_bytes: 32 * 1024 * 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_never_send_is_refused_by_name() {
        let wrong = ProducerConfig { default_topic_queues: 0, ..ProducerConfig::default() };
        assert_eq!(wrong.check().unwrap_err(), "default_topic_queues is 0, allowed is 1 or more");
        let wrong = ProducerConfig { max_in_flight: 0, ..ProducerConfig::default() };
        assert!(wrong.check().unwrap_err().contains("max_in_flight is 0"));
        let wrong = ProducerConfig { create_topic_key: "a b".into(), ..ProducerConfig::default() };
        assert!(wrong.check().unwrap_err().contains("create_topic_key: topic \"a b\""));
        assert_eq!(ProducerConfig::default().check(), Ok(()));
    }
}
