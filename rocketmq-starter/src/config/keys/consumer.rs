//! The keys of `[rocketmq.consumer]`, which are the options of listeners, too; the attribute writes `_` for `-`.

use super::access::ACCESS;
use super::form::{Form, INTERVAL, PATH, PERIOD, SERVERS, SWITCH, Shape, TEXT, form, size, whole};
use super::key::{Node, Table, key, key_of, no_effect};
use crate::config::parse;
use crate::listener::options::{self, DELAYS, MessageModel};
use crate::listener::tuning::allocation;
use rocketmq_client::remoting::spring;

const MODE: Form = form!(Shape::Words(&["concurrent", "orderly"]), options::mode);
const MODEL: Form = form!(Shape::Words(&["clustering", "broadcasting"]), MessageModel::parse);
const ON_ERROR: Form = form!(Shape::Words(&["retry", "dead-letter"]), options::on_error);
const ON_UNREADABLE: Form = form!(Shape::Words(&["dead-letter", "retry", "skip"]), options::on_unreadable);
const RETRY_DELAY: Form = form!(Shape::Exactly(&DELAYS), options::delay_level);
const CONSUME_TIMEOUT: Form = form!(Shape::Period(1_000, u64::MAX), parse::consume_timeout);
const FROM: Form = form!(Shape::Text("`first`, `last`, or a UTC time"), options::start_point);
const INVISIBLE: Form = form!(Shape::Period(5_000, 300_000), parse::pop_invisible_time);
const ALLOCATE: Form =
    form!(Shape::Words(&["averagely", "by-circle", "consistent-hash", "machine-room"]), allocation);
const ROOMS: Form = form!(Shape::Texts("names"), parse::names);
const TAGS: Form = form!(Shape::Text("tags"), options::tags);
const SQL: Form = form!(Shape::Text("SQL92 condition"), options::sql);

