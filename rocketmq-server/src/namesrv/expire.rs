//! Looks for silent brokers.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use super::leaving;
use super::state::State;
use crate::net::Server;

/// Removes silent brokers at each scan interval, by the server's clock, until `stop`.
pub(super) async fn watch(state: Arc<State>, server: Weak<Server>, stop: CancellationToken) {
    loop {
        let interval = state.config.read().live.scan_interval;
        tokio::select! {
            () = stop.cancelled() => return,
            () = state.clock.sleep(interval) => {}
        }
        let Some(server) = server.upgrade() else { return };
        leaving::expire(&state).into_iter().for_each(|connection| server.close_connection(connection));
    }
}
