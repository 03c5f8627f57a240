//! The memory of POP.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc;

use super::order::Orders;
use super::parking::{PopParking, Woken};
use super::revival::Revival;
use crate::broker::persist::table_file::TableFile;
use crate::store::{Dispatched, StoreError};

const STRIPES: usize = 64;

/// Everything of POP that lives with the broker.
#[derive(Debug)]
pub(crate) struct PopState {
    pub parking: Arc<PopParking>,
    pub orders: Orders,
    pub revival: Arc<Revival>,
    locks: QueueGuards,
    pops: AtomicU32,
    woken: Mutex<Option<mpsc::UnboundedReceiver<Woken>>>,
}

impl PopState {
    /// Reads `consumerOrderInfo.json`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(orders: TableFile, revive_topic: String) -> Result<Self, StoreError> {
        let (parking, woken) = PopParking::new();
        Ok(Self {
            parking: Arc::new(parking),
            orders: Orders::open(orders)?,
            revival: Arc::new(Revival::new(revive_topic)),
            locks: QueueGuards::default(),
            pops: AtomicU32::new(0),
            woken: Mutex::new(Some(woken)),
        })
    }

    /// Returns the listener of the store, which is told of every message. It must not own the broker.
    pub(crate) fn listener(&self) -> impl Fn(&Dispatched) + Send + Sync + 'static {
        let (parking, revival) = (self.parking.clone(), self.revival.clone());
        move |message| {
            revival.appended(&message.topic);
            parking.arrived(super::polls::Arrived {
                topic: &message.topic,
                queue: message.queue_id,
                offset: message.queue_offset,
                tags_code: message.tags_code,
            });
        }
    }

    /// The end at which woken requests come out; once.
    pub(crate) fn take_woken(&self) -> Option<mpsc::UnboundedReceiver<Woken>> {
        self.woken.lock().take()
    }

    /// The queue of the revive topic for the next pop: each in turn.
    pub(crate) fn next_revive_queue(&self, queues: i32) -> i32 {
        let turn = self.pops.fetch_add(1, Ordering::Relaxed);
        (turn % queues.max(1).unsigned_abs()) as i32
    }

    /// Keeps other pops and acknowledgements away from a group's queue. Never hold two.
    pub(crate) fn lock(&self, topic: &str, group: &str, queue: i32) -> MutexGuard<'_, ()> {
        self.locks.lock((topic, group, queue))
    }
}

/// One lock for several queues each: what is done under them is short.
#[derive(Debug)]
struct QueueGuards {
    stripes: [Mutex<()>; STRIPES],
}

impl Default for QueueGuards {
    fn default() -> Self {
        Self { stripes: std::array::from_fn(|_| Mutex::new(())) }
    }
}

impl QueueGuards {
    fn lock(&self, key: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.stripes[hasher.finish() as usize % STRIPES].lock()
    }
}