/// The options of listeners in the configuration.
pub(super) static OPTIONS: Table = Table {
    keys: &[
        key("mode", MODE)
            .default("concurrent")
            .spring("consumeMode")
            .about("Handles messages side by side, or those of a queue in order."),
        key("model", MODEL)
            .default("clustering")
            .spring("messageModel")
            .about("Gives each message to one member of the group, or to every member."),
        key("concurrency", whole::<1, 1000>())
            .default("20")
            .spring("consumeThreadNumber")
            .about("Is the number of messages that are handled at once; in orderly mode, of queues. It can change while the application runs."),
        key("batch", whole::<1, 1024>())
            .without("32 for a batch listener, else 1")
            .spring("consumeMessageBatchMaxSize")
            .about("Is the most messages of one call."),
        key("max-reconsume-times", whole::<0, { i32::MAX as u32 }>())
            .without("16; orderly: no limit")
            .spring("maxReconsumeTimes")
            .about("Is the number of tries after the first; then a message is dead-lettered. It can change while the application runs."),
        key("consume-timeout", CONSUME_TIMEOUT)
            .default("15m")
            .spring("consumeTimeout")
            .about("Limits a handler, whose message is then delivered again; not in orderly mode. Spring counts minutes."),
        key("retry-delay", RETRY_DELAY)
            .without("the broker's ladder, from 10 s")
            .spring("delayLevelWhenNextConsume")
            .about("Is the time before the next try, as text: one of the broker's delays."),
        key("on-error", ON_ERROR)
            .default("retry")
            .spring("delayLevelWhenNextConsume = -1")
            .about("Delivers a message whose handler failed again, or dead-letters it."),
        key("on-unreadable", ON_UNREADABLE)
            .default("dead-letter")
            .about("Tells the fate of a message that cannot be read as the type its handler takes. (Spring tries it again.)"),
        key("suspend-time", PERIOD)
            .default("1s")
            .spring("suspendCurrentQueueTimeMillis")
            .about("Is the pause before an orderly queue tries its message again."),
        key("from", FROM)
            .default("last")
            .spring("consumeFromWhere")
            .about("Is the begin of a group without stored offsets: `first`, `last`, or a UTC time."),
        key("pull-batch-size", whole::<1, 1024>())
            .default("32")
            .spring("pullBatchSize")
            .about("Is the most messages of one pull."),
        key("pull-interval", PERIOD)
            .default("0ms")
            .spring("pullInterval")
            .about("Is the pause between two pulls of a queue."),
        key("reply-timeout", INTERVAL)
            .default("3s")
            .spring("replyTimeout")
            .about("Limits the sending of a reply."),
        key("await-termination", PERIOD)
            .default("25s")
            .spring("awaitTerminationMillisWhenShutdown")
            .about("Is the time that a shutdown gives to messages in flight."),
        key("paused", SWITCH)
            .default("false")
            .about("Pulls nothing. It can change while the application runs."),
        key("enabled", SWITCH).default("true").about("Starts the listener."),
        key("name-server", SERVERS)
            .without("that of `[rocketmq]`")
            .spring("nameServer")
            .about("Names the cluster of the group."),
        key("cluster", TEXT)
            .without("none")
            .about("Names one of `[rocketmq.clusters]`, in place of `name-server`."),
        key("allocate", ALLOCATE)
            .default("averagely")
            .java("DefaultMQPushConsumer.allocateMessageQueueStrategy")
            .about("Shares queues out, the same for all members of a group. `App::allocate` takes any other strategy."),
        key("consumer-idcs", ROOMS)
            .without("none; set together with `machine-room`")
            .java("AllocateMessageQueueByMachineRoom.consumeridcs")
            .about("Names the rooms whose queues the group reads: `north;south`. Broker names have the form `<room>@<name>`."),
        key("client-rebalance", SWITCH)
            .default("true")
            .java("DefaultMQPushConsumer.clientRebalance")
            .about("Shares the queues out by the members; false lets the broker assign them, as groups in POP mode need."),
        key("pop-invisible-time", INVISIBLE)
            .default("1m")
            .java("DefaultMQPushConsumer.popInvisibleTime")
            .about("Is the time that a popped message stays hidden from other members."),
        key("pop-batch-nums", whole::<1, 32>())
            .default("32")
            .java("DefaultMQPushConsumer.popBatchNums")
            .about("Is the most messages of one pop."),
        key("pop-threshold-for-queue", whole::<1, 65_535>())
            .default("96")
            .java("DefaultMQPushConsumer.popThresholdForQueue")
            .about("Limits the popped messages of a queue that wait for their acknowledgement."),
        key("pull-threshold-for-queue", whole::<1, 65_535>())
            .default("1000")
            .java("DefaultMQPushConsumer.pullThresholdForQueue")
            .about("Limits the messages of a queue that wait in memory."),
        key("pull-threshold-size-for-queue", size::<{ 1 << 20 }, { 1 << 30 }>())
            .default("100MiB")
            .java("DefaultMQPushConsumer.pullThresholdSizeForQueue")
            .about("Limits the bytes of a queue that wait in memory."),
        key("pull-threshold-for-topic", whole::<1, 6_553_500>())
            .without("no limit")
            .java("DefaultMQPushConsumer.pullThresholdForTopic")
            .about("Limits the messages of a topic that wait in memory."),
        key("pull-threshold-size-for-topic", size::<{ 1 << 20 }, { 100 << 30 }>())
            .without("no limit")
            .java("DefaultMQPushConsumer.pullThresholdSizeForTopic")
            .about("Limits the bytes of a topic that wait in memory."),
        key("consume-concurrently-max-span", whole::<1, 65_535>())
            .default("2000")
            .java("DefaultMQPushConsumer.consumeConcurrentlyMaxSpan")
            .about("Limits the span of offsets between the first and the last open message of a queue."),
        key("local-offset-store-dir", PATH)
            .without("`~/.rocketmq_offsets`")
            .java("the JVM property rocketmq.client.localOffsetStoreDir")
            .about("Names the folder of the offsets in broadcasting."),
    ],
    also: Some(&ACCESS),
    spring: spring::listener,
};

/// The options of the attribute besides topic, group and name.
pub(crate) static ATTRIBUTE: Table = Table {
    keys: &[
        key("selector", TAGS)
            .default("*")
            .spring("selectorExpression")
            .about("Selects messages by their tags, such as `created || paid`."),
        key("sql", SQL)
            .without("none")
            .spring("selectorType = SQL92")
            .about("Selects messages by an SQL92 condition over their properties."),
    ],
    also: Some(&OPTIONS),
    spring: spring::listener,
};

const IN_ATTRIBUTE: &str = "each listener's attribute says it, as in Spring";

const SWITCH_OF_LISTENER: Node = Node::Value(SWITCH);

pub(super) static CONSUMER: Table = Table {
    keys: &[
        key_of("listeners", Node::Named(&Node::Named(&SWITCH_OF_LISTENER)))
            .spring_too()
            .about("Turns listeners off, each by its group and topic: `<group>.<topic> = false`."),
        key_of("groups", Node::Named(&Node::Table(&OPTIONS)))
            .about("Holds options of a group, which go before those of its attribute."),
        no_effect("group", IN_ATTRIBUTE).spring_too(),
        no_effect("topic", IN_ATTRIBUTE).spring_too(),
        no_effect("message-model", IN_ATTRIBUTE).spring_too(),
        no_effect("selector-type", IN_ATTRIBUTE).spring_too(),
        no_effect("selector-expression", IN_ATTRIBUTE).spring_too(),
    ],
    also: Some(&OPTIONS),
    spring: spring::listener,
};
