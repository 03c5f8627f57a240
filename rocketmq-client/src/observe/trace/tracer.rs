//! The buffer of records, and the task that empties it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rocketmq_remoting::names::MAX_GROUP;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::bundle::messages;
use super::config::TraceConfig;
use super::record::Record;
use crate::chance::Chance;
use crate::clock::{Clock, instant};
use crate::error::{SendError, StartError};
use crate::messages::Message;

/// Records that may wait.
const BUFFER: u32 = 2048;
/// The longest a record waits for company.
const FLUSH: Duration = Duration::from_secs(5);
const MOST_TOGETHER: usize = 20;
/// Limits the send of one message of traces.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that a shutdown waits for the last traces.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// Messages of traces on their way at once.
const SENDS: usize = 4;

/// Numbers the trace producers of a process, whose groups have to differ.
static PRODUCERS: AtomicUsize = AtomicUsize::new(1);

/// The role of the traced member: part of the trace producer's group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Produce,
    Consume,
}

impl Role {
    /// Makes the group of the next producer of traces for a member of `traced`. `wrap` puts a name into the namespace.
    pub(crate) fn producer_of(self, traced: &str, wrap: impl Fn(&str) -> String) -> String {
        self.group(traced, PRODUCERS.fetch_add(1, Ordering::Relaxed), wrap)
    }

    /// Makes Java's name for the trace producer of a group, which cuts the end of a long group.
    fn group(self, traced: &str, number: usize, wrap: impl Fn(&str) -> String) -> String {
        let role = match self {
            Self::Produce => "PRODUCE",
            Self::Consume => "CONSUME",
        };
        let name = |traced: &str| format!("_INNER_TRACE_PRODUCER-{traced}-{role}-{number}");
        let room = MAX_GROUP.saturating_sub(wrap(&name("")).len());
        name(traced.get(..room).unwrap_or(traced))
    }
}

/// Sends the messages of traces.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// Sends one.
    fn send(&self, message: Message) -> BoxFuture<'static, Result<(), SendError>>;

    /// Sends no more.
    fn shutdown(&self) -> BoxFuture<'_, ()>;
}

/// The records of one event, with the room they take until they are sent.
type Event = (Vec<Record>, OwnedSemaphorePermit);

/// Takes the records of one producer or consumer. Dropping it sends what waits, in the background.
pub(crate) struct Tracer {
    pub(super) config: TraceConfig,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    /// The traced group, without namespace.
    pub(super) group: Arc<str>,
    records: mpsc::UnboundedSender<Event>,
    room: Arc<Semaphore>,
    dropped: Arc<AtomicU64>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Tracer {
    /// Starts the task for a member of `group`, whose records `carrier` sends.
    pub(crate) fn start(
        group: &str,
        config: TraceConfig,
        clock: Clock,
        chance: Chance,
        carrier: BoxFuture<'static, Result<Arc<dyn Carrier>, StartError>>,
    ) -> Arc<Self> {
        let (records, inbox) = mpsc::unbounded_channel();
        let (dropped, closing) = (Arc::<AtomicU64>::default(), CancellationToken::new());
        let writer = Writer { config: config.clone(), dropped: dropped.clone(), sends: JoinSet::new() };
        let task = tokio::spawn(writer.run(carrier, inbox, closing.clone()));
        Arc::new(Self {
            config,
            clock,
            chance,
            group: group.into(),
            records,
            room: Arc::new(Semaphore::new(BUFFER as usize)),
            dropped,
            closing,
            task: Mutex::new(Some(task)),
        })
    }

    /// Hands over the records of one event; never waits.
    pub(super) fn append(&self, records: Vec<Record>) {
        let count = records.len();
        if count == 0 {
            return;
        }
        // An event of more records than may wait takes all the room.
        let wanted = u32::try_from(count).unwrap_or(BUFFER).min(BUFFER);
        let Ok(room) = self.room.clone().try_acquire_many_owned(wanted) else {
            return count_dropped(&self.dropped, count, "the buffer is full");
        };
        if self.records.send((records, room)).is_err() {
            count_dropped(&self.dropped, count, "their producer is shut down");
        }
    }

    /// Counts the records that were lost.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sends what waits and ends the trace producer. Later records are dropped.
    pub(crate) async fn shutdown(&self) {
        self.closing.cancel();
        let task = self.task.lock().take();
        let Some(task) = task else { return };
        if tokio::time::timeout(SHUTDOWN, task).await.is_err() {
            tracing::warn!(group = %self.group, "the last message traces were not stored within 5 s");
        }
    }
}

/// Counts lost records, and logs the first and then every thousandth.
fn count_dropped(dropped: &AtomicU64, records: usize, why: &str) {
    let before = dropped.fetch_add(records as u64, Ordering::Relaxed);
    crate::observe::metrics::trace_dropped(records);
    if before == 0 || before / 1000 != (before + records as u64) / 1000 {
        tracing::warn!(dropped = before + records as u64, "message traces are lost: {why}");
    }
}

/// The task's side.
struct Writer {
    config: TraceConfig,
    dropped: Arc<AtomicU64>,
    sends: JoinSet<()>,
}

impl Writer {
    async fn run(
        mut self,
        carrier: BoxFuture<'static, Result<Arc<dyn Carrier>, StartError>>,
        mut inbox: mpsc::UnboundedReceiver<Event>,
        closing: CancellationToken,
    ) {
        let carrier = match carrier.await {
            Ok(carrier) => carrier,
            Err(error) => return tracing::error!(%error, "no message traces are written"),
        };
        let together = self.config.batch.clamp(1, MOST_TOGETHER);
        let (mut held, mut flushed) = (Vec::new(), instant());
        loop {
            tokio::select! {
                event = inbox.recv() => match event {
                    Some(event) => held.push(event),
                    None => break,
                },
                () = tokio::time::sleep_until(flushed + FLUSH), if !held.is_empty() => {}
                () = closing.cancelled(), if !inbox.is_closed() => {
                    inbox.close();
                    continue;
                }
            }
            if held.len() >= together || flushed.elapsed() >= FLUSH {
                self.send(&carrier, &mut held).await;
                flushed = instant();
            }
        }
        self.send(&carrier, &mut held).await;
        while self.sends.join_next().await.is_some() {}
        carrier.shutdown().await;
    }

