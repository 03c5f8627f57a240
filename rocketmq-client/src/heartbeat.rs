//! Telling brokers who is there: on a timer, on every change, and on every new connection.

use futures_util::future::join_all;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::body::HeartbeatData;
use rocketmq_remoting::requests::heartbeat::{HeartbeatRequest, UnregisterClientRequest};
use rocketmq_remoting::route::MASTER_ID;
use rocketmq_remoting::{Command, ResponseCode, fastjson};

use crate::client::Inner;

/// Which of a client's groups leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaving<'a> {
    Producer(&'a str),
    Consumer(&'a str),
}

impl Inner {
    /// One heartbeat to every broker in use, answered or given up when this returns. Nothing is sent
    /// while there is no member.
    pub(crate) async fn heartbeat(&self) {
        let Some((command, with_consumers)) = self.heartbeat_command() else { return };
        let addresses = self.broker_addresses(with_consumers);
        join_all(addresses.iter().map(|address| self.heartbeat_to(address, command.clone()))).await;
    }

    /// One heartbeat to one address, so that a broker that came back knows its clients at once.
    pub(crate) async fn greet(&self, address: &str) {
        if let Some((command, _)) = self.heartbeat_command() {
            self.heartbeat_to(address, command).await;
        }
    }

    /// The protocol version of the broker at `address`, asked for with a heartbeat if it is not known yet; `None` when that
    /// is refused or not answered.
    pub(crate) async fn broker_version(&self, address: &str) -> Option<i32> {
        let known = || self.broker_versions.lock().get(address).copied();
        if known().is_none() {
            self.greet(address).await;
        }
        known()
    }

    async fn heartbeat_to(&self, address: &str, command: Command) {
        match self.rpc.call(address, command, self.config.api_timeout).await {
            Ok(response) if response.response_code() == ResponseCode::SUCCESS => {
                self.broker_versions.lock().insert(address.to_owned(), response.version);
            }
            Ok(response) => {
                tracing::warn!(address, code = %response.response_code(), remark = ?response.remark, "heartbeat refused");
            }
            Err(error) => tracing::warn!(address, %error, "no answer to a heartbeat"),
        }
    }

    fn heartbeat_command(&self) -> Option<(Command, bool)> {
        let (producers, consumers) = self.members.heartbeat();
        if producers.is_empty() && consumers.is_empty() {
            return None;
        }
        let with_consumers = !consumers.is_empty();
        let data = HeartbeatData {
            client_id: self.client_id.clone(),
            producer_data_set: producers,
            consumer_data_set: consumers,
            ..HeartbeatData::default()
        };
        let header = HeartbeatRequest::default().to_command();
        match (header, fastjson::to_vec(&data)) {
            (Ok(command), Ok(body)) => Some((command.with_body(body), with_consumers)),
            (Err(error), _) => unwritable(&error),
            (_, Err(error)) => unwritable(&error),
        }
    }

    /// Slaves need to know consumers, which may read from them, but not producers.
    fn broker_addresses(&self, with_slaves: bool) -> Vec<String> {
        let routes = self.routes.load();
        let brokers = routes.brokers().flat_map(|broker| &broker.broker_addrs);
        let mut addresses: Vec<String> = brokers
            .filter(|(id, _)| with_slaves || **id == MASTER_ID)
            .map(|(_, address)| address.clone())
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Tells every broker this client talks to that a group leaves, so that the others need not wait two
    /// minutes for it. A broker that does not answer finds out by itself.
    pub(crate) async fn unregister(&self, leaving: Leaving<'_>) {
        let (producer_group, consumer_group) = match leaving {
            Leaving::Producer(group) => (Some(group.to_owned()), None),
            Leaving::Consumer(group) => (None, Some(group.to_owned())),
        };
        let header =
            UnregisterClientRequest { client_id: self.client_id.clone(), producer_group, consumer_group };
        let Ok(command) = header.to_command() else { return };
        let known = self.broker_addresses(true);
        let connected = known.iter().filter(|address| self.rpc.pool.live(address).is_some());
        join_all(connected.map(|address| self.leave(address, command.clone()))).await;
    }

    async fn leave(&self, address: &str, command: Command) {
        if let Err(error) = self.rpc.call(address, command, self.config.api_timeout).await {
            tracing::debug!(address, %error, "no answer to leaving");
        }
    }
}

fn unwritable<T>(error: &dyn std::fmt::Display) -> Option<T> {
    tracing::error!(%error, "a heartbeat cannot be written");
    None
}
