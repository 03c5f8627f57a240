//! [`Popped`]: a message handed out for a time.

use std::ops::Deref;

use super::receipt::PopReceipt;
use crate::clock::Clock;
use crate::messages::Delivery;

/// A message handed out for a time. It reads as a [`Delivery`].
#[derive(Debug, Clone)]
pub struct Popped {
    delivery: Delivery,
    pub(super) receipt: PopReceipt,
    /// The topic that was popped, as it is on the wire.
    topic: String,
    wanted: bool,
    clock: Clock,
}

impl Popped {
    pub(crate) fn new(
        wanted: bool,
        delivery: Delivery,
        receipt: PopReceipt,
        topic: String,
        clock: Clock,
    ) -> Self {
        Self { delivery, receipt, topic, wanted, clock }
    }

    /// The message.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The message alone.
    pub fn into_delivery(self) -> Delivery {
        self.delivery
    }

    /// Whether the time is over and the broker may have handed it to someone else.
    pub fn is_expired(&self) -> bool {
        self.receipt.due() <= self.clock.now_ms()
    }

    pub(crate) fn receipt(&self) -> &PopReceipt {
        &self.receipt
    }

    pub(crate) fn wire_topic(&self) -> &str {
        &self.topic
    }

    /// Whether its tag is one of those subscribed to, text for text.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }
}

impl Deref for Popped {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}
