//! The connected peers: their number, the memory that they share, and the one that has to go when one more comes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rocketmq_remoting::net::MemoryLimit;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::complaint::Complaint;
use crate::config::NetworkConfig;

/// A client sends a heartbeat every 30 s: one that was silent for so long has gone, or wants nothing.
const IDLE: Duration = Duration::from_secs(60);
/// The time that a peer has to send its first request before it counts as a stranger.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// The time of a peer that was never heard.
const NEVER: i64 = -1;

/// The limits of one server, and its peers. Clones share them, as the two ports of a broker do.
#[derive(Debug, Clone)]
pub struct Guests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    memory: MemoryLimit,
    begun: Instant,
    next: AtomicU64,
    /// In the order in which they came.
    table: Mutex<BTreeMap<u64, Arc<Guest>>>,
    complaint: Mutex<Complaint>,
}

/// One peer. Times are milliseconds since the server began.
#[derive(Debug)]
pub(super) struct Guest {
    came: i64,
    heard: AtomicI64,
    /// Cancelled when it has to go.
    pub(super) go: CancellationToken,
}

/// A peer's place, which is free again once this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    guests: Guests,
    id: u64,
    pub(super) guest: Arc<Guest>,
}

impl Guests {
    /// The limits that the settings give, and nobody yet.
    pub fn new(config: &NetworkConfig) -> Self {
        Self(Arc::new(Inner {
            limit: config.max_connections,
            memory: MemoryLimit::new(config.max_connection_memory),
            begun: Instant::now(),
            next: AtomicU64::new(0),
            table: Mutex::default(),
            complaint: Mutex::default(),
        }))
    }

    /// Returns the memory that connections may keep together.
    pub(super) fn memory(&self) -> MemoryLimit {
        self.0.memory.clone()
    }

    /// Gives one more peer a place. If there is none, a stranger has to go for it, or a silent client; the newest first.
    pub(super) fn admit(&self) -> Option<Place> {
        let now = self.now();
        let mut table = self.0.table.lock();
        if table.len() >= self.0.limit {
            let victim = victim(&table, now);
            self.complain(now, victim.is_some());
            table.remove(&victim?)?.go.cancel();
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let guest = Arc::new(Guest { came: now, heard: AtomicI64::new(NEVER), go: CancellationToken::new() });
        table.insert(id, guest.clone());
        Some(Place { guests: self.clone(), id, guest })
    }

    fn complain(&self, now: i64, makes_room: bool) {
        let Some(before) = self.0.complaint.lock().again(now) else { return };
        let remedy = if makes_room {
            "who is silent is closed for who comes"
        } else {
            "all are active, so new ones are refused; raise `maxConnections`"
        };
        warn!(limit = self.0.limit, before, "as many connections are open as may be: {remedy}");
    }

    /// Notes that a peer sent a request.
    pub(super) fn hear(&self, guest: &Guest) {
        guest.heard.store(self.now(), Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        i64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.guests.0.table.lock().remove(&self.id);
    }
}

impl Guest {
    fn is_stranger(&self) -> bool {
        self.heard.load(Ordering::Relaxed) == NEVER
    }

    fn is_silent(&self, now: i64) -> bool {
        now - self.heard.load(Ordering::Relaxed) >= millis(IDLE)
    }
}

/// Finds the peer that has to go: a stranger that had its time, a client that is silent, or a stranger that has just come.
fn victim(table: &BTreeMap<u64, Arc<Guest>>, now: i64) -> Option<u64> {
    let newest =
        |is: &dyn Fn(&Guest) -> bool| table.iter().rev().find(|(_, guest)| is(guest)).map(|(id, _)| *id);
    newest(&|guest| guest.is_stranger() && now - guest.came >= millis(FIRST_REQUEST))
        .or_else(|| newest(&|guest| !guest.is_stranger() && guest.is_silent(now)))
        .or_else(|| newest(&Guest::is_stranger))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(guests: &[(i64, i64)]) -> BTreeMap<u64, Arc<Guest>> {
        let guest = |(came, heard): (i64, i64)| {
            Arc::new(Guest { came, heard: AtomicI64::new(heard), go: CancellationToken::new() })
        };
        (0..).zip(guests.iter().map(|times| guest(*times))).collect()
    }

    #[test]
    fn strangers_go_first_then_silent_clients_and_of_both_the_newest() {
        let (active, silent, stranger, fresh) = ((0, 99_000), (0, 1_000), (50_000, NEVER), (99_900, NEVER));
        let gone = |guests: &[(i64, i64)]| victim(&table(guests), 100_000);
        assert_eq!(gone(&[active, stranger, stranger, silent, fresh]), Some(2));
        assert_eq!(gone(&[silent, active, silent, active, fresh]), Some(2));
        assert_eq!(gone(&[active, fresh, fresh, active]), Some(2));
        assert_eq!(gone(&[active, active]), None);
        assert_eq!(gone(&[]), None);
    }

    #[test]
    fn a_place_is_free_again_when_its_peer_is_gone() {
        let mut config = NetworkConfig::loopback();
        config.max_connections = 2;
        let guests = Guests::new(&config);
        let (first, second) = (guests.admit().unwrap(), guests.admit().unwrap());
        guests.hear(&first.guest);
        guests.hear(&second.guest);
        assert!(guests.admit().is_none());
        drop(first);
        let stranger = guests.admit().unwrap();
        let newest = guests.admit().unwrap();
        assert!(stranger.guest.go.is_cancelled() && !newest.guest.go.is_cancelled());
        drop(stranger);
        guests.hear(&newest.guest);
        assert!(guests.admit().is_none(), "the place of who had to go is taken");
    }
}
