//! The further settings of a producer, under the names the Java client gives them.

use super::parse::{self, count_within};
use super::section::Section;
use super::set;
use rocketmq_client::producer::{LingerConfig, ProducerConfig};
use rocketmq_client::remoting::compress::Compression;
use std::time::Duration;

/// Settings of compression, batching, back-pressure and the choice of brokers; part of `[rocketmq.producer]`.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.producer.tuning.send_latency_fault_enable = Some(true));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerTuning {
    /// `compress-type`: `zlib`, `lz4` or `zstd`. Default: zlib.
    compress_type: Option<Compression>,
    /// `compress-level`, 0 to 9. Default: 5.
    pub compress_level: Option<u32>,
    /// `send-msg-max-timeout-per-request`: how long one try may take while another is left. Default: no limit.
    pub send_msg_max_timeout_per_request: Option<Duration>,
    /// `send-latency-fault-enable`: avoid brokers that were slow or failed of late. Default: false.
    pub send_latency_fault_enable: Option<bool>,
    /// `start-detector-enable`: ask avoided brokers whether they answer again. Default: false.
    pub start_detector_enable: Option<bool>,
    /// `auto-batch`: gather messages into batches. Default: false.
    pub auto_batch: Option<bool>,
    /// `batch-max-delay-ms`: the longest a message waits for company. Default: 10 ms.
    pub batch_max_delay: Option<Duration>,
    /// `batch-max-bytes`: a batch this large leaves at once. Default: 32 KiB.
    pub batch_max_bytes: Option<usize>,
    /// `total-batch-max-bytes`: what may wait in all. Default: 32 MiB.
    pub total_batch_max_bytes: Option<usize>,
    /// `back-pressure-for-async-send-num`: messages on their way at once; further senders wait. Default: 1024.
    pub back_pressure_for_async_send_num: Option<u32>,
    /// `back-pressure-for-async-send-size` in bytes. Default: 100 MiB.
    pub back_pressure_for_async_send_size: Option<usize>,
    /// `default-topic-queue-nums`: queues of a topic that a broker creates. Default: 4.
    pub default_topic_queue_nums: Option<u32>,
    /// `create-topic-key`: the topic whose settings such a topic gets. Default: `TBW102`.
    pub create_topic_key: Option<String>,
}

impl ProducerTuning {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        ProducerTuning {
            compress_type: section.read("compress-type", compression),
            compress_level: section.read("compress-level", count_within::<0, 9>),
            send_msg_max_timeout_per_request: section.period("send-msg-max-timeout-per-request"),
            send_latency_fault_enable: section.switch("send-latency-fault-enable"),
            start_detector_enable: section.switch("start-detector-enable"),
            auto_batch: section.switch("auto-batch"),
            batch_max_delay: section.period("batch-max-delay-ms"),
            batch_max_bytes: section.bytes("batch-max-bytes"),
            total_batch_max_bytes: section.bytes("total-batch-max-bytes"),
            back_pressure_for_async_send_num: section
                .read("back-pressure-for-async-send-num", count_within::<10, { 1 << 20 }>),
            back_pressure_for_async_send_size: section.bytes("back-pressure-for-async-send-size"),
            default_topic_queue_nums: section.read("default-topic-queue-nums", count_within::<1, 1024>),
            create_topic_key: section.text("create-topic-key"),
        }
    }

    /// These, and from `other` what they leave open.
    pub(super) fn or(self, other: &Self) -> Self {
        let other = other.clone();
        ProducerTuning {
            compress_type: self.compress_type.or(other.compress_type),
            compress_level: self.compress_level.or(other.compress_level),
            send_msg_max_timeout_per_request: self
                .send_msg_max_timeout_per_request
                .or(other.send_msg_max_timeout_per_request),
            send_latency_fault_enable: self.send_latency_fault_enable.or(other.send_latency_fault_enable),
            start_detector_enable: self.start_detector_enable.or(other.start_detector_enable),
            auto_batch: self.auto_batch.or(other.auto_batch),
            batch_max_delay: self.batch_max_delay.or(other.batch_max_delay),
            batch_max_bytes: self.batch_max_bytes.or(other.batch_max_bytes),
            total_batch_max_bytes: self.total_batch_max_bytes.or(other.total_batch_max_bytes),
            back_pressure_for_async_send_num: self
                .back_pressure_for_async_send_num
                .or(other.back_pressure_for_async_send_num),
            back_pressure_for_async_send_size: self
                .back_pressure_for_async_send_size
                .or(other.back_pressure_for_async_send_size),
            default_topic_queue_nums: self.default_topic_queue_nums.or(other.default_topic_queue_nums),
            create_topic_key: self.create_topic_key.or(other.create_topic_key),
        }
    }

    /// Sets the configured values; others keep the client's default.
    pub(crate) fn apply(&self, config: &mut ProducerConfig) {
        set(&mut config.compression, self.compress_type);
        set(&mut config.compression_level, self.compress_level.and_then(|level| level.try_into().ok()));
        set(&mut config.latency_fault_tolerance, self.send_latency_fault_enable);
        set(&mut config.latency_fault_detector, self.start_detector_enable);
        set(&mut config.max_in_flight, self.back_pressure_for_async_send_num.map(|count| count as usize));
        set(&mut config.max_in_flight_bytes, self.back_pressure_for_async_send_size);
        set(
            &mut config.default_topic_queues,
            self.default_topic_queue_nums.and_then(|count| count.try_into().ok()),
        );
        set(&mut config.create_topic_key, self.create_topic_key.clone());
        config.attempt_timeout = self.send_msg_max_timeout_per_request.or(config.attempt_timeout);
        if self.auto_batch == Some(true) {
            config.linger = Some(self.linger());
        }
    }

    fn linger(&self) -> LingerConfig {
        let default = LingerConfig::default();
        LingerConfig {
            max_delay: self.batch_max_delay.unwrap_or(default.max_delay),
            max_bytes: self.batch_max_bytes.unwrap_or(default.max_bytes),
            total_bytes: self.total_batch_max_bytes.unwrap_or(default.total_bytes),
        }
    }
}

