//! Options of producers, and their defaults.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::compress::Compression;
use rocketmq_remoting::names::TEMPLATE_TOPIC;

use crate::error::RETRYABLE_CODES;
use crate::messages::validate::{at_least, at_least_a_millisecond, topic};
use crate::observe::trace::TraceConfig;

/// Options of one producer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProducerConfig {
    /// How long one send may take in all, retries and waiting for room included. Default: 3 s.
    pub send_timeout: Duration,
    /// How long one try may take while another is left. Default: none, as in Java; without it a broker
    /// that does not answer uses the whole `send_timeout`.
    pub attempt_timeout: Option<Duration>,
    /// How many more tries a failed send gets. Default: 2.
    pub retries: u32,
    /// Also try another broker when the message was stored but not flushed or replicated as asked.
    /// May store it twice. Default: false.
    pub retry_when_not_stored: bool,
    /// Broker answers worth another try. Default: 17, 14, 1, 2, 16, 204, 205, 1500; flow control never is.
    pub retry_codes: Vec<ResponseCode>,
    /// The longest body, before compression. Default: 4 MiB.
    pub max_message_size: usize,
    /// Bodies of at least this many bytes are compressed. Default: 4096.
    pub compress_threshold: usize,
    /// Default: zlib.
    pub compression: Compression,
    /// 0 to 9. Default: 5.
    pub compression_level: i32,
    /// How many messages may be on their way at once; further senders wait in turn. Default: 1024.
    pub max_in_flight: usize,
    /// How many body bytes may be on their way at once. Default: 100 MiB.
    pub max_in_flight_bytes: usize,
    /// The topic whose settings a broker copies when it creates the message's topic. Default: `TBW102`.
    pub create_topic_key: String,
    /// How many queues a topic gets that a broker creates. Default: 4.
    pub default_topic_queues: i32,
    /// Avoid brokers that were slow or failed of late. Default: false.
    pub latency_fault_tolerance: bool,
    /// Ask avoided brokers every 2 s whether they answer again. Default: false.
    pub latency_fault_detector: bool,
    /// Gather messages into batches. Default: none.
    pub linger: Option<LingerConfig>,
    /// Trace stored messages. Default: as the client is configured, which is not to.
    pub trace: Option<TraceConfig>,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            send_timeout: Duration::from_secs(3),
            attempt_timeout: None,
            retries: 2,
            retry_when_not_stored: false,
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
    /// What is wrong with the values, naming option, value and what is allowed.
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

/// When gathered messages leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LingerConfig {
    /// The longest a message waits for company. Default: 10 ms.
    pub max_delay: Duration,
    /// A batch this large leaves at once. Default: 32 KiB.
    pub max_bytes: usize,
    /// Messages held in all; beyond it messages go out alone. Default: 32 MiB.
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
