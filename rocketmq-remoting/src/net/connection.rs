//! The handle of a connection, the handler of its requests, and its limits.

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
use super::memory::{FREE, MemoryLimit};
use crate::code::ResponseCode;
use crate::command::Command;
use crate::frame::FrameLimits;

/// Answers the requests of the peer.
///
/// The connection's own task calls `handle` for each request, in the order of arrival, so it must not block.
pub trait Handler: Send + Sync + 'static {
    /// Takes a request and returns its answer. The connection drops answers to one-way requests.
    fn handle(&self, connection: &Connection, request: Command) -> Answer;

    /// Makes durable what the requests changed, once for several of them.
    ///
    /// The connection calls it after the requests of one read, and after every 32 of them with an
    /// [`Answer::Committed`]; it writes these answers afterwards.
    ///
    /// # Errors
    /// Returns the refusal that replaces each of these answers.
    fn commit(&self, _connection: &Connection) -> Result<(), Refusal> {
        Ok(())
    }

    /// Learns that the connection has ended. No further call concerns this connection.
    fn closed(&self, _connection: &Connection, _reason: &CloseReason) {}
}

/// Refuses several requests at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The response code.
    pub code: ResponseCode,
    /// Text for people.
    pub remark: String,
}

/// Tells how to answer a request. The connection copies opaque and header form from the request.
pub enum Answer {
    /// Sends no answer. [`Connection::push`] may send one later.
    None,
    /// Sends this command.
    Now(Command),
    /// Sends this command after [`Handler::commit`] succeeded.
    Committed(Command),
    /// Sends the command that the future yields, if any. The connection's task polls the future, and drops it when the
    /// connection ends.
    Later(BoxFuture<'static, Option<Command>>),
    /// Sends the command that the work returns, if any. It runs on a thread that may wait for a disk. While a connection has
    /// [`MAX_BLOCKING`] of them it handles nothing more.
    Blocking(Work),
}

/// Work that may wait for a disk, and its answer.
pub type Work = Box<dyn FnOnce() -> Option<Command> + Send>;

/// Open [`Answer::Blocking`]s of one connection.
pub const MAX_BLOCKING: usize = 16;

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Now(command) => f.debug_tuple("Now").field(command).finish(),
            Self::Committed(command) => f.debug_tuple("Committed").field(command).finish(),
            Self::Later(_) => f.write_str("Later"),
            Self::Blocking(_) => f.write_str("Blocking"),
        }
    }
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// Limits of the frames it accepts.
    pub limits: FrameLimits,
    /// Longest time without a whole frame read or anything written; the connection then closes. The default is no
    /// limit. Apache's peers use 120 s, and there each received byte counts, even if the frame never ends.
    pub idle: Option<Duration>,
    /// Bytes that may wait to be written. Beyond them the connection stops reading, and [`Connection::push`] refuses.
    /// The default is 16 MiB.
    pub max_write_buffer: usize,
    /// Open [`Answer::Later`]s; parked long polls count. At this number the connection stops reading. The default is
    /// 65,535, the number of requests that Java has in flight at most.
    pub max_pending: usize,
    /// A limit that this connection shares with others. The default is none.
    pub memory: Option<MemoryLimit>,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            limits: FrameLimits::default(),
            idle: None,
            max_write_buffer: 16 << 20,
            max_pending: 65_535,
            memory: None,
        }
    }
}

/// A handle to a connection; clones share the connection.
///
/// A task of its own owns the connection. It ends through the peer, through [`close`](Self::close), or when the last
/// keeping handle is dropped: the one that [`spawn`](Self::spawn) returned, and its clones. Commands queued until then
/// are still written. The handles that a [`Handler`] receives do not keep the connection open.
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
    /// Bytes that are pushed and not written yet.
    pub pushed: AtomicUsize,
    pub late_answers: AtomicU64,
    max_write_buffer: usize,
    memory: Option<MemoryLimit>,
}

/// Closes the connection when the last keeping handle is dropped.
#[derive(Debug)]
struct Keeper(mpsc::UnboundedSender<Outgoing>);

