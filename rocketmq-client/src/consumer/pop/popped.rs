//! [`Popped`]: a message that was handed out for a time.

use std::ops::Deref;

use super::receipt::PopReceipt;
use crate::clock::Clock;
use crate::messages::Delivery;

/// Holds a message that was handed out for a time. It reads as a [`Delivery`].
///
/// ```no_run
/// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
/// for message in simple.receive(16).await? {
///     println!("{}", message.message_id());
///     if !message.is_expired() {
///         simple.ack(&message).await?;
///     }
///     let delivery = message.into_delivery();
///     println!("{:?}", delivery.text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Popped {
    delivery: Delivery,
    pub(super) receipt: PopReceipt,
    /// The topic that was popped, named as on the wire.
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

    /// Returns the message.
    ///
    /// ```no_run
    /// # async fn example(message: rocketmq_client::consumer::Popped) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", message.delivery().text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Returns the message alone, without its receipt.
    ///
    /// ```no_run
    /// # async fn example(message: rocketmq_client::consumer::Popped) -> Result<(), Box<dyn std::error::Error>> {
    /// let delivery: rocketmq_client::Delivery = message.into_delivery();
    /// # drop(delivery);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_delivery(self) -> Delivery {
        self.delivery
    }

    /// Tells whether the time is over. The broker may then have handed the message to another consumer.
    ///
    /// ```no_run
    /// # async fn example(message: rocketmq_client::consumer::Popped) -> Result<(), Box<dyn std::error::Error>> {
    /// if message.is_expired() {
    ///     println!("too late for {}", message.message_id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_expired(&self) -> bool {
        self.receipt.due() <= self.clock.now_ms()
    }

    pub(crate) fn receipt(&self) -> &PopReceipt {
        &self.receipt
    }

    pub(crate) fn wire_topic(&self) -> &str {
        &self.topic
    }

    /// Tells whether its tag is a subscribed one, text for text.
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
