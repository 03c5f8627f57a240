//! Batches: messages of one topic in one request, split so that each request fits.

use std::fmt;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use rocketmq_remoting::message::batch::{BatchMessage, OVERHEAD};
use rocketmq_remoting::names::is_retry;
use tracing::Instrument as _;

use super::outgoing::{Outgoing, stamp};
use super::parts::{self, Keys, Part};
use super::sender::Sender;
use super::target::{Options, Target};
use super::watch::Watch;
use crate::clock::{Instant, instant};
use crate::error::{SendError, SendErrorKind};
use crate::messages::Message;
use crate::messages::Receipt;

/// Says which messages of a batch were stored, and why the next ones were not.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer, orders: Vec<rocketmq_client::Message>) -> Result<(), Box<dyn std::error::Error>> {
/// if let Err(failed) = producer.send_batch(orders).await {
///     println!("{} messages are stored; then {}", failed.stored().len(), failed.error());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BatchError {
    stored: Stored,
    error: SendError,
}

impl BatchError {
    /// Returns the receipts of the messages that were stored before the failure, in the order of the batch.
    /// [`stored_at`](Self::stored_at) tells which messages these are.
    ///
    /// ```no_run
    /// # async fn example(failed: rocketmq_client::producer::BatchError) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} messages are stored", failed.stored().len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored(&self) -> &[Receipt] {
        &self.stored.receipts
    }

    /// Returns the places in the batch, from 0, of the messages that were stored. They are the first ones, unless the
    /// messages had [ordering keys of their own](crate::producer::SendingBatch::ordered_by_each).
    ///
    /// ```no_run
    /// # async fn example(failed: rocketmq_client::producer::BatchError) -> Result<(), Box<dyn std::error::Error>> {
    /// for (place, receipt) in failed.stored_at().iter().zip(failed.stored()) {
    ///     println!("message {place} is stored as {}", receipt.message_id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored_at(&self) -> &[usize] {
        &self.stored.places
    }

    /// Returns the error of the request that failed.
    ///
    /// ```no_run
    /// # async fn example(failed: rocketmq_client::producer::BatchError) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", failed.error().kind());
    /// # Ok(())
    /// # }
    /// ```
    pub fn error(&self) -> &SendError {
        &self.error
    }
}

impl From<SendError> for BatchError {
    fn from(error: SendError) -> Self {
        Self { stored: Stored::default(), error }
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} stored messages of the batch: {}", self.stored().len(), self.error)
    }
}

impl std::error::Error for BatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The messages of one request.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    ids: Vec<String>,
    body: BytesMut,
}

pub(super) async fn send(
    sender: &Sender,
    mut messages: Vec<Message>,
    options: Options,
    keys: Option<Keys>,
) -> Result<Vec<Receipt>, BatchError> {
    let (watch, count) = (Watch::batch(sender, &mut messages), messages.len());
    let sending: BoxFuture<'_, _> = Box::pin(send_parts(sender, messages, options, keys));
    let result = sending.instrument(watch.span.clone()).await;
    match &result {
        Ok(receipts) => watch.end_batch(count, receipts, None),
        Err(failed) => watch.end_batch(count, failed.stored(), Some(&failed.error)),
    }
    result
}

async fn send_parts(
    sender: &Sender,
    mut messages: Vec<Message>,
    options: Options,
    keys: Option<Keys>,
) -> Result<Vec<Receipt>, BatchError> {
    for message in &mut messages {
        sender.admit(message)?;
    }
    let Some(first) = messages.first() else { return Ok(Vec::new()) };
    check(&messages).map_err(|fault| SendError::new(SendErrorKind::InvalidMessage, fault))?;
    let (topic, wait) = (first.topic.clone(), first.properties.wait_store());
    let deadline = sender.deadline(instant(), options.timeout);
    let parts = match keys {
        Some(keys) => parts::by_queue(sender, &topic, messages, keys, deadline).await?,
        None => vec![Part::whole(messages, options.target)],
    };
    // Everything is split before anything is sent: a message that is too large stops the batch early.
    let split = |part: Part| Ok((part.places, Sticky::new(part.target), split(sender, part.messages)?));
    let parts: Vec<_> = parts.into_iter().map(split).collect::<Result<_, SendError>>()?;
    let mut stored = Stored::default();
    for (places, mut target, chunks) in parts {
        let mut places = places.into_iter();
        for chunk in chunks {
            match send_chunk(sender, &topic, wait, chunk, target.next(), deadline).await {
                Ok(receipts) => {
                    target.stick(receipts.first());
                    stored.add(&mut places, receipts);
                }
                Err(error) => return Err(BatchError { stored: stored.sorted(), error }),
            }
        }
    }
    Ok(stored.sorted().receipts)
}

/// The receipts so far, and the places of their messages in the batch.
#[derive(Clone, Debug, Default)]
struct Stored {
    places: Vec<usize>,
    receipts: Vec<Receipt>,
}

impl Stored {
    fn add(&mut self, places: &mut impl Iterator<Item = usize>, receipts: Vec<Receipt>) {
        self.places.extend(places.take(receipts.len()));
        self.receipts.extend(receipts);
    }

