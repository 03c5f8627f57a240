//! The keys of `[rocketmq.producer]` and `[rocketmq.pull-consumer]`.

use super::access::ACCESS;
use super::form::{
    BYTES, COUNT, Form, GROUP, INTERVAL, PERIOD, SERVERS, SWITCH, Shape, TEXT, TOPIC, form, size, whole,
};
use super::key::{Table, key, no_effect, no_other_names};
use crate::config::{properties, tuning};
use crate::listener::options::MessageModel;

const COMPRESSION: Form = form!(Shape::Words(&["zlib", "lz4", "zstd"]), tuning::compression);
const MODEL: Form = form!(Shape::Words(&["clustering", "broadcasting"]), MessageModel::parse);
const SELECTOR_TYPE: Form = form!(Shape::Words(&["TAG", "SQL92"]), properties::selector_type);

pub(super) static PRODUCER: Table = Table {
    keys: &[
        key("group", GROUP)
            .without("none: no template")
            .spring_too()
            .about("Names the producer group; with it there is a template."),
        key("name-server", SERVERS)
            .without("that of `[rocketmq]`")
            .spring("@ExtRocketMQTemplateConfiguration(nameServer)")
            .about("Names the cluster of this producer."),
        key("cluster", TEXT)
            .without("none")
            .about("Names one of `[rocketmq.clusters]`, in place of `name-server`."),
        key("send-message-timeout", INTERVAL)
            .default("3s")
            .spring_too()
            .about("Limits a send, retries included."),
        key("retry-times-when-send-failed", COUNT)
            .default("2")
            .spring_too()
            .about("Is the number of tries after the first."),
        key("retry-next-server", SWITCH)
            .default("false")
            .spring_too()
            .about("Tries another broker if a message was stored, but not as safely as asked."),
        key("compress-message-body-threshold", BYTES)
            .default("4096")
            .spring_too()
            .about("Compresses bodies of at least this size."),
        key("max-message-size", size::<1, { usize::MAX }>())
            .default("4MiB")
            .spring_too()
            .about("Is the largest body, before compression."),
        key("compress-type", COMPRESSION)
            .default("zlib")
            .java("DefaultMQProducer.compressType")
            .about("Names the compression. `zstd` is always about level 1 without the feature `zstd` of rocketmq-client."),
        key("compress-level", whole::<0, 9>())
            .default("5")
            .java("DefaultMQProducer.compressLevel")
            .about("Is the effort of the compression."),
        key("send-msg-max-timeout-per-request", INTERVAL)
            .without("no limit")
            .java("DefaultMQProducer.sendMsgMaxTimeoutPerRequest")
            .about("Limits one try while another try is left."),
        key("send-latency-fault-enable", SWITCH)
            .default("false")
            .java("ClientConfig.sendLatencyEnable")
            .about("Avoids brokers that were slow or failed lately."),
        key("start-detector-enable", SWITCH)
            .default("false")
            .java("ClientConfig.startDetectorEnable")
            .about("Asks avoided brokers if they answer again."),
        key("auto-batch", SWITCH)
            .default("false")
            .java("DefaultMQProducer.autoBatch")
            .about("Gathers messages into batches."),
        key("batch-max-delay-ms", PERIOD)
            .default("10ms")
            .java("DefaultMQProducer.batchMaxDelayMs")
            .about("Is the longest time that a message waits for a batch."),
        key("batch-max-bytes", size::<1, { usize::MAX }>())
            .default("32KiB")
            .java("DefaultMQProducer.batchMaxBytes")
            .about("Sends a batch of this size at once."),
        key("total-batch-max-bytes", BYTES)
            .default("32MiB")
            .java("DefaultMQProducer.totalBatchMaxBytes")
            .about("Limits all messages that wait for their batches."),
        key("back-pressure-for-async-send-num", whole::<10, { 1 << 20 }>())
            .default("1024")
            .java("DefaultMQProducer.backPressureForAsyncSendNum")
            .about("Limits the messages on their way; further senders wait in turn."),
        key("back-pressure-for-async-send-size", size::<1, { usize::MAX }>())
            .default("100MiB")
            .java("DefaultMQProducer.backPressureForAsyncSendSize")
            .about("Limits the bytes on their way; further senders wait in turn."),
        key("default-topic-queue-nums", whole::<1, 1024>())
            .default("4")
            .java("DefaultMQProducer.defaultTopicQueueNums")
            .about("Is the number of queues of a topic that a broker creates."),
        key("create-topic-key", TOPIC)
            .default("TBW102")
            .java("DefaultMQProducer.createTopicKey")
            .about("Names the topic whose settings such a topic gets."),
        no_effect("retry-times-when-send-async-failed", "every send is asynchronous and retried alike")
            .spring_too(),
    ],
    also: Some(&ACCESS),
    spring: no_other_names,
};

pub(super) static PULL_CONSUMER: Table = Table {
    keys: &[
        key("group", GROUP)
            .without("none; set together with `topic`")
            .spring_too()
            .about("Names the group in which `RocketmqTemplate::receive` reads."),
        key("topic", TOPIC)
            .without("none; set together with `group`")
            .spring_too()
            .about("Names the topic that `RocketmqTemplate::receive` reads."),
        key("name-server", SERVERS)
            .without("that of `[rocketmq]`")
            .spring("@ExtRocketMQConsumerConfiguration(nameServer)")
            .about("Names the cluster of this consumer."),
        key("cluster", TEXT)
            .without("none")
            .about("Names one of `[rocketmq.clusters]`, in place of `name-server`."),
        key("message-model", MODEL)
            .default("clustering")
            .spring_too()
            .about("Gives each message to one member of the group, or to every member, with offsets in `~/.rocketmq_offsets`."),
        key("selector-type", SELECTOR_TYPE)
            .default("TAG")
            .spring_too()
            .about("Is the language of `selector-expression`."),
        key("selector-expression", TEXT)
            .default("*")
            .spring_too()
            .about("Selects messages by tags such as `created || paid`, or by an SQL92 condition."),
        key("pull-batch-size", whole::<1, 1024>())
            .default("10")
            .spring_too()
            .about("Is the most messages of one pull."),
    ],
    also: Some(&ACCESS),
    spring: no_other_names,
};
