//! The task that owns a socket.
//!
//! Commands from handles and answers from the handler go into one buffer, and the task writes it in one go, or as soon
//! as it holds much. The task splits received bytes into frames, and gives each frame to its waiter or to the handler.
//!
//! One read often answers several callers, and most of them call again. The first of them wakes this task. The task
//! then lets the others run before it writes: one write for all calls instead of one for each.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep};

use super::connection::{Answer, Connection, ConnectionConfig, Handler, MAX_BLOCKING, Outgoing, Work};
use super::deadline::{LONGEST_WAIT, deadline};
use super::error::{CallError, CloseReason};
use super::memory::{FREE, LOOK, Share};
use super::output::Output;
use crate::code::ResponseCode;
use crate::command::Command;
use crate::frame;
use crate::header::HeaderCodec;
use crate::session::Session;

/// Bytes of memory for one read.
const READ_CHUNK: usize = 64 * 1024;
/// Bytes of answers that are written at once, even if requests of the same read still wait for the handler.
const WRITE_CHUNK: usize = 8 * 1024;
/// Number of requests that share a commit.
const COMMIT_BATCH: usize = 32;
/// Commands taken from the queue in one go, so that neither direction starves.
const QUEUE_BATCH: usize = 256;

type Reply = oneshot::Sender<Result<Command, CallError>>;

/// Says where an answer goes.
#[derive(Debug, Clone, Copy)]
struct ReturnAddress {
    opaque: i32,
    codec: HeaderCodec,
    oneway: bool,
}

impl ReturnAddress {
    fn of(request: &Command) -> Self {
        Self { opaque: request.opaque, codec: request.codec, oneway: request.is_oneway() }
    }
}

/// An answer that is still to come, and where it goes.
type LaterAnswer = BoxFuture<'static, (ReturnAddress, Option<Command>)>;

/// Starts `work` on a thread that may wait. A panic of it is one of the connection, as in a handler.
fn run(to: ReturnAddress, work: Work) -> LaterAnswer {
    let running = tokio::task::spawn_blocking(work);
    Box::pin(async move {
        match running.await {
            Ok(answer) => (to, answer),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends.
            Err(_) => (to, None),
        }
    })
}

pub(super) struct Driver<S> {
    stream: S,
    connection: Connection,
    handler: Arc<dyn Handler>,
    queue: mpsc::UnboundedReceiver<Outgoing>,
    batch: Vec<Outgoing>,
    config: ConnectionConfig,
    session: Session<Reply, Instant>,
    input: BytesMut,
    output: Output,
    unflushed: bool,
    /// Answers delivered since the last look at the queue: about as many calls may follow.
    answered: usize,
    committed: Vec<(ReturnAddress, Command)>,
    later: FuturesUnordered<LaterAnswer>,
    blocking: FuturesUnordered<LaterAnswer>,
    timer: Pin<Box<Sleep>>,
    last_activity: Instant,
    /// True if a whole frame came since the last look.
    heard: bool,
    /// True until the peer sends its first byte.
    silent: bool,
    closing: bool,
    ended: Option<CloseReason>,
    /// Its part of the memory that it shares with other connections.
    memory: Option<Share>,
    /// Whole frames of an earlier read may wait in the input.
    left_over: bool,
    /// The peer is gone, so nothing is answered any more.
    muted: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub fn new(
        stream: S,
        connection: Connection,
        handler: Arc<dyn Handler>,
        queue: mpsc::UnboundedReceiver<Outgoing>,
        config: ConnectionConfig,
    ) -> Self {
        let memory = config.memory.as_ref().map(|limit| limit.share(connection.clone()));
        Self {
            stream,
            connection,
            handler,
            queue,
            batch: Vec::new(),
            output: Output::new(config.limits.max_frame),
            config,
            session: Session::new(),
            input: BytesMut::new(),
            unflushed: false,
            answered: 0,
            committed: Vec::new(),
            later: FuturesUnordered::new(),
            blocking: FuturesUnordered::new(),
            timer: Box::pin(tokio::time::sleep(LONGEST_WAIT)),
            last_activity: Instant::now(),
            heard: false,
            silent: true,
            closing: false,
            ended: None,
            memory,
            left_over: false,
            muted: false,
        }
    }

