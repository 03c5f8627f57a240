//! The state of a name server.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::kv::KvConfig;
use super::routes::{RouteTable, Rules};
use crate::clock::Clock;
use crate::config::NamesrvConfig;

/// The state of one name server.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: RwLock<NamesrvConfig>,
    pub(super) table: RwLock<RouteTable>,
    pub(super) kv: Mutex<KvConfig>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) started_ms: i64,
}

impl State {
    pub(super) fn new(config: NamesrvConfig, kv: KvConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            table: RwLock::new(RouteTable::new(rules(&config))),
            config: RwLock::new(config),
            kv: Mutex::new(kv),
            started_ms: clock.passed_ms(),
            clock,
        }
    }

    pub(super) fn passed_ms(&self) -> i64 {
        self.clock.passed_ms()
    }
}

/// Returns the switches of the route table in a configuration.
pub(super) fn rules(config: &NamesrvConfig) -> Rules {
    Rules {
        acting_master: config.live.acting_master,
        delete_missing_topics: config.live.delete_missing_topics,
    }
}