    /// Puts the receipts in the order of the batch.
    fn sorted(self) -> Self {
        let mut pairs: Vec<_> = self.places.into_iter().zip(self.receipts).collect();
        pairs.sort_by_key(|(place, _)| *place);
        let (places, receipts) = pairs.into_iter().unzip();
        Self { places, receipts }
    }
}

/// Sends all chunks to the queue of the first: a selector can be asked only once.
struct Sticky {
    target: Option<Target>,
    bound: bool,
}

impl Sticky {
    fn new(target: Target) -> Self {
        Self { bound: !matches!(target, Target::Any), target: Some(target) }
    }

    fn next(&mut self) -> Target {
        self.target.take().unwrap_or_default()
    }

    fn stick(&mut self, receipt: Option<&Receipt>) {
        if let Some(receipt) = receipt.filter(|_| self.bound) {
            self.target = Some(Target::Queue((**receipt.message_queue()).clone()));
        }
    }
}

pub(super) async fn send_chunk(
    sender: &Sender,
    topic: &str,
    wait_store: bool,
    chunk: Chunk,
    target: Target,
    deadline: Instant,
) -> Result<Vec<Receipt>, SendError> {
    let begun = instant();
    let Chunk { ids, body } = chunk;
    let _room = sender.room(body.len(), deadline).await?;
    let out = Outgoing::batch(sender, topic.to_owned(), body.freeze(), wait_store, begun);
    let batch = sender.route_and_dispatch(&out, target, deadline).await?;
    Ok(members(&batch, ids))
}

fn members(batch: &Receipt, ids: Vec<String>) -> Vec<Receipt> {
    ids.into_iter().enumerate().map(|(member, id)| batch.of_member(member, id)).collect()
}

/// Refuses, before anything is sent, batches that brokers refuse.
fn check(messages: &[Message]) -> Result<(), String> {
    let Some(first) = messages.first() else { return Ok(()) };
    for message in messages {
        if message.topic != first.topic {
            return Err(format!(
                "a batch holds messages to {} and to {}; send one batch per topic",
                first.topic, message.topic
            ));
        }
        if is_retry(&message.topic) {
            return Err(format!(
                "a batch may not go to the retry topic {}; send its messages singly",
                message.topic
            ));
        }
        if message.is_delayed() {
            return Err(format!("a message to {} in a batch is delayed; send it by itself", message.topic));
        }
        if message.properties.wait_store() != first.properties.wait_store() {
            return Err(format!(
                "a batch to {} holds messages that wait for storage and messages that do not; send two batches",
                first.topic
            ));
        }
    }
    Ok(())
}

/// Splits the messages in their order into chunks that are as long as a batch may be.
fn split(sender: &Sender, messages: Vec<Message>) -> Result<Vec<Chunk>, SendError> {
    let most = sender.config.max_batch_size();
    let mut chunks: Vec<Chunk> = Vec::new();
    for message in messages {
        let (id, encoded) = encode(sender, &message)?;
        if encoded.len() > most {
            return Err(too_large(encoded.len(), most));
        }
        match chunks.last_mut() {
            Some(chunk) if chunk.body.len() + encoded.len() <= most => chunk.add(id, &encoded),
            _ => {
                let mut chunk = Chunk::default();
                chunk.add(id, &encoded);
                chunks.push(chunk);
            }
        }
    }
    Ok(chunks)
}

fn too_large(size: usize, most: usize) -> SendError {
    let text = format!(
        "a message takes {size} bytes in a batch with its properties, the limit is {most}; send it by itself"
    );
    SendError::new(SendErrorKind::InvalidMessage, text)
}

impl Chunk {
    pub(super) fn add(&mut self, id: String, encoded: &[u8]) {
        self.ids.push(id);
        self.body.extend_from_slice(encoded);
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// Encodes one message of a batch: its id and its bytes.
pub(super) fn encode(sender: &Sender, message: &Message) -> Result<(String, Bytes), SendError> {
    let (id, properties) = stamp(sender, message)?;
    let mut encoded = BytesMut::with_capacity(OVERHEAD + message.body.len() + properties.len());
    let body = message.body.clone();
    BatchMessage { flag: message.flag, body, properties }.encode(&mut encoded).map_err(|error| {
        SendError::new(SendErrorKind::InvalidMessage, "a message cannot be written").with_source(error)
    })?;
    Ok((id, encoded.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::DelayLevel;

    #[test]
    fn what_brokers_refuse_is_named() {
        let plain = || Message::new("t", "b");
        assert_eq!(check(&[plain(), plain()]), Ok(()));
        let fault = |other: Message| check(&[plain(), other]).expect_err("refused");
        assert!(fault(Message::new("u", "b")).contains("per topic"));
        assert!(fault(plain().deliver_after(DelayLevel::S1)).contains("delayed"));
        assert!(fault(plain().wait_store(false)).contains("two batches"));
        assert!(check(&[Message::new("%RETRY%g", "b")]).is_err_and(|fault| fault.contains("retry topic")));
    }
}
