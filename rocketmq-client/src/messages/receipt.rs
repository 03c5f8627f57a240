//! [`Receipt`]: the answer of a broker that stored a message.

use std::sync::Arc;

use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, DecodeError, ExtFields, ResponseCode};

/// Tells how durably a message is stored. A message with any of these statuses is stored.
///
/// ```
/// use rocketmq_client::SendStatus;
///
/// fn is_durable(status: SendStatus) -> bool {
///     status == SendStatus::Ok
/// }
/// assert!(!is_durable(SendStatus::SlaveNotAvailable));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStatus {
    /// Flushed and replicated as the broker is configured.
    Ok,
    /// Stored, but not on disk within the broker's time limit.
    FlushDiskTimeout,
    /// Stored, but not confirmed by a replica within the broker's time limit.
    FlushSlaveTimeout,
    /// Stored, but there is no replica to confirm it.
    SlaveNotAvailable,
}

impl SendStatus {
    /// Reads the code of an answer; `None` for one that is no success.
    pub(crate) fn of(code: ResponseCode) -> Option<Self> {
        match code {
            ResponseCode::SUCCESS => Some(Self::Ok),
            ResponseCode::FLUSH_DISK_TIMEOUT => Some(Self::FlushDiskTimeout),
            ResponseCode::FLUSH_SLAVE_TIMEOUT => Some(Self::FlushSlaveTimeout),
            ResponseCode::SLAVE_NOT_AVAILABLE => Some(Self::SlaveNotAvailable),
            _ => None,
        }
    }
}

/// Says where a broker stored a message.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::{Message, SendStatus};
///
/// let receipt = producer.send(Message::new("orders", "42")).await?;
/// println!("{} at offset {} of queue {} of {}", receipt.message_id(), receipt.queue_offset(), receipt.queue(), receipt.broker());
/// if receipt.status() != SendStatus::Ok {
///     println!("stored, but not as durably as configured: {:?}", receipt.status());
/// }
/// # let _ = (receipt.message_queue(), receipt.region(), receipt.is_traced(), receipt.transaction_id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Receipt {
    status: SendStatus,
    message_id: String,
    queue: Arc<MessageQueue>,
    queue_offset: i64,
    /// The message's index in its batch; 0 outside of batches.
    member: usize,
    /// The fields of the answer, for the getters.
    answer: Arc<ExtFields>,
}

impl Receipt {
    /// Reads the answer to a send.
    ///
    /// # Errors
    /// The answer names no queue offset.
    pub(crate) fn read(
        status: SendStatus,
        message_id: String,
        queue: &Arc<MessageQueue>,
        response: Command,
    ) -> Result<Self, DecodeError> {
        let number = |name| response.ext.get(name)?.parse::<i64>().ok();
        let queue_offset = number("queueOffset").ok_or(DecodeError::MissingField("queueOffset"))?;
        let queue = match number("queueId").and_then(|id| i32::try_from(id).ok()) {
            Some(id) if id != queue.queue_id => Arc::new(MessageQueue { queue_id: id, ..(**queue).clone() }),
            _ => queue.clone(),
        };
        Ok(Self { status, message_id, queue, queue_offset, member: 0, answer: Arc::new(response.ext) })
    }

    /// Makes the receipt of message number `member` of a batch.
    pub(crate) fn of_member(&self, member: usize, message_id: String) -> Self {
        let queue_offset = self.queue_offset + member as i64;
        Self { message_id, queue_offset, member, ..self.clone() }
    }

    /// Returns how durably the message is stored.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(receipt.status(), rocketmq_client::SendStatus::Ok);
    /// # Ok(())
    /// # }
    /// ```
    pub fn status(&self) -> SendStatus {
        self.status
    }

    /// Returns the id that this client gave the message; [`Delivery::message_id`](crate::Delivery::message_id) shows
    /// consumers the same.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", receipt.message_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns the id that encodes the broker's address and the offset in its commit log.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// let stored = client.view_message("orders", receipt.offset_message_id()).await?;
    /// println!("{:?}", stored.stored_at());
    /// # Ok(())
    /// # }
    /// ```
    pub fn offset_message_id(&self) -> &str {
        let ids = self.answer.get("msgId").unwrap_or_default();
        ids.split(',').nth(self.member).unwrap_or(ids)
    }

    /// Returns the number of the queue.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("queue {}", receipt.queue());
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue(&self) -> i32 {
        self.queue.queue_id
    }

    /// Returns the name of the broker.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", receipt.broker());
    /// # Ok(())
    /// # }
    /// ```
    pub fn broker(&self) -> &str {
        &self.queue.broker_name
    }

    /// Returns topic, broker and queue; the topic is named as on the wire.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", receipt.message_queue());
    /// # Ok(())
    /// # }
    /// ```
    pub fn message_queue(&self) -> &Arc<MessageQueue> {
        &self.queue
    }

    /// Returns the message's offset in its queue.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("offset {}", receipt.queue_offset());
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue_offset(&self) -> i64 {
        self.queue_offset
    }

    /// Returns the transaction id, which is the message id. Brokers of 4.x do not send it.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", receipt.transaction_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction_id(&self) -> Option<&str> {
        self.answer.get("transactionId")
    }

    /// Returns the handle for [`Producer::recall`](crate::Producer::recall). Only brokers of 5.x give one, and only for
    /// messages with a timer.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Message;
    /// # use std::time::Duration;
    /// let receipt = producer.send(Message::new("reminders", "pay").delay(Duration::from_secs(60))).await?;
    /// if let Some(handle) = receipt.recall_handle() {
    ///     producer.recall("reminders", handle).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn recall_handle(&self) -> Option<&str> {
        self.answer.get("recallHandle")
    }

    /// Returns the broker's region; `DefaultRegion` when the broker names none.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", receipt.region());
    /// # Ok(())
    /// # }
    /// ```
    pub fn region(&self) -> &str {
        self.answer.get("MSG_REGION").unwrap_or("DefaultRegion")
    }

    /// Tells whether the broker wants the message traced. Default of brokers: yes.
    ///
    /// ```no_run
    /// # async fn example(receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", receipt.is_traced());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_traced(&self) -> bool {
        self.answer.get("TRACE_ON") != Some("false")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(fields: &[(&str, &str)]) -> Command {
        let mut command = Command::response(ResponseCode::SUCCESS);
        fields.iter().for_each(|(name, value)| command.ext.push(name, value));
        command
    }

    fn read(fields: &[(&str, &str)]) -> Result<Receipt, DecodeError> {
        let queue = Arc::new(MessageQueue::new("t", "a", 1));
        Receipt::read(SendStatus::Ok, "ID".into(), &queue, response(fields))
    }

    #[test]
    fn the_broker_decides_the_queue() {
        let receipt = read(&[("queueId", "3"), ("queueOffset", "7"), ("msgId", "X")]).expect("readable");
        assert_eq!((receipt.queue(), receipt.queue_offset(), receipt.offset_message_id()), (3, 7, "X"));
        assert_eq!(read(&[("queueId", "3")]).unwrap_err(), DecodeError::MissingField("queueOffset"));
    }

    #[test]
    fn members_of_a_batch_have_their_own_ids_and_offsets() {
        let batch = read(&[("queueId", "1"), ("queueOffset", "7"), ("msgId", "X,Y,Z")]).expect("readable");
        let last = batch.of_member(2, "M2".into());
        assert_eq!((last.message_id(), last.queue_offset(), last.offset_message_id()), ("M2", 9, "Z"));
    }
}
