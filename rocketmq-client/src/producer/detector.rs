//! Probes of avoided brokers: do they answer again?

use std::sync::{Arc, Weak};
use std::time::Duration;

use rocketmq_remoting::Request as _;
use rocketmq_remoting::requests::offset::GetMaxOffsetRequest;

use super::sender::Sender;
use crate::clock::instant;
use crate::cluster::Which;

/// The interval between two looks at the table.
const ROUND: Duration = Duration::from_secs(3);
/// The interval between two probes of one broker.
const INTERVAL: Duration = Duration::from_secs(2);
/// A broker that is well answers this within microseconds.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Runs until the client stops or the producer is dropped.
pub(super) fn start(sender: &Arc<Sender>) {
    sender.cluster.spawn(run(Arc::downgrade(sender)));
}

async fn run(sender: Weak<Sender>) {
    loop {
        tokio::time::sleep(ROUND).await;
        let Some(sender) = sender.upgrade() else { return };
        for broker in sender.latency.due_for_probe(instant(), INTERVAL) {
            probe(&sender, &broker).await;
        }
    }
}

/// Probes a broker; any answer counts, a refusal too. A broker that no route names is forgotten.
async fn probe(sender: &Sender, broker: &str) {
    let cluster = &sender.cluster;
    let Some(topic) = cluster.topic_on(broker) else { return sender.latency.forget(broker) };
    let Ok(address) = cluster.address(broker, Which::Master, &topic).await else {
        return sender.latency.forget(broker);
    };
    let request = GetMaxOffsetRequest { topic, ..GetMaxOffsetRequest::default() };
    let Ok(command) = request.command(&()) else { return };
    if cluster.rpc.call_once(&address, command, TIMEOUT).await.is_ok() {
        sender.latency.mark_reachable(broker);
    }
}