impl Drop for Keeper {
    fn drop(&mut self) {
        // Fails only if the connection has ended already.
        let _ = self.0.send(Outgoing::Close);
    }
}

/// Carries an order of a handle to the task.
#[derive(Debug)]
pub(super) enum Outgoing {
    Call { command: Command, deadline: Instant, reply: oneshot::Sender<Result<Command, CallError>> },
    Oneway { command: Command, written: oneshot::Sender<Result<(), CallError>> },
    Push { command: Command, size: usize },
    Close,
    End(CloseReason),
}

impl Connection {
    /// Starts a task that owns `stream`, on the current tokio runtime.
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
            memory: config.memory.clone(),
        });
        let inner = Connection { shared: shared.clone(), keeper: None };
        tokio::spawn(Driver::new(stream, inner, handler, outgoing, config));
        Connection { shared, keeper: Some(Arc::new(Keeper(queue))) }
    }

    /// Queues a request at once. The returned future waits for the response, whatever its code.
    ///
    /// # Cancel safety
    /// A future dropped before the request is written takes it back. Dropped later, it leaves the request sent, and the
    /// connection drops the response.
    ///
    /// # Errors
    /// Fails with [`CallError::Timeout`] after `timeout`, and with [`CallError::Closed`] if the connection ends first.
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

    /// Sends a one-way request and waits until it is written.
    ///
    /// # Errors
    /// Fails if the connection ends before.
    pub async fn send_oneway(&self, command: Command) -> Result<(), CallError> {
        let (written, done) = oneshot::channel();
        self.enqueue(Outgoing::Oneway { command: command.oneway(), written })?;
        done.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Queues a frame (a late answer, a notification) and does not wait. A command that cannot be encoded is dropped
    /// with a warning in the log.
    ///
    /// # Errors
    /// Fails if the connection has ended, and if [`ConnectionConfig::max_write_buffer`] bytes wait already.
    pub fn push(&self, command: Command) -> Result<(), CallError> {
        let size = 256 + command.ext.text_len() + command.body.len();
        let waiting = self.shared.pushed.fetch_add(size, Ordering::Relaxed);
        let short = self.shared.memory.as_ref().is_some_and(MemoryLimit::is_short);
        if waiting > self.shared.max_write_buffer || (short && waiting > FREE) {
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

    /// Closes the connection after all queued commands are written and all open calls are answered or timed out. Drops
    /// the answers that are still to come [`Later`](Answer::Later).
    pub fn close(&self) {
        // Fails only if the connection has ended already.
        let _ = self.shared.queue.send(Outgoing::Close);
    }

    /// Closes at once: nothing more is written, and nothing that is being called is waited for.
    pub fn abort(&self) {
        self.end(CloseReason::Local);
    }

    pub(super) fn end(&self, reason: CloseReason) {
        // Fails only if the connection has ended already.
        let _ = self.shared.queue.send(Outgoing::End(reason));
    }

    /// Waits for the end of the connection and returns its reason.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn closed(&self) -> Arc<CloseReason> {
        let mut closed = self.shared.closed.subscribe();
        let reason = closed.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| Arc::new(CloseReason::Aborted))
    }

    /// Returns why the connection ended, or `None` while it is open.
    pub fn close_reason(&self) -> Option<Arc<CloseReason>> {
        self.shared.closed.borrow().clone()
    }

    /// Returns true if the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.borrow().is_some()
    }

    /// Returns a handle that does not keep the connection open.
    pub fn unkept(&self) -> Connection {
        Connection { shared: self.shared.clone(), keeper: None }
    }

    /// Keeps the connection open until the peer or [`close`](Self::close) ends it, even without any handle.
    pub fn detach(self) -> Connection {
        let unkept = self.unkept();
        if let Some(keeper) = self.keeper {
            std::mem::forget(keeper);
        }
        unkept
    }

    /// Returns the address of the peer.
    pub fn peer(&self) -> SocketAddr {
        self.shared.peer
    }

    /// Returns the address of this side.
    pub fn local(&self) -> SocketAddr {
        self.shared.local
    }

    /// Returns a number that is unique among the connections of this process.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Returns the number of responses that came after their caller had given up.
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
