//! Receives messages one by one from a pull consumer.

use crate::context::Context;
use crate::extract::FromMessage;
use crate::outcome::BoxError;
use rocketmq_client::Delivery;
use rocketmq_client::consumer::LiteConsumer;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Receives the messages of one pull consumer: of `[rocketmq.pull-consumers.<name>]`, by
/// [`Context::receiver`], or of `[rocketmq.pull-consumer]`, by [`RocketmqTemplate::receive`](crate::RocketmqTemplate::receive).
/// Clones share the consumer.
///
/// Messages are pulled in batches. A batch counts as consumed when the call after its last message begins; messages of an
/// unfinished batch are delivered again after a crash.
///
/// ```no_run
/// use rocketmq_starter::{App, BoxError, Json};
/// use std::time::Duration;
///
/// # async fn run() -> Result<(), BoxError> {
/// let app = App::new()
///     .set("rocketmq.pull-consumers.rows.group", "row-readers")
///     .set("rocketmq.pull-consumers.rows.topic", "rows")
///     .start()
///     .await?;
/// let rows = app.context().receiver("rows").ok_or("no `rocketmq.pull-consumers.rows`")?;
/// while let Some(Json(row)) = rows.receive::<Json<u32>>(Duration::from_secs(5)).await? {
///     println!("{row}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Receiver(Arc<Mutex<Option<Inbox>>>);

/// All pull consumers; that of `[rocketmq.pull-consumer]` has no name.
pub(crate) type Receivers = BTreeMap<Option<String>, Receiver>;

/// The consumer, and the messages of its last batch that are not taken yet. The consumer commits a batch when the next one
/// is asked for, after the last message of the batch was taken.
#[derive(Debug)]
struct Inbox {
    consumer: LiteConsumer,
    waiting: VecDeque<Delivery>,
}

impl Receiver {
    pub(crate) fn new(consumer: LiteConsumer) -> Self {
        Receiver(Arc::new(Mutex::new(Some(Inbox { consumer, waiting: VecDeque::new() }))))
    }

    /// Receives the next message, read like an argument of a listener (`Json<T>`, `Text`, `Delivery`). It waits at most
    /// `timeout`, and returns `None` when no message came. [`Receiver`] shows a use.
    ///
    /// # Errors
    /// Fails after the shutdown, and for a message that cannot be read; the next call passes over such a message.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn receive<T: FromMessage>(&self, timeout: Duration) -> Result<Option<T>, BoxError> {
        let mut inbox = self.0.lock().await;
        let inbox = inbox.as_mut().ok_or("the application is shut down")?;
        if inbox.waiting.is_empty() {
            inbox.waiting.extend(inbox.consumer.poll(timeout).await?.into_iter().flatten());
        }
        let Some(delivery) = inbox.waiting.pop_front() else { return Ok(None) };
        Ok(Some(T::from_message(&delivery, &Context::default())?))
    }

    /// Leaves the group; later calls fail.
    pub(crate) async fn shutdown(&self) {
        if let Some(inbox) = self.0.lock().await.take() {
            inbox.consumer.shutdown().await;
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
