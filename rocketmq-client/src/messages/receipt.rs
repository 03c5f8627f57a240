//! [`Receipt`]: what a broker says about a message it stored.

use std::sync::Arc;

use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, DecodeError, ExtFields, ResponseCode};

/// How well a stored message is stored, where the broker was set up to do more than write it to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStatus {
    /// As well as the broker was asked to.
    Ok,
    /// Stored, but not on disk within the broker's time limit.
    FlushDiskTimeout,
    /// Stored, but not confirmed by a replica within the broker's time limit.
    FlushSlaveTimeout,
    /// Stored, but there is no replica to confirm it.
    SlaveNotAvailable,
}

impl SendStatus {
    /// `None` for an answer that is no success at all.
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

/// A message is stored, and this is where.
#[derive(Clone, Debug)]
pub struct Receipt {
    status: SendStatus,
    message_id: String,
    queue: Arc<MessageQueue>,
    queue_offset: i64,
    /// Which message of a batch this is about.
    member: usize,
    /// The rest of the answer, read when asked for.
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

    /// The receipt of message number `member` of a batch.
    pub(crate) fn of_member(&self, member: usize, message_id: String) -> Self {
        let queue_offset = self.queue_offset + member as i64;
        Self { message_id, queue_offset, member, ..self.clone() }
    }

    /// Whether it is stored as well as the broker was asked to.
    pub fn status(&self) -> SendStatus {
        self.status
    }

    /// The id this client gave it; consumers see the same.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The id that says where it is stored.
    pub fn offset_message_id(&self) -> &str {
        let ids = self.answer.get("msgId").unwrap_or_default();
        ids.split(',').nth(self.member).unwrap_or(ids)
    }

    /// The number of its queue.
    pub fn queue(&self) -> i32 {
        self.queue.queue_id
    }

    /// The broker it is on.
    pub fn broker(&self) -> &str {
        &self.queue.broker_name
    }

    /// Topic, broker and queue.
    pub fn message_queue(&self) -> &Arc<MessageQueue> {
        &self.queue
    }

    /// Its place in the queue.
    pub fn queue_offset(&self) -> i64 {
        self.queue_offset
    }

    /// The transaction id, which is the message id; 4.x brokers do not say it.
    pub fn transaction_id(&self) -> Option<&str> {
        self.answer.get("transactionId")
    }

    /// What [`Producer::recall`](crate::Producer::recall) takes; only for messages with a timer, on 5.x.
    pub fn recall_handle(&self) -> Option<&str> {
        self.answer.get("recallHandle")
    }

    /// The broker's region.
    pub fn region(&self) -> &str {
        self.answer.get("MSG_REGION").unwrap_or("DefaultRegion")
    }

    /// Whether the broker wants this message traced, which it does unless it says otherwise.
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
