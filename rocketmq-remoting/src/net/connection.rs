//! A handle to a connection, what its owner has to provide, and what it may demand.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::deadline::deadline;
use super::driver::Driver;
use super::error::{CallError, CloseReason};
use crate::code::ResponseCode;
use crate::command::Command;
use crate::frame::FrameLimits;

/// What answers the requests that the other side starts.
///
/// `handle` is called in the connection's own task for each request, in the order they came: it must not block.
pub trait Handler: Send + Sync + 'static {
    /// Takes a request and says how it will be answered. Answers to one-way requests are dropped.
    fn handle(&self, connection: &Connection, request: Command) -> Answer;

    /// Called after the requests of one read, and after every 32 of them with an [`Answer::Committed`], before those
    /// answers are written: makes durable what the requests changed, once for all of them. A refusal replaces each answer.
    ///
    /// # Errors
    /// What to answer instead.
    fn commit(&self, _connection: &Connection) -> Result<(), Refusal> {
        Ok(())
    }

    /// The connection is closed; no further call concerns it.
    fn closed(&self, _connection: &Connection, _reason: &CloseReason) {}
}

/// A refusal that stands for several answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Response code.
    pub code: ResponseCode,
    /// Remark, for people.
    pub remark: String,
}

/// How a request is answered. Opaque and header form are filled in from the request.
pub enum Answer {
    /// Not at all, or by [`Connection::push`] some time later.
    None,
    /// With this command.
    Now(Command),
    /// With this command, once [`Handler::commit`] has succeeded.
    Committed(Command),
    /// With what the future yields. It is polled in the connection's task and dropped when the connection closes.
    Later(BoxFuture<'static, Option<Command>>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Now(command) => f.debug_tuple("Now").field(command).finish(),
            Self::Committed(command) => f.debug_tuple("Committed").field(command).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// What frames are accepted.
    pub limits: FrameLimits,
    /// Close after this long without a whole frame read or anything written. Default none; Apache's peers use 120 s, and
    /// let a peer that never finishes a frame live as long as it sends bytes.
    pub idle: Option<Duration>,
    /// Bytes that may wait to be written before reading stops and [`Connection::push`] refuses. Default 16 MiB.
    pub max_write_buffer: usize,
    /// Unfinished [`Answer::Later`]s before reading stops; parked long polls count. Default 65 535, as many requests as
    /// Java has in flight.
    pub max_pending: usize,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self { limits: FrameLimits::default(), idle: None, max_write_buffer: 16 << 20, max_pending: 65_535 }
    }
}

/// A handle to a connection; clones share it.
///
/// The connection belongs to a task. It ends when the peer or [`close`](Self::close) ends it, and when the last handle
/// that keeps it (the one [`spawn`](Self::spawn) returned, and its clones) is dropped; what had been queued until then
/// is still written. Handles given to a [`Handler`] do not keep it.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(super) shared: Arc<Shared>,
    keeper: Option<Arc<Keeper>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    id: u64,
    peer: SocketAddr,
    local: SocketAddr,
    queue: mpsc::UnboundedSender<Outgoing>,
    pub closed: watch::Sender<Option<Arc<CloseReason>>>,
    /// Bytes pushed and not yet written.
    pub pushed: AtomicUsize,
    pub late_answers: AtomicU64,
    max_write_buffer: usize,
}

/// Closes the connection once nobody keeps it.
#[derive(Debug)]
struct Keeper(mpsc::UnboundedSender<Outgoing>);

impl Drop for Keeper {
    fn drop(&mut self) {
        // Fails only when the connection is gone already.
        let _ = self.0.send(Outgoing::Close);
    }
}

/// What handles ask of the task.
#[derive(Debug)]
pub(super) enum Outgoing {
    Call { command: Command, deadline: Instant, reply: oneshot::Sender<Result<Command, CallError>> },
    Oneway { command: Command, written: oneshot::Sender<Result<(), CallError>> },
    Push { command: Command, size: usize },
    Close,
}

