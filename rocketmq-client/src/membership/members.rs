//! The producers and consumers of one client: who is named in heartbeats and who answers brokers.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use rocketmq_remoting::Command;
use rocketmq_remoting::body::{ConsumerData, ProducerData};
use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::transaction::CheckTransactionStateRequest;

use crate::error::CallError;
use crate::messages::Delivery;

/// A consumer, as the rest of the client sees it.
pub(crate) trait ConsumerMember: Send + Sync + 'static {
    /// Returns its group's name on the wire.
    fn wire_group(&self) -> &str;
    /// Returns its part of a heartbeat.
    fn heartbeat(&self) -> ConsumerData;
    /// Topics whose routes must stay fresh.
    fn topics(&self) -> Vec<String>;
    /// Shares the queues out again soon: the group's members or a route changed, or a broker is back.
    fn rebalance_soon(&self);
    /// Is told whether the broker at `address` took the client's heartbeat.
    fn heard(&self, address: &str, outcome: Result<(), &CallError>) {
        let _ = (address, outcome);
    }
    /// Answers a request of a broker about this group: reset offsets (220), status (221), running info (307),
    /// consume directly (309).
    fn on_request(&self, request: Command) -> Answer;
}

/// A producer, as the rest of the client sees it.
pub(crate) trait ProducerMember: Send + Sync + 'static {
    /// Its group as it is on the wire.
    fn wire_group(&self) -> &str;
    /// Answers a broker's question about a half message.
    fn check(self: Arc<Self>, half: Delivery, check: TransactionCheck);
}

/// A broker's question about a half message, as it came.
#[derive(Debug)]
pub(crate) struct TransactionCheck {
    pub(crate) header: CheckTransactionStateRequest,
    /// The broker is answered over the connection by which it asked.
    pub(crate) connection: Connection,
}

/// All members of one client, by group. They hold the client, so the client holds them weakly.
#[derive(Default)]
pub(crate) struct Members {
    consumers: RwLock<HashMap<String, Weak<dyn ConsumerMember>>>,
    producers: RwLock<HashMap<String, Weak<dyn ProducerMember>>>,
}

impl Members {
    /// False when the group has a living consumer already.
    pub(crate) fn add_consumer(&self, member: &Arc<dyn ConsumerMember>) -> bool {
        let mut consumers = self.consumers.write();
        if consumers.get(member.wire_group()).is_some_and(|old| old.strong_count() > 0) {
            return false;
        }
        consumers.insert(member.wire_group().to_owned(), Arc::downgrade(member));
        true
    }

    /// False when the group has a living producer already.
    pub(crate) fn add_producer(&self, member: &Arc<dyn ProducerMember>) -> bool {
        let mut producers = self.producers.write();
        if producers.get(member.wire_group()).is_some_and(|old| old.strong_count() > 0) {
            return false;
        }
        producers.insert(member.wire_group().to_owned(), Arc::downgrade(member));
        true
    }

    pub(crate) fn remove_consumer(&self, group: &str) {
        self.consumers.write().remove(group);
    }

    pub(crate) fn remove_producer(&self, group: &str) {
        self.producers.write().remove(group);
    }

    pub(crate) fn consumer(&self, group: &str) -> Option<Arc<dyn ConsumerMember>> {
        self.consumers.read().get(group)?.upgrade()
    }

    pub(crate) fn producer(&self, group: &str) -> Option<Arc<dyn ProducerMember>> {
        self.producers.read().get(group)?.upgrade()
    }

    pub(crate) fn consumers(&self) -> Vec<Arc<dyn ConsumerMember>> {
        self.consumers.read().values().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn producers(&self) -> Vec<Arc<dyn ProducerMember>> {
        self.producers.read().values().filter_map(Weak::upgrade).collect()
    }

    /// Returns the members' part of a heartbeat, without producers that were dropped.
    pub(crate) fn heartbeat(&self) -> (Vec<ProducerData>, Vec<ConsumerData>) {
        let producers = self.producers();
        let producers =
            producers.iter().map(|p| ProducerData { group_name: p.wire_group().to_owned() }).collect();
        (producers, self.consumers().iter().map(|consumer| consumer.heartbeat()).collect())
    }

    /// Returns every topic that a consumer reads.
    pub(crate) fn topics(&self) -> Vec<String> {
        self.consumers().iter().flat_map(|consumer| consumer.topics()).collect()
    }
}
