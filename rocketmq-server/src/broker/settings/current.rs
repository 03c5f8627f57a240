//! The settings of a running broker.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::fixed::Fixed;
use super::live::Live;
use super::live_config::LiveConfig;

/// The settings as they are now, and the address of the broker.
#[derive(Debug)]
pub(crate) struct Current {
    pub fixed: Fixed,
    live: RwLock<Arc<Live>>,
    /// The address in `storeHost` and in offset message ids.
    pub address: SocketAddr,
    /// Locked until a change is in effect: the one that the file remembers last is the one in effect.
    pub source: Mutex<Arc<dyn LiveConfig>>,
}

impl Current {
    pub(crate) fn new(fixed: Fixed, live: Live, address: SocketAddr, source: Arc<dyn LiveConfig>) -> Self {
        Self { fixed, live: RwLock::new(Arc::new(live)), address, source: Mutex::new(source) }
    }

    /// The settings that can change while the broker runs.
    pub(crate) fn live(&self) -> Arc<Live> {
        self.live.read().clone()
    }

    /// Replaces them. [`tune`](crate::broker::admin::Parts::tune) does the rest of a change.
    pub(crate) fn set_live(&self, live: Live) {
        *self.live.write() = Arc::new(live);
    }
}
