//! The limit of open files and connections of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::config::NetworkConfig;

/// File descriptors for the store, its index and the log, beside those of connections.
const OTHERS: u64 = 512;

/// Raises the number of open files to what the system allows, and lowers `maxConnections` where that is still too few: a
/// process without descriptors can neither accept a connection nor open a file of its store.
pub fn make_room(network: &mut NetworkConfig) {
    let limit = raised();
    let affordable = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(1);
    if network.max_connections > affordable {
        warn!(
            "`maxConnections` is {}, but this process may open {limit} files: it serves {affordable} connections; raise \
             the limit with ulimit -n",
            network.max_connections
        );
        network.max_connections = affordable;
    }
}

/// The limit on open files after an attempt to raise it.
fn raised() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current < maximum || (current.is_some() && maximum.is_none()) {
        // Without the right to do so, the old limit stays.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
