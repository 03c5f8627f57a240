//! Gathers single sends into batches: messages of the same few milliseconds leave together.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::names::is_retry;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::batch::{self, Chunk};
use super::config::LingerConfig;
use super::sender::Sender;
use super::target::{Options, Target};
use crate::clock::instant;
use crate::error::SendError;
use crate::messages::Message;
use crate::messages::Receipt;

type Reply = oneshot::Sender<Result<Receipt, SendError>>;

/// Topic and `wait_store`: messages with equal keys may share a request.
type Key = (String, bool);

/// Gathers the messages of one producer. It answers every message exactly once: after its batch is sent, at the latest
/// by the producer's shutdown.
pub(super) struct Accumulator {
    sender: Arc<Sender>,
    config: LingerConfig,
    held: Mutex<Held>,
    sends: TaskTracker,
}

#[derive(Default)]
struct Held {
    buckets: HashMap<Key, Bucket>,
    bytes: usize,
    /// Numbers the buckets, so that a timer flushes the one it was set for and no later one.
    next: u64,
}

impl Held {
    fn take_all(&mut self) -> HashMap<Key, Bucket> {
        self.bytes = 0;
        mem::take(&mut self.buckets)
    }
}

struct Bucket {
    number: u64,
    chunk: Chunk,
    replies: Vec<Reply>,
}

/// The effects of a message that was added.
#[derive(Default)]
struct Taken {
    /// The buckets to send now: the one that it filled, and the one without room for it.
    full: Vec<Bucket>,
    /// The number of the bucket that it opened, whose timer must be started.
    opened: Option<u64>,
}

impl Accumulator {
    pub(super) fn new(sender: Arc<Sender>, config: LingerConfig) -> Arc<Self> {
        Arc::new(Self { sender, config, held: Mutex::default(), sends: TaskTracker::new() })
    }

    /// Sends `message` in a batch, or alone when it may not share one.
    pub(super) async fn send(self: &Arc<Self>, message: Message) -> Result<Receipt, SendError> {
        if !may_share(&message) || self.held.lock().bytes > self.config.total_bytes {
            return self.sender.send_now(message, Options::default()).await;
        }
        let key = (message.topic.clone(), message.properties.wait_store());
        let most = self.sender.config.max_batch_size();
        let (id, encoded) = batch::encode(&self.sender, &message)?;
        if encoded.len() > most {
            return self.sender.send_now(message, Options::default()).await;
        }
        let (reply, answer) = oneshot::channel();
        let Taken { full, opened } = self.take(&key, id, &encoded, reply, most);
        full.into_iter().for_each(|bucket| self.dispatch(key.clone(), bucket));
        if let Some(number) = opened {
            self.start_timer(key, number);
        }
        answer.await.unwrap_or_else(|_| Err(self.sender.is_shut_down()))
    }

    fn take(&self, key: &Key, id: String, encoded: &[u8], reply: Reply, most: usize) -> Taken {
        let limit = self.config.max_bytes.min(most);
        let mut held = self.held.lock();
        let mut taken = Taken::default();
        if held.buckets.get(key).is_some_and(|bucket| bucket.chunk.bytes() + encoded.len() > most) {
            taken.full.extend(take_out(&mut held, key));
        }
        held.bytes += encoded.len();
        let Held { buckets, next, .. } = &mut *held;
        let bucket = buckets.entry(key.clone()).or_insert_with(|| {
            *next += 1;
            taken.opened = Some(*next);
            Bucket { number: *next, chunk: Chunk::default(), replies: Vec::new() }
        });
        bucket.chunk.add(id, encoded);
        bucket.replies.push(reply);
        if bucket.chunk.bytes() >= limit {
            taken.full.extend(take_out(&mut held, key));
            taken.opened = None;
        }
        taken
    }

    fn start_timer(self: &Arc<Self>, key: Key, number: u64) {
        let (this, delay) = (Arc::downgrade(self), self.config.max_delay);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let Some(this) = this.upgrade() else { return };
            if let Some(bucket) = this.remove(&key, Some(number)) {
                this.dispatch(key, bucket);
            }
        });
    }

    fn remove(&self, key: &Key, number: Option<u64>) -> Option<Bucket> {
        let mut held = self.held.lock();
        if number.is_some_and(|number| held.buckets.get(key).is_none_or(|b| b.number != number)) {
            return None;
        }
        take_out(&mut held, key)
    }

    /// Sends a bucket in a task of its own: a cancelled send must not cancel the others.
    fn dispatch(&self, (topic, wait): Key, bucket: Bucket) {
        let sender = self.sender.clone();
        self.sends.spawn(async move {
            let deadline = sender.deadline(instant(), None);
            let sent = batch::send_chunk(&sender, &topic, wait, bucket.chunk, Target::Any, deadline).await;
            answer(bucket.replies, sent);
        });
    }

    /// Counts the messages that wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held.lock().buckets.values().map(|bucket| bucket.replies.len()).sum()
    }

    /// Sends all buckets, and returns when every message is answered.
    pub(super) async fn flush(&self) {
        let buckets = self.held.lock().take_all();
        buckets.into_iter().for_each(|(key, bucket)| self.dispatch(key, bucket));
        self.sends.close();
        self.sends.wait().await;
        self.sends.reopen();
    }
}

fn take_out(held: &mut Held, key: &Key) -> Option<Bucket> {
    let bucket = held.buckets.remove(key)?;
    held.bytes = held.bytes.saturating_sub(bucket.chunk.bytes());
    Some(bucket)
}

fn answer(replies: Vec<Reply>, sent: Result<Vec<Receipt>, SendError>) {
    // A sender that no longer waits is no failure of the batch.
    match sent {
        Ok(receipts) => replies.into_iter().zip(receipts).for_each(|(reply, r)| drop(reply.send(Ok(r)))),
        Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
    }
}

/// Tells whether a message may share a request: delays, retry topics and transactions forbid it.
fn may_share(message: &Message) -> bool {
    !message.is_delayed() && !is_retry(&message.topic) && !message.properties.is_transaction()
}
