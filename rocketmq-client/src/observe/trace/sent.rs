//! The traces of producers: stored messages, decided transactions, recalled messages.

use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::message::batch::BatchMessage;
use rocketmq_remoting::message::{Properties, SysFlag, TransactionKind, names};

use super::config::DEFAULT_REGION;
use super::record::{Event, MessageKind, Record};
use super::tracer::Tracer;
use crate::messages::{DELAYS, Delivery, Receipt, SendStatus, TransactionState};

/// A send that a broker took, of a message or of a batch.
pub(crate) struct SendTrace<'a> {
    /// Without namespace.
    pub(crate) topic: &'a str,
    pub(crate) properties: &'a str,
    pub(crate) body: &'a Bytes,
    pub(crate) sys_flag: SysFlag,
    pub(crate) is_batch: bool,
    pub(crate) receipt: &'a Receipt,
    /// The broker's address.
    pub(crate) host: &'a str,
    pub(crate) took: Duration,
}

impl Tracer {
    /// Traces a stored message. Java writes one record for a batch, with all ids as one; here each message of a batch has
    /// its own, under which it can be found.
    pub(crate) fn sent(&self, sent: &SendTrace<'_>) {
        if self.config.is_trace(sent.topic) || !sent.receipt.is_traced() {
            return;
        }
        let records = if sent.is_batch { self.members(sent) } else { vec![self.single(sent)] };
        self.append(records);
    }

    fn single(&self, sent: &SendTrace<'_>) -> Record {
        self.stored(sent, sent.receipt, &Properties::parse(sent.properties), sent.body)
    }

    fn members(&self, sent: &SendTrace<'_>) -> Vec<Record> {
        let mut rest = sent.body.clone();
        let members = std::iter::from_fn(|| BatchMessage::decode(&mut rest).ok()).enumerate();
        members
            .map(|(number, member)| {
                let properties = Properties::parse(&member.properties);
                let id = properties.unique_key().unwrap_or_default();
                let receipt = sent.receipt.of_member(number, id.to_owned());
                self.stored(sent, &receipt, &properties, &member.body)
            })
            .collect()
    }

    fn stored(
        &self,
        sent: &SendTrace<'_>,
        receipt: &Receipt,
        properties: &Properties,
        body: &Bytes,
    ) -> Record {
        let cost_ms = sent.took.as_millis();
        Record {
            time: self.clock.now_ms() - i64::try_from(cost_ms).unwrap_or_default(),
            region: receipt.region().to_owned(),
            group: self.group.clone(),
            topic: sent.topic.to_owned(),
            message_id: receipt.message_id().to_owned(),
            keys: properties.get(names::KEYS).map(str::to_owned),
            event: Event::Sent {
                tags: properties.tags().map(str::to_owned),
                store_host: sent.host.to_owned(),
                body_len: body.len(),
                cost_ms,
                kind: kind_of(sent.sys_flag, properties),
                offset_message_id: receipt.offset_message_id().to_owned(),
                success: receipt.status() == SendStatus::Ok,
            },
        }
    }

    /// Traces the decision of a transaction, before it goes to the broker at `host`.
    pub(crate) fn decided(
        &self,
        message: &Decision,
        state: TransactionState,
        host: &str,
        asked_by_broker: bool,
    ) {
        if self.config.is_trace(&message.topic) {
            return;
        }
        self.append(vec![Record {
            time: self.clock.now_ms(),
            region: message.region.clone(),
            group: self.group.clone(),
            topic: message.topic.clone(),
            message_id: message.message_id.clone(),
            keys: message.keys.clone(),
            event: Event::Decided {
                tags: message.tags.clone(),
                store_host: host.to_owned(),
                transaction_id: message.transaction_id.clone(),
                state,
                asked_by_broker,
            },
        }]);
    }

    /// Traces the recall of a message, which may have failed. Brokers that do not trace name no region.
    pub(crate) fn recalled(&self, topic: &str, message_id: &str, region: Option<&str>, success: bool) {
        let Some(region) = region.filter(|_| self.config.recall) else { return };
        self.append(vec![Record {
            time: self.clock.now_ms(),
            region: region.to_owned(),
            group: self.group.clone(),
            topic: topic.to_owned(),
            message_id: message_id.to_owned(),
            keys: None,
            event: Event::Recalled { success },
        }]);
    }
}

/// The half message in the trace of a decision.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    topic: String,
    region: String,
    message_id: String,
    transaction_id: String,
    tags: Option<String>,
    keys: Option<String>,
}

impl Decision {
    /// Describes a message that this producer has just sent with these properties.
    pub(crate) fn of_sent(topic: &str, message_id: &str, properties: &Properties) -> Self {
        Self {
            topic: topic.to_owned(),
            region: region_of(properties),
            message_id: message_id.to_owned(),
            transaction_id: message_id.to_owned(),
            tags: properties.tags().map(str::to_owned),
            keys: properties.get(names::KEYS).map(str::to_owned),
        }
    }

    /// Describes a half message that a broker asks about.
    pub(crate) fn of_half(half: &Delivery) -> Self {
        let id = half.transaction_id().unwrap_or(half.message_id());
        let transaction_id = id.to_owned();
        Self { transaction_id, ..Self::of_sent(half.topic(), half.message_id(), half.properties()) }
    }
}

fn region_of(properties: &Properties) -> String {
    properties.get(names::MSG_REGION).unwrap_or(DEFAULT_REGION).to_owned()
}

fn kind_of(flag: SysFlag, properties: &Properties) -> MessageKind {
    if DELAYS.iter().any(|delay| properties.get(delay).is_some()) {
        MessageKind::Delay
    } else if flag.transaction() == TransactionKind::Prepared {
        MessageKind::Half
    } else {
        MessageKind::Normal
    }
}