    async fn send(&mut self, carrier: &Arc<dyn Carrier>, held: &mut Vec<Event>) {
        let (records, _room): (Vec<_>, Vec<_>) = held.drain(..).unzip();
        let records: Vec<Record> = records.into_iter().flatten().collect();
        for (message, records) in messages(&records, &self.config) {
            while self.sends.len() >= SENDS {
                self.sends.join_next().await;
            }
            self.sends.spawn(send(carrier.clone(), message, records, self.dropped.clone()));
        }
    }
}

async fn send(carrier: Arc<dyn Carrier>, message: Message, records: usize, dropped: Arc<AtomicU64>) {
    if let Err(error) = carrier.send(message).await {
        count_dropped(&dropped, records, &error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::trace::record;

    fn records(count: usize) -> Vec<Record> {
        let one = Record {
            time: 1,
            region: "R".into(),
            group: "g".into(),
            topic: "t".into(),
            message_id: "id".into(),
            keys: None,
            event: record::Event::Recalled { success: true },
        };
        vec![one; count]
    }

    #[test]
    fn the_trace_producer_of_the_longest_group_has_a_legal_name() {
        let plain = |traced: &str| Role::Consume.group(traced, 7, str::to_owned);
        assert_eq!(plain("g"), "_INNER_TRACE_PRODUCER-g-CONSUME-7");
        let longest = "g".repeat(MAX_GROUP);
        assert_eq!(plain(&longest).len(), MAX_GROUP);
        let spaced = Role::Produce.group(&longest[..110], usize::MAX, |name| format!("instance%{name}"));
        assert_eq!(spaced.len() + "instance%".len(), MAX_GROUP);
    }

    /// A tracer whose producer never comes up.
    fn tracer() -> Arc<Tracer> {
        let carrier = Box::pin(std::future::pending());
        Tracer::start("g", TraceConfig::default(), Clock::default(), Chance::default(), carrier)
    }

    #[tokio::test]
    async fn what_waits_is_counted_in_records() {
        let tracer = tracer();
        tracer.append(records(2000));
        tracer.append(records(48));
        assert_eq!(tracer.dropped(), 0);
        tracer.append(records(1));
        assert_eq!(tracer.dropped(), 1, "2048 records wait");
    }

    #[tokio::test]
    async fn an_event_too_large_for_the_buffer_fills_it() {
        let tracer = tracer();
        tracer.append(records(3000));
        tracer.append(records(2));
        assert_eq!(tracer.dropped(), 2);
    }
}
