//! The traces of consumers: the begin and the end of each handler.

use rocketmq_remoting::message::names;

use super::record::{ConsumeEnd, Event, Record};
use super::tracer::Tracer;
use crate::clock::{Instant, instant};
use crate::messages::Delivery;

/// A call of a handler that is traced.
pub(crate) struct Consuming {
    request_id: String,
    begun: Instant,
}

impl Tracer {
    /// Traces that a handler is called with these messages.
    pub(crate) fn consuming(&self, deliveries: &[Delivery]) -> Consuming {
        let call = Consuming { request_id: self.request_id(), begun: instant() };
        let records = deliveries.iter().filter_map(|delivery| {
            let retries = delivery.reconsume_times();
            self.record(delivery, Event::Consuming { request_id: call.request_id.clone(), retries })
        });
        self.append(records.collect());
        call
    }

    /// Traces the end of a handler; `end` gives the result of the message at each index.
    pub(crate) fn consumed(
        &self,
        call: &Consuming,
        deliveries: &[Delivery],
        end: impl Fn(usize) -> ConsumeEnd,
    ) {
        let cost_ms = call.begun.elapsed().as_millis() / deliveries.len().max(1) as u128;
        let records = deliveries.iter().enumerate().filter_map(|(index, delivery)| {
            let (request_id, cloud) = (call.request_id.clone(), self.config.cloud);
            self.record(delivery, Event::Consumed { request_id, cost_ms, end: end(index), cloud })
        });
        self.append(records.collect());
    }

    /// Pairs the two records of a call.
    fn request_id(&self) -> String {
        format!("{:032X}", self.chance.bits())
    }

    /// Makes the record of a message; `None` when the broker wants no trace: it names no region, or says so.
    fn record(&self, delivery: &Delivery, event: Event) -> Option<Record> {
        let region = delivery.property(names::MSG_REGION)?;
        if delivery.property(names::TRACE_ON) == Some("false") || self.config.is_trace(delivery.topic()) {
            return None;
        }
        Some(Record {
            time: self.clock.now_ms(),
            region: region.to_owned(),
            group: self.group.clone(),
            topic: delivery.topic().to_owned(),
            message_id: delivery.message_id().to_owned(),
            keys: delivery.property(names::KEYS).map(str::to_owned),
            event,
        })
    }
}
