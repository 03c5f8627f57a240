//! Faults that a test lets an embedded cluster have, each until its [`Fault`] is dropped.
//!
//! ```text
//! connection ──▶ Faulty ──▶ the broker's handler ──▶ store ──▶ FaultyDisk
//!                   └───── both ask Faults, which all brokers of the cluster share ─────┘
//! ```

mod disk;
mod handler;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::net::Handler;
use tokio_util::sync::CancellationToken;

use crate::store::disk::Disk;

/// A fault of an embedded cluster. Dropping it undoes the fault.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
/// let cluster = rocketmq_server::Embedded::start().await?;
/// let fault = cluster.full_disk();
/// assert_eq!(fault.times(), 0); // nothing was written yet
/// drop(fault); // there is room again
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it undoes the fault"]
pub struct Fault {
    faults: Faults,
    active: Arc<Active>,
}

impl Fault {
    /// Returns the number of requests, or writes to the disk, that the fault has hit. A test that wants a fault to matter
    /// asserts this.
    pub fn times(&self) -> usize {
        self.active.times.load(SeqCst)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.faults.0.lock().retain(|active| !Arc::ptr_eq(active, &self.active));
        self.active.undone.cancel();
    }
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    RefuseNextSend(ResponseCode),
    LoseReply,
    Disconnect,
    Slow(Duration),
    FullDisk,
}

/// A fault in force.
#[derive(Debug)]
struct Active {
    kind: Kind,
    times: AtomicUsize,
    undone: CancellationToken,
}

impl Active {
    fn hit(&self) {
        self.times.fetch_add(1, SeqCst);
    }

    /// Hits once and never again; tells whether this was the time.
    fn hit_once(&self) -> bool {
        self.times.compare_exchange(0, 1, SeqCst, SeqCst).is_ok()
    }
}

/// The faults in force, of one cluster. Clones share them, and they outlive a restart of a broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Arc<Active>>>>);

impl Faults {
    pub(crate) fn begin(&self, kind: Kind) -> Fault {
        let active = Arc::new(Active { kind, times: AtomicUsize::new(0), undone: CancellationToken::new() });
        self.0.lock().push(active.clone());
        Fault { faults: self.clone(), active }
    }

    /// Puts the faults in front of a broker's handler.
    pub(crate) fn around(&self, handler: Arc<dyn Handler>) -> Arc<dyn Handler> {
        Arc::new(handler::Faulty::new(handler, self.clone()))
    }

    /// Returns a disk that has these faults.
    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(disk::FaultyDisk::new(self.clone()))
    }

    /// Hits the disk if it is full.
    fn fills_disk(&self) -> bool {
        self.find(|active| (active.kind == Kind::FullDisk).then(|| active.hit())).is_some()
    }

    /// Hits a request if the cluster is cut off.
    fn cuts_off(&self) -> bool {
        self.find(|active| (active.kind == Kind::Disconnect).then(|| active.hit())).is_some()
    }

    /// Hits a send that is to be refused.
    fn refusal(&self) -> Option<ResponseCode> {
        self.find(|active| match active.kind {
            Kind::RefuseNextSend(code) => active.hit_once().then_some(code),
            _ => None,
        })
    }

    /// Hits a send whose answer is to be lost.
    fn loses_reply(&self) -> bool {
        self.find(|active| (active.kind == Kind::LoseReply && active.hit_once()).then_some(())).is_some()
    }

    /// Hits a request that has to wait.
    fn wait(&self) -> Option<Wait> {
        self.find(|active| match active.kind {
            Kind::Slow(duration) => {
                active.hit();
                Some(Wait { duration, undone: active.undone.clone() })
            }
            _ => None,
        })
    }

    fn find<T>(&self, hit: impl FnMut(&Arc<Active>) -> Option<T>) -> Option<T> {
        self.0.lock().iter().find_map(hit)
    }
}

/// The wait of a request on a slow broker.
struct Wait {
    duration: Duration,
    undone: CancellationToken,
}

impl Wait {
    /// Waits in real time, by which clients measure their timeouts, or until the fault is undone.
    async fn passed(self) {
        let _ = tokio::time::timeout(self.duration, self.undone.cancelled()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_its_guard_is_dropped_and_others_go_on() {
        let faults = Faults::default();
        let (full, cut) = (faults.begin(Kind::FullDisk), faults.begin(Kind::Disconnect));
        assert!(faults.fills_disk() && faults.fills_disk() && faults.cuts_off());
        assert_eq!((full.times(), cut.times()), (2, 1));
        drop(full);
        assert!(!faults.fills_disk() && faults.cuts_off());
    }

    #[test]
    fn the_next_send_is_one_send() {
        let faults = Faults::default();
        let first = faults.begin(Kind::RefuseNextSend(ResponseCode::SYSTEM_BUSY));
        let _second = faults.begin(Kind::RefuseNextSend(ResponseCode::NO_PERMISSION));
        assert_eq!(faults.refusal(), Some(ResponseCode::SYSTEM_BUSY));
        assert_eq!(faults.refusal(), Some(ResponseCode::NO_PERMISSION));
        assert_eq!((faults.refusal(), first.times()), (None, 1));
        let unused = faults.begin(Kind::LoseReply);
        drop(unused);
        assert!(!faults.loses_reply());
    }
}
