//! Finds the address of a broker.

use std::borrow::Cow;
use std::sync::Arc;

use rocketmq_remoting::route::MessageQueue;

use super::Cluster;
use super::route::logical::is_logical;
use super::route::table::Which;
use crate::error::{CallError, CallErrorKind};

impl Cluster {
    /// Returns the name of the broker that holds a queue: the queue's own, unless its topic is a static one.
    pub(crate) fn home<'q>(&self, queue: &'q MessageQueue) -> Cow<'q, str> {
        match is_logical(queue) {
            false => Cow::Borrowed(&queue.broker_name),
            true => Cow::Owned(self.routes.load().home(queue).to_owned()),
        }
    }

    /// Finds an address of a broker. Where no route names the broker, it looks up the route of `topic` once.
    ///
    /// # Errors
    /// No route names an address of this kind.
    pub(crate) async fn address(
        &self,
        broker: &str,
        which: Which,
        topic: &str,
    ) -> Result<Arc<str>, CallError> {
        if let Some(address) = self.routes.load().address(broker, which) {
            return Ok(address);
        }
        // The lookup's own failure is logged where it matters; here only the address counts.
        let _ = self.refresh_topic(topic).await;
        let address = self.routes.load().address(broker, which);
        address.ok_or_else(|| {
            let text = format!("no route names {which} of {broker}");
            CallError::new(CallErrorKind::UnknownBroker, text)
        })
    }

    /// Returns the brokers of a topic that is known, each with its master's address or, without a master, that of a slave.
    pub(crate) fn brokers_of(&self, topic: &str) -> Vec<(String, String)> {
        let Some(info) = self.known(topic) else { return Vec::new() };
        let brokers = info.route.broker_datas.iter();
        brokers.filter_map(|broker| Some((broker.broker_name.clone(), broker.any()?.to_owned()))).collect()
    }

    /// Returns every address that some route names: of masters, and of slaves where they are wanted.
    pub(crate) fn addresses(&self, with_slaves: bool) -> Vec<String> {
        let mut addresses = self.routes.load().addresses(with_slaves);
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Returns a topic that a broker holds.
    pub(crate) fn topic_on(&self, broker: &str) -> Option<String> {
        let routes = self.routes.load();
        let mut topics = routes.topics();
        let found = topics.find(|(_, info)| info.route.broker(broker).is_some());
        found.map(|(topic, _)| topic.clone())
    }

    /// Returns the name of the broker at an address, if a route names it.
    pub(crate) fn broker_at(&self, address: &str) -> Option<String> {
        self.routes.load().broker_at(address).map(str::to_owned)
    }
}
