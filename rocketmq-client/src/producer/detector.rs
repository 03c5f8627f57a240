//! Asking spared brokers whether they answer again.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rocketmq_remoting::Request as _;
use rocketmq_remoting::requests::offset::GetMaxOffsetRequest;

use super::Shared;

/// How often the table is looked through.
const ROUND: Duration = Duration::from_secs(3);
/// How often one broker is asked.
const INTERVAL: Duration = Duration::from_secs(2);
/// A broker that is well answers this within microseconds.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Runs until the client stops or the producer is dropped.
pub(super) fn start(shared: &Arc<Shared>) {
    let (weak, stop) = (Arc::downgrade(shared), shared.client.inner.stop.clone());
    shared.client.inner.tasks.spawn(stop.run_until_cancelled_owned(run(weak)));
}

async fn run(producer: Weak<Shared>) {
    loop {
        tokio::time::sleep(ROUND).await;
        let Some(producer) = producer.upgrade() else { return };
        for broker in producer.faults.due_for_probe(Instant::now(), INTERVAL) {
            probe(&producer, &broker).await;
        }
    }
}

/// Any answer will do, a refusal too.
async fn probe(producer: &Shared, broker: &str) {
    let client = &producer.client.inner;
    let routes = client.routes.load_full();
    let Some(address) = routes.master(broker) else { return producer.faults.forget(broker) };
    let topic = routes.topics().find(|(_, info)| info.route.broker(broker).is_some());
    let Some((topic, _)) = topic else { return };
    let header = GetMaxOffsetRequest { topic: topic.clone(), ..GetMaxOffsetRequest::default() };
    let Ok(command) = header.to_command() else { return };
    if client.rpc.call_once(address, command, TIMEOUT).await.is_ok() {
        producer.faults.mark_reachable(broker);
    }
}
