//! The buffer of records, and the task that empties it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::TraceConfig;
use super::bundle::{MAX_TEXT, messages};
use super::record::Record;
use crate::client::Client;
use crate::config::ProducerConfig;
use crate::message::Message;
use crate::producer::{Producer, ProducerBuilder};

/// What may wait, as in Java: the records of one send or one call count as one.
const BUFFER: usize = 2048;
/// The longest a record waits for company.
const FLUSH: Duration = Duration::from_secs(5);
const MOST_TOGETHER: usize = 20;
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// What a shutdown waits for the last traces.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// Messages of traces on their way at once.
const SENDS: usize = 4;

/// Numbers the trace producers of a process, whose groups have to differ.
static PRODUCERS: AtomicUsize = AtomicUsize::new(1);

/// Whose traces they are: part of the trace producer's group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Produce,
    Consume,
}

impl Role {
    fn group(self, traced: &str) -> String {
        let role = match self {
            Self::Produce => "PRODUCE",
            Self::Consume => "CONSUME",
        };
        let number = PRODUCERS.fetch_add(1, Ordering::Relaxed);
        format!("_INNER_TRACE_PRODUCER-{traced}-{role}-{number}")
    }
}

/// Takes the records of one producer or consumer. Dropping it sends what waits, in the background.
pub(crate) struct Tracer {
    pub(super) config: TraceConfig,
    /// The traced group, without namespace.
    pub(super) group: Arc<str>,
    records: mpsc::Sender<Vec<Record>>,
    dropped: Arc<AtomicU64>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Tracer {
    /// Starts the task.
    pub(crate) fn start(client: &Client, group: &str, role: Role, config: TraceConfig) -> Arc<Self> {
        let (records, inbox) = mpsc::channel(BUFFER);
        let (dropped, closing) = (Arc::<AtomicU64>::default(), CancellationToken::new());
        let writer = Writer { config: config.clone(), dropped: dropped.clone(), sends: JoinSet::new() };
        let producer = trace_producer(client, role.group(group));
        let task = tokio::spawn(writer.run(producer, inbox, closing.clone()));
        Arc::new(Self {
            config,
            group: group.into(),
            records,
            dropped,
            closing,
            task: Mutex::new(Some(task)),
        })
    }

    /// Hands over the records of one event; never waits.
    pub(super) fn append(&self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        if let Err(TrySendError::Full(lost) | TrySendError::Closed(lost)) = self.records.try_send(records) {
            count_dropped(&self.dropped, lost.len(), "the buffer is full");
        }
    }

    /// How many records were lost.
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

/// The first loss is worth a line, and then every thousandth.
fn count_dropped(dropped: &AtomicU64, records: usize, why: &str) {
    let before = dropped.fetch_add(records as u64, Ordering::Relaxed);
    crate::metrics::trace_dropped(records);
    if before == 0 || before / 1000 != (before + records as u64) / 1000 {
        tracing::warn!(dropped = before + records as u64, "message traces are lost: {why}");
    }
}

fn trace_producer(client: &Client, group: String) -> ProducerBuilder {
    ProducerBuilder::unobserved(client.clone(), group).config(ProducerConfig {
        send_timeout: SEND_TIMEOUT,
        max_message_size: MAX_TEXT,
        ..ProducerConfig::default()
    })
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
        producer: ProducerBuilder,
        mut inbox: mpsc::Receiver<Vec<Record>>,
        closing: CancellationToken,
    ) {
        let producer = match producer.build().await {
            Ok(producer) => producer,
            Err(error) => return tracing::error!(%error, "no message traces are written"),
        };
        let together = self.config.batch.clamp(1, MOST_TOGETHER);
        let (mut held, mut flushed) = (Vec::new(), Instant::now());
        loop {
            tokio::select! {
                events = inbox.recv() => match events {
                    Some(records) => held.push(records),
                    None => break,
                },
                () = tokio::time::sleep_until(flushed + FLUSH), if !held.is_empty() => {}
                () = closing.cancelled(), if !inbox.is_closed() => {
                    inbox.close();
                    continue;
                }
            }
            if held.len() >= together || flushed.elapsed() >= FLUSH {
                self.send(&producer, &mut held).await;
                flushed = Instant::now();
            }
        }
        self.send(&producer, &mut held).await;
        while self.sends.join_next().await.is_some() {}
        producer.shutdown().await;
    }

    async fn send(&mut self, producer: &Producer, held: &mut Vec<Vec<Record>>) {
        let records: Vec<Record> = held.drain(..).flatten().collect();
        for (message, records) in messages(&records, &self.config) {
            while self.sends.len() >= SENDS {
                self.sends.join_next().await;
            }
            self.sends.spawn(send(producer.clone(), message, records, self.dropped.clone()));
        }
    }
}

async fn send(producer: Producer, message: Message, records: usize, dropped: Arc<AtomicU64>) {
    if let Err(error) = producer.send(message).await {
        count_dropped(&dropped, records, &error.to_string());
    }
}