    fn poll_all(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        loop {
            let taken = self.poll_queue(context);
            if let Some(reason) = self.ended.take() {
                return Err(reason);
            }
            if taken > 0 && taken < std::mem::take(&mut self.answered) {
                context.waker().wake_by_ref();
                return Ok(());
            }
            let mut active = taken > 0;
            active |= self.poll_later(context);
            let read = self.poll_read(context)?;
            active |= self.poll_write(context)?;
            if self.closing && self.output.is_empty() && !self.unflushed && self.session.is_empty() {
                return Err(CloseReason::Local);
            }
            if !active && !read {
                self.count_memory();
                return self.poll_timer(context);
            }
            // Bytes of a frame that never ends are no sign of life.
            let alive = std::mem::take(&mut self.heard) || active;
            if alive && let Some(memory) = &self.memory {
                memory.progress();
            }
            if alive && self.config.idle.is_some() {
                self.last_activity = Instant::now();
            }
        }
    }

    /// Returns true if more bytes wait to be written than allowed. The task then neither reads nor polls answers.
    fn congested(&self) -> bool {
        let waiting = self.output.waiting().len();
        waiting > self.config.max_write_buffer || (waiting > 0 && self.is_short_of_memory())
    }

    fn is_short_of_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(Share::is_short)
    }

    /// Counts what the buffers keep before the task rests, and gives back what they need not keep.
    fn count_memory(&mut self) {
        let Some(memory) = &self.memory else { return };
        if memory.is_scarce() {
            self.output.shrink();
            if self.input.is_empty() && self.input.capacity() > READ_CHUNK {
                self.input = BytesMut::new();
            }
        }
        let waiting = self.input.len() + self.output.waiting().len();
        memory.keep(self.input.capacity() + self.output.capacity(), waiting);
        if waiting > 0 && memory.is_short() {
            memory.relieve();
        }
    }

    /// Takes a batch from the queue. Returns its size.
    fn poll_queue(&mut self, context: &mut Context<'_>) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let count = match self.queue.poll_recv_many(context, &mut batch, QUEUE_BATCH) {
            Poll::Ready(count) => count,
            Poll::Pending => 0,
        };
        batch.drain(..).for_each(|outgoing| self.accept(outgoing));
        self.batch = batch;
        count
    }

    fn accept(&mut self, outgoing: Outgoing) {
        match outgoing {
            // A caller that gave up before the request is written takes the request back.
            Outgoing::Call { reply, .. } if reply.is_closed() => {}
            Outgoing::Call { mut command, deadline, reply } => {
                command.opaque = self.session.wait(reply, deadline);
                if let Err(error) = self.output.put(&command)
                    && let Some(reply) = self.session.answered(command.opaque)
                {
                    let _ = reply.send(Err(error));
                }
            }
            Outgoing::Oneway { command, written } => match self.output.put(&command) {
                Ok(()) => self.output.tell_when_written(written),
                Err(error) => drop(written.send(Err(error))),
            },
            Outgoing::Push { command, size } => {
                if let Err(error) = self.output.put(&command) {
                    tracing::warn!(code = command.code, %error, "a pushed command cannot be written");
                }
                self.output.pushed(size);
            }
            Outgoing::End(reason) => self.ended = Some(reason),
            Outgoing::Close => {
                self.closing = true;
                // An abandoned long poll would keep the socket open until its end, for half a minute.
                self.session.retain(|reply| !reply.is_closed());
            }
        }
    }

    /// Returns true if the connection has as much to do as it may. It then handles and reads nothing more.
    fn is_full(&self) -> bool {
        self.congested() || self.later.len() >= self.config.max_pending || self.blocking.len() >= MAX_BLOCKING
    }

    /// Handles the frames that are left from an earlier read, or reads once. Returns true if it did either.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<bool, CloseReason> {
        if self.is_full() {
            return Ok(false);
        }
        if self.left_over {
            self.split_frames(context)?;
            return Ok(true);
        }
        if self.input.len() > FREE && self.is_short_of_memory() {
            return Ok(false);
        }
        if self.input.capacity() - self.input.len() < READ_CHUNK / 16 {
            self.input.reserve(READ_CHUNK);
        }
        match pin!(self.stream.read_buf(&mut self.input)).poll(context) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(CloseReason::Peer),
            Poll::Ready(Ok(_)) => {
                self.silent = false;
                self.split_frames(context)?;
                Ok(true)
            }
            // An encrypted peer ended the stream without a notice. Frames carry lengths, so a cut one is noticed
            // anyway.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(CloseReason::Peer),
            Poll::Ready(Err(error)) => Err(error.into()),
        }
    }

    fn split_frames(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        let taken = self.take_frames(context);
        // Commits even if the connection ends here: the handler has accepted these requests.
        self.commit();
        taken
    }

    /// Handles whole frames until none is left or the connection is full: one read may hold thousands of requests, each
    /// with a large answer.
    fn take_frames(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        loop {
            self.left_over = self.is_full();
            if self.left_over {
                return Ok(());
            }
            let frame = frame::decode(&mut self.input, &self.config.limits);
            let Some(command) = frame.map_err(CloseReason::Protocol)? else { return Ok(()) };
            self.take(command);
            self.answer_early(context)?;
        }
    }

    fn take(&mut self, command: Command) {
        if command.is_response() {
            self.deliver(command);
        } else if !self.closing {
            self.serve(command);
        }
    }

    /// Handles the frames that a lost peer sent before, without answers: it has still said what it said.
    fn hear_out(&mut self, reason: &CloseReason) {
        if !matches!(reason, CloseReason::Peer | CloseReason::Io { .. }) {
            return;
        }
        self.muted = true;
        while let Ok(Some(command)) = frame::decode(&mut self.input, &self.config.limits) {
            self.take(command);
            if self.committed.len() >= COMMIT_BATCH {
                self.commit();
            }
        }
        self.commit();
    }

    /// Writes a part of the answers while more requests wait for the handler. Otherwise client and broker take turns
    /// instead of working at the same time.
    fn answer_early(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        if self.committed.len() >= COMMIT_BATCH {
            self.commit();
        } else if self.output.waiting().len() < WRITE_CHUNK {
            return Ok(());
        }
        self.poll_write(context).map(drop)
    }

    fn deliver(&mut self, answer: Command) {
        let waiter = self.session.answered(answer.opaque);
        // A caller that gave up after the request was written counts like one whose time ran out.
        if waiter.is_none_or(|waiter| waiter.send(Ok(answer)).is_err()) {
            self.connection.shared.late_answers.fetch_add(1, Ordering::Relaxed);
        } else {
            self.answered += 1;
        }
        self.heard = true;
    }

    fn serve(&mut self, request: Command) {
        self.heard = true;
        let to = ReturnAddress::of(&request);
        match self.handler.handle(&self.connection, request) {
            Answer::None => {}
            Answer::Now(answer) => self.answer(to, answer),
            Answer::Committed(answer) => self.committed.push((to, answer)),
            Answer::Later(answer) if !self.muted => {
                self.later.push(Box::pin(async move { (to, answer.await) }));
            }
            Answer::Later(_) => {}
            Answer::Blocking(work) if !self.muted => self.blocking.push(run(to, work)),
            // Requests that the peer has made are still carried out.
            Answer::Blocking(work) => drop(tokio::task::spawn_blocking(work)),
        }
    }

    fn commit(&mut self) {
        if self.committed.is_empty() {
            return;
        }
        let refusal = self.handler.commit(&self.connection).err();
        let mut committed = std::mem::take(&mut self.committed);
        for (to, answer) in committed.drain(..) {
            let answer = match &refusal {
                None => answer,
                Some(refusal) => Command::response(refusal.code).with_remark(refusal.remark.clone()),
            };
            self.answer(to, answer);
        }
        self.committed = committed;
    }

    fn answer(&mut self, to: ReturnAddress, answer: Command) {
        if to.oneway || self.muted {
            return;
        }
        let Err(error) = self.output.put(&answer.answer(to.opaque, to.codec)) else { return };
        tracing::warn!(opaque = to.opaque, %error, "an answer cannot be written");
        let refusal = Command::response(ResponseCode::SYSTEM_ERROR)
            .with_remark(format!("the answer cannot be written: {error}"));
        // This one is short.
        let _ = self.output.put(&refusal.answer(to.opaque, to.codec));
    }

    /// Takes the answers that are ready. Returns true if there was one.
    fn poll_later(&mut self, context: &mut Context<'_>) -> bool {
        let mut progress = false;
        while !self.congested() {
            let Some((to, answer)) = self.next_later(context) else { break };
            answer.into_iter().for_each(|answer| self.answer(to, answer));
            progress = true;
        }
        progress
    }

    fn next_later(&mut self, context: &mut Context<'_>) -> Option<(ReturnAddress, Option<Command>)> {
        for answers in [&mut self.later, &mut self.blocking] {
            if !answers.is_empty()
                && let Poll::Ready(Some(ready)) = Pin::new(answers).poll_next(context)
            {
                return Some(ready);
            }
        }
        None
    }

    /// Writes the buffer. Returns true if it wrote anything.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<bool, CloseReason> {
        let mut progress = false;
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, self.output.waiting())? {
                Poll::Pending => return Ok(progress),
                Poll::Ready(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Poll::Ready(bytes) => self.output.wrote(bytes, &self.connection.shared.pushed),
            }
            (progress, self.unflushed) = (true, true);
        }
        if self.unflushed && Pin::new(&mut self.stream).poll_flush(context)?.is_ready() {
            self.unflushed = false;
        }
        Ok(progress)
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        loop {
            let idle_at = self.config.idle.map(|idle| deadline(self.last_activity, idle));
            // Memory that others give back wakes nobody.
            let starved = !(self.input.is_empty() && self.output.is_empty()) && self.is_short_of_memory();
            let look_at = starved.then(|| Instant::now() + LOOK);
            let times = [self.session.next_deadline(), idle_at, look_at];
            let Some(wake) = times.into_iter().flatten().min() else { return Ok(()) };
            // Moves the timer to earlier times only: one that fires too early costs one look.
            if wake < self.timer.deadline() {
                self.timer.as_mut().reset(wake);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            self.due(Instant::now(), idle_at)?;
            if starved {
                context.waker().wake_by_ref();
                return Ok(());
            }
        }
    }

    fn due(&mut self, now: Instant, idle_at: Option<Instant>) -> Result<(), CloseReason> {
        for waiter in self.session.expire(now) {
            let _ = waiter.send(Err(CallError::Timeout(Duration::ZERO)));
        }
        if let (Some(idle), Some(at)) = (self.config.idle, idle_at)
            && at <= now
        {
            return Err(CloseReason::Idle(idle));
        }
        self.timer.as_mut().reset(now + LONGEST_WAIT);
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        match driver.poll_all(context) {
            Ok(()) => Poll::Pending,
            Err(reason) => {
                let reason = if driver.silent { reason.before_a_byte() } else { reason };
                driver.hear_out(&reason);
                driver.finish(reason);
                Poll::Ready(())
            }
        }
    }
}

impl<S> Driver<S> {
    /// Tells everyone who waits, on the first call only.
    fn finish(&mut self, reason: CloseReason) {
        let reason = Arc::new(reason);
        let first = self.connection.shared.closed.send_if_modified(|closed| {
            let first = closed.is_none();
            closed.get_or_insert_with(|| reason.clone());
            first
        });
        if !first {
            return;
        }
        self.queue.close();
        for waiter in self.session.poison() {
            let _ = waiter.send(Err(CallError::Closed(reason.clone())));
        }
        self.output.fail(&reason);
        self.handler.closed(&self.connection, &reason);
    }
}

impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        self.finish(CloseReason::Aborted);
    }
}