impl Connection {
    /// Gives the stream to a task of its own, on the current tokio runtime.
    pub fn spawn<S>(
        stream: S,
        peer: SocketAddr,
        local: SocketAddr,
        handler: Arc<dyn Handler>,
        config: ConnectionConfig,
    ) -> Connection
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let (queue, outgoing) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            peer,
            local,
            queue: queue.clone(),
            closed: watch::Sender::new(None),
            pushed: AtomicUsize::new(0),
            late_answers: AtomicU64::new(0),
            max_write_buffer: config.max_write_buffer,
        });
        let inner = Connection { shared: shared.clone(), keeper: None };
        tokio::spawn(Driver::new(stream, inner, handler, outgoing, config));
        Connection { shared, keeper: Some(Arc::new(Keeper(queue))) }
    }

    /// Queues a request at once; the future waits for its answer, whatever its code.
    ///
    /// Dropping the future before the request was written takes it back; after that the answer is dropped when it comes.
    ///
    /// # Errors
    /// [`CallError::Timeout`] after `timeout`, [`CallError::Closed`] when the connection ends first.
    pub fn call(
        &self,
        command: Command,
        timeout: Duration,
    ) -> impl Future<Output = Result<Command, CallError>> + Send + use<'_> {
        let (reply, answer) = oneshot::channel();
        let queued =
            self.enqueue(Outgoing::Call { command, deadline: deadline(Instant::now(), timeout), reply });
        async move {
            queued?;
            match answer.await {
                Ok(Err(CallError::Timeout(_))) => Err(CallError::Timeout(timeout)),
                Ok(result) => result,
                Err(_) => Err(self.gone()),
            }
        }
    }

    /// Sends a request that is not answered, and waits until it is written.
    ///
    /// # Errors
    /// The connection ended before it was written.
    pub async fn send_oneway(&self, command: Command) -> Result<(), CallError> {
        let (written, done) = oneshot::channel();
        self.enqueue(Outgoing::Oneway { command: command.oneway(), written })?;
        done.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Queues a frame as it is (a late answer, a notification) without waiting. What does not encode is dropped.
    ///
    /// # Errors
    /// The connection is closed, or [`ConnectionConfig::max_write_buffer`] bytes wait already.
    pub fn push(&self, command: Command) -> Result<(), CallError> {
        let size = 256 + command.ext.text_len() + command.body.len();
        let waiting = self.shared.pushed.fetch_add(size, Ordering::Relaxed);
        if waiting > self.shared.max_write_buffer {
            self.shared.pushed.fetch_sub(size, Ordering::Relaxed);
            return Err(CallError::Overloaded { waiting, limit: self.shared.max_write_buffer });
        }
        self.enqueue(Outgoing::Push { command, size })
    }

    fn enqueue(&self, outgoing: Outgoing) -> Result<(), CallError> {
        self.shared.queue.send(outgoing).map_err(|_| self.gone())
    }

    fn gone(&self) -> CallError {
        CallError::Closed(self.close_reason().unwrap_or_else(|| Arc::new(CloseReason::Aborted)))
    }

    /// Closes once what is queued has been written and what is being called has been answered or timed out. Answers that
    /// are still to come [`Later`](Answer::Later) are dropped.
    pub fn close(&self) {
        // Fails only when it is closed already.
        let _ = self.shared.queue.send(Outgoing::Close);
    }

    /// Waits for the end and says why it came. Cancelling changes nothing.
    pub async fn closed(&self) -> Arc<CloseReason> {
        let mut closed = self.shared.closed.subscribe();
        let reason = closed.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| Arc::new(CloseReason::Aborted))
    }

    /// Why the connection is closed; `None` while it is open.
    pub fn close_reason(&self) -> Option<Arc<CloseReason>> {
        self.shared.closed.borrow().clone()
    }

    /// Whether the connection is closed.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.borrow().is_some()
    }

    /// A handle that does not keep the connection open.
    pub fn unkept(&self) -> Connection {
        Connection { shared: self.shared.clone(), keeper: None }
    }

    /// Lets the connection live until its peer or [`close`](Self::close) ends it, whoever holds handles.
    pub fn detach(self) -> Connection {
        let unkept = self.unkept();
        if let Some(keeper) = self.keeper {
            std::mem::forget(keeper);
        }
        unkept
    }

    /// The other end.
    pub fn peer(&self) -> SocketAddr {
        self.shared.peer
    }

    /// This end.
    pub fn local(&self) -> SocketAddr {
        self.shared.local
    }

    /// A number no other connection of this process has.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Answers that came after their caller had given up.
    pub fn late_answers(&self) -> u64 {
        self.shared.late_answers.load(Ordering::Relaxed)
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Connection {}
