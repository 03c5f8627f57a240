//! Sends the messages of an outbox.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_client::error::SendErrorKind;
use rocketmq_client::remoting::ResponseCode;
use rocketmq_client::{Producer, SendError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Entry, OutboxStore, StoreError};

/// Messages that are read from the table at once, and sent side by side.
const PAGE: usize = 64;
/// The relay looks for messages that nobody woke it for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sends the messages of an outbox, oldest first, and removes those that a broker has stored. The crate's page shows a use.
///
/// Messages without an ordering key are sent side by side; those with the same key one after the other. A message that cannot be
/// sent now is tried again later, and holds up only messages with its ordering key. One that no broker will ever take is
/// [set aside](OutboxStore::set_aside), with an error in the log.
pub struct Relay {
    store: Arc<dyn OutboxStore>,
    producer: Producer,
    interval: Duration,
}

impl Relay {
    /// Makes a relay. The producer's time-outs and retries hold for each message.
    pub fn new(store: impl OutboxStore, producer: Producer) -> Self {
        Self { store: Arc::new(store), producer, interval: INTERVAL }
    }

    /// Sets how long the relay waits before it looks again without being woken. Default: 1 s.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Sends all messages that wait, and returns the number of those that were sent. Messages that cannot be sent now stay.
    ///
    /// # Errors
    /// Fails if the store does. Messages that were sent and not removed are sent again.
    ///
    /// # Cancel safety
    /// Dropping the future may leave messages in the store that were sent; they are sent again, with the same ids.
    pub async fn flush(&self) -> Result<usize, StoreError> {
        let (mut after, mut sent, mut blocked) = (i64::MIN, 0, HashSet::new());
        loop {
            let page = self.store.waiting(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(sent) };
            after = last.position;
            let ends = join_all(lanes(page, &blocked).into_iter().map(|lane| self.send_in_order(lane))).await;
            let stored: Vec<i64> = ends.iter().flat_map(|end| end.stored.iter().copied()).collect();
            sent += stored.len();
            if !stored.is_empty() {
                self.store.remove(&stored).await?;
            }
            for end in ends {
                if let Some((position, why)) = &end.hopeless {
                    self.store.set_aside(*position, why).await?;
                }
                blocked.extend(end.blocked);
            }
        }
    }

    /// Sends messages one after the other, until one fails.
    async fn send_in_order(&self, lane: Vec<Entry>) -> LaneEnd {
        let mut end = LaneEnd::default();
        for entry in lane {
            let (key, id) = (entry.message.ordering_key(), &entry.id);
            let sending = self.producer.send(entry.message.to_message(id));
            let result = match key {
                Some(key) => sending.ordered_by(key).await,
                None => sending.await,
            };
            let Err(error) = result else {
                end.stored.push(entry.position);
                continue;
            };
            if is_hopeless(&error) {
                tracing::error!(id, topic = entry.message.topic(), %error, "no broker takes this message of the outbox; it is set aside");
                end.hopeless = Some((entry.position, error.to_string()));
            } else {
                tracing::warn!(id, topic = entry.message.topic(), %error, "a message of the outbox was not sent; it is tried again");
            }
            end.blocked = key.map(str::to_owned);
            break;
        }
        end
    }

    /// Sends messages in a task until it is shut down.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    pub fn spawn(self) -> RunningRelay {
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let task = tokio::spawn(self.run(wake.clone(), stop.clone()));
        RunningRelay { wake, stop, task }
    }

    async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "the outbox cannot be read or changed; the relay tries again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wake.notified() => {}
                () = tokio::time::sleep(self.interval) => {}
            }
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("interval", &self.interval).finish_non_exhaustive()
    }
}

/// The messages of a page that were sent one after the other.
#[derive(Debug, Default)]
struct LaneEnd {
    stored: Vec<i64>,
    hopeless: Option<(i64, String)>,
    /// The ordering key whose later messages must wait.
    blocked: Option<String>,
}

/// Splits a page into messages that may be sent side by side: one lane for each ordering key, and for each message without one.
fn lanes(page: Vec<Entry>, blocked: &HashSet<String>) -> Vec<Vec<Entry>> {
    let (mut lanes, mut keyed) = (Vec::new(), BTreeMap::<String, Vec<Entry>>::new());
    for entry in page {
        match entry.message.ordering_key() {
            Some(key) if blocked.contains(key) => {}
            Some(key) => keyed.entry(key.to_owned()).or_default().push(entry),
            None => lanes.push(vec![entry]),
        }
    }
    lanes.extend(keyed.into_values());
    lanes
}

/// Returns true for a message that itself is wrong. Everything else may be mended: a topic, a permission, a broker.
fn is_hopeless(error: &SendError) -> bool {
    let illegal = |code| code == ResponseCode::MESSAGE_ILLEGAL;
    error.kind() == SendErrorKind::InvalidMessage
        || error.refusal().is_some_and(|refusal| illegal(refusal.code))
}

/// A relay at work. Dropping it lets the relay go on.
#[derive(Debug)]
pub struct RunningRelay {
    wake: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningRelay {
    /// Lets the relay look for messages now: call it after a commit.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the relay after the messages that it is sending. Messages that wait are sent after the next start.
    ///
    /// # Cancel safety
    /// Dropping the future ends the relay all the same, and waits no longer.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the relay of the outbox has panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutboxMessage;

    fn entry(position: i64, key: Option<&str>) -> Entry {
        let message = OutboxMessage::new("t", "x");
        let message = key.map_or(message.clone(), |key| message.ordered_by(key));
        Entry { position, id: position.to_string(), message }
    }

    #[test]
    fn an_ordering_key_is_one_lane_and_a_blocked_one_is_none() {
        let page = vec![
            entry(1, Some("a")),
            entry(2, None),
            entry(3, Some("b")),
            entry(4, Some("a")),
            entry(5, None),
        ];
        let lanes = lanes(page, &HashSet::from(["b".to_owned()]));
        let positions: Vec<Vec<i64>> =
            lanes.iter().map(|lane| lane.iter().map(|entry| entry.position).collect()).collect();
        assert_eq!(positions, [vec![2], vec![5], vec![1, 4]]);
    }
}
