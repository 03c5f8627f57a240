//! The threads behind a store: one flushes the log, one writes out queues and index, one deletes what has expired.

use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Inner;
use super::checkpoint::Times;
use super::error::StoreError;
use super::seal::Seal;

/// The reasons to wake the threads before their time.
#[derive(Debug, Default)]
struct Signal {
    state: Mutex<Wishes>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wishes {
    flush: bool,
    look: bool,
    stop: bool,
}

/// The wish that wakes a thread besides the one to stop; `None` when it keeps to its interval.
type Wakes = Option<fn(&mut Wishes) -> &mut bool>;

/// The running threads.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    signal: Arc<Signal>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    /// Starts the threads unless they run. They end by themselves when the store is dropped.
    pub(crate) fn start(inner: &Arc<Inner>) -> Result<(), StoreError> {
        let mut handles = inner.threads.handles.lock();
        if handles.is_empty() {
            handles.push(spawn("store-flush", inner, Inner::run_flush)?);
            handles.push(spawn("store-upkeep", inner, Inner::run_upkeep)?);
            handles.push(spawn("store-clean", inner, Inner::run_clean)?);
            inner.threads.request_look();
        }
        Ok(())
    }

    /// Asks for a flush at the next moment.
    pub(crate) fn request_flush(&self) {
        self.signal.state.lock().flush = true;
        self.signal.changed.notify_all();
    }

    /// Asks for a look at the disk at the next moment.
    pub(crate) fn request_look(&self) {
        self.signal.state.lock().look = true;
        self.signal.changed.notify_all();
    }

    /// Takes the wish for a look, as the thread would.
    #[cfg(test)]
    pub(crate) fn take_look(&self) -> bool {
        std::mem::take(&mut self.signal.state.lock().look)
    }