pub(super) fn compression(text: &str) -> Result<Compression, String> {
    let types = [("zlib", Compression::Zlib), ("lz4", Compression::Lz4), ("zstd", Compression::Zstd)];
    parse::word(&types, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::Sources;

    fn read(toml: &str) -> (ProducerTuning, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let tuning = ProducerTuning::read(&mut Section::new(&sources, "rocketmq.producer", &mut mistakes));
        (tuning, mistakes.iter().map(ToString::to_string).collect())
    }

    fn applied(toml: &str) -> ProducerConfig {
        let (tuning, mistakes) = read(toml);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let mut config = ProducerConfig::default();
        tuning.apply(&mut config);
        config
    }

    #[test]
    fn what_is_configured_reaches_the_producer_and_the_rest_stays() {
        let config = applied(
            "[rocketmq.producer]\ncompress-type='LZ4'\ncompress-level=3\nsend-latency-fault-enable=true\n\
             back-pressure-for-async-send-num=64\ndefault-topic-queue-nums=8",
        );
        assert_eq!((config.compression, config.compression_level), (Compression::Lz4, 3));
        assert_eq!((config.latency_fault_tolerance, config.latency_fault_detector), (true, false));
        assert_eq!((config.max_in_flight, config.default_topic_queues), (64, 8));
        assert_eq!((config.linger, config.attempt_timeout), (None, None));
    }

    #[test]
    fn batches_are_gathered_only_when_asked() {
        assert_eq!(applied("[rocketmq.producer]\nbatch-max-delay-ms=5").linger, None);
        let linger =
            applied("[rocketmq.producer]\nauto-batch=true\nbatch-max-delay-ms=5").linger.expect("on");
        assert_eq!((linger.max_delay, linger.max_bytes), (Duration::from_millis(5), 32 * 1024));
    }

    #[test]
    fn a_wrong_value_names_what_is_allowed() {
        let (_, mistakes) = read("[rocketmq.producer]\ncompress-type='brotli'\ncompress-level=12");
        assert!(mistakes[0].contains("\"lz4\"") && mistakes[1].contains("from 0 to 9"), "{mistakes:?}");
    }

    #[test]
    fn what_is_left_open_is_inherited() {
        let (own, _) = read("[rocketmq.producer]\nauto-batch=false");
        let (default, _) = read("[rocketmq.producer]\nauto-batch=true\ncompress-level=1");
        let merged = own.or(&default);
        assert_eq!((merged.auto_batch, merged.compress_level), (Some(false), Some(1)));
    }
}