    /// Ends the threads and waits for what they are doing.
    pub(crate) fn stop(&self) {
        self.signal.state.lock().stop = true;
        self.signal.changed.notify_all();
        for handle in self.handles.lock().drain(..) {
            // The last clone of a store may be dropped by one of its own threads.
            if handle.thread().id() != thread::current().id() {
                let _ = handle.join();
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Signal {
    /// Sleeps for `interval`, shorter if `wakes` is wished for; `false` when it is time to end.
    fn wait(&self, interval: Duration, wakes: Wakes) -> bool {
        let deadline = Instant::now() + interval;
        let mut wishes = self.state.lock();
        while !(wishes.stop || wakes.is_some_and(|wish| *wish(&mut wishes))) {
            if self.changed.wait_until(&mut wishes, deadline).timed_out() {
                break;
            }
        }
        if let Some(wish) = wakes {
            *wish(&mut wishes) = false;
        }
        !wishes.stop
    }
}

type Run = fn(Weak<Inner>, Arc<Signal>);

fn spawn(name: &str, inner: &Arc<Inner>, run: Run) -> Result<JoinHandle<()>, StoreError> {
    let (weak, signal) = (Arc::downgrade(inner), inner.threads.signal.clone());
    let thread = thread::Builder::new().name(name.into()).spawn(move || run(weak, signal));
    thread.map_err(|e| StoreError::io("start a thread for", &inner.config.root, e))
}

impl Inner {
    fn run_flush(weak: Weak<Self>, signal: Arc<Signal>) {
        let Some(interval) = weak.upgrade().map(|inner| inner.config.flush_interval) else { return };
        while signal.wait(interval, Some(|wishes| &mut wishes.flush)) {
            let Some(inner) = weak.upgrade() else { return };
            if let Err(e) = inner.flush_log() {
                tracing::error!(error = %e, "the commit log was not flushed");
            }
        }
    }

    fn run_upkeep(weak: Weak<Self>, signal: Arc<Signal>) {
        let Some(config) = weak.upgrade().map(|inner| inner.config.clone()) else { return };
        let mut synced = Instant::now();
        while signal.wait(config.queue_write_interval, None) {
            let Some(inner) = weak.upgrade() else { return };
            let thorough = synced.elapsed() >= config.queue_flush_interval;
            if let Err(e) = inner.keep_up(thorough) {
                tracing::warn!(error = %e, "consume queues or index were not written");
            }
            if thorough {
                synced = Instant::now();
            }
        }
    }

    fn run_clean(weak: Weak<Self>, signal: Arc<Signal>) {
        let Some(interval) = weak.upgrade().map(|inner| inner.config.clean_interval) else { return };
        while signal.wait(interval, Some(|wishes| &mut wishes.look)) {
            let Some(inner) = weak.upgrade() else { return };
            inner.clean();
        }
    }

    /// One flush of the log for everything put by now; then those who wait for it are told.
    ///
    /// A failed flush is final: the kernel may drop the data it could not write and report success the next time.
    pub(super) fn flush_log(&self) -> Result<(), StoreError> {
        let last_timestamp = self.write_out()?;
        if self.health.flush_failed() {
            return self.health.check();
        }
        let end = self.log.flush().inspect_err(|e| {
            self.health.refuse_for_good(StoreError::FlushFailed { reason: e.to_string() });
            self.flushed.send_modify(|f| f.failed = true);
        })?;
        self.dispatcher.lock().run(end);
        self.flushed.send_modify(|f| f.end = f.end.max(end));
        let mut checkpoint = self.checkpoint.lock();
        let times = Times { log: last_timestamp, ..checkpoint.times() };
        checkpoint.save(times)
    }

    /// Hands the buffer to the kernel; the store time of the last message that is there now.
    fn write_out(&self) -> Result<i64, StoreError> {
        let mut done = Vec::new();
        let mut writer = self.writer.lock();
        let result = writer.write_out(&self.log, &mut done);
        let last_timestamp = writer.last_timestamp();
        self.hand_over(writer, done);
        result.map(|()| last_timestamp)
    }

    /// Hands queues and index to the kernel, and if `thorough` to the disk.
    pub(super) fn keep_up(&self, thorough: bool) -> Result<(), StoreError> {
        self.queues.write_out()?;
        for queue in self.queues.all() {
            queue.cool();
            if thorough {
                queue.trim();
            }
        }
        self.keep_up_index(thorough)?;
        if thorough { self.sync_queues() } else { Ok(()) }
    }

    fn keep_up_index(&self, thorough: bool) -> Result<(), StoreError> {
        let retired = match &mut self.dispatcher.lock().index {
            Some(index) => {
                index.write_entries()?;
                index.take_retired()
            }
            None => Vec::new(),
        };
        for file in retired {
            file.sync()?;
            let mut checkpoint = self.checkpoint.lock();
            let times = Times { index: file.end_time(), ..checkpoint.times() };
            checkpoint.save(times)?;
        }
        // In pieces, each under the lock for a moment only: messages are dispatched in between.
        while thorough && self.write_some_slots()? {}
        Ok(())
    }

    fn write_some_slots(&self) -> Result<bool, StoreError> {
        self.dispatcher.lock().index.as_mut().map_or(Ok(false), |index| index.write_some_slots())
    }

    /// Flushes the log and every queue. Only then do checkpoint and seal vouch for the messages dispatched before.
    pub(super) fn sync_queues(&self) -> Result<(), StoreError> {
        let (last, end) = {
            let dispatcher = self.dispatcher.lock();
            (dispatcher.last_timestamp(), dispatcher.end())
        };
        self.flush_log()?;
        self.seal(last, end, false)
    }

    /// Vouches for the messages below the log offset `end`, of which the last was stored at `last`. They are dispatched, and
    /// the log is flushed.
    pub(super) fn seal(&self, last: i64, end: i64, clean: bool) -> Result<(), StoreError> {
        self.queues.sync()?;
        let times = {
            let mut checkpoint = self.checkpoint.lock();
            let times = Times { queues: last, ..checkpoint.times() };
            checkpoint.save(times)?;
            times
        };
        let mut sealed = self.sealed.lock();
        if clean || *sealed != end {
            let mut seal = Seal::of(&self.queues, end, last, times);
            seal.clean = clean;
            seal.save(&self.config.root)?;
            *sealed = end;
        }
        Ok(())
    }
}
