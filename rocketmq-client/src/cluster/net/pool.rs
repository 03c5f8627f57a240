//! Address to connection: dialled once however many callers wait, found without a lock afterwards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use rocketmq_remoting::net::Connection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::backoff::{Backoff, BackoffConfig};
use super::dialer::{DialError, Dialer};
use crate::chance::Chance;
use crate::clock::{Instant, instant};

/// The connections of one client.
pub(crate) struct Pool {
    dialer: Dialer,
    chance: Chance,
    links: RwLock<HashMap<String, Arc<Link>>>,
    closed: AtomicBool,
}

impl Pool {
    pub(crate) fn new(dialer: Dialer, chance: Chance) -> Self {
        Self { dialer, chance, links: RwLock::default(), closed: AtomicBool::new(false) }
    }

    /// Returns the connection to `address`, and makes it within `budget` if there is none.
    pub(crate) async fn connection(&self, address: &str, budget: Duration) -> Result<Connection, DialError> {
        if let Some(connection) = self.live(address) {
            return Ok(connection);
        }
        let link = self.link(address);
        // Boxed: every call would carry room for the long way to a new connection, and the compiler its type, which in
        // release builds is nested too deep for it.
        let dial: BoxFuture<'_, _> = Box::pin(link.dial(self, address));
        timeout(budget, dial).await.unwrap_or(Err(DialError::Timeout(budget)))
    }

    /// Returns the connection to `address`, if there is one.
    pub(crate) fn live(&self, address: &str) -> Option<Connection> {
        self.links.read().get(address)?.live()
    }

    /// Tells whether connections are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.dialer.transport.is_encrypted()
    }

    fn link(&self, address: &str) -> Arc<Link> {
        if let Some(link) = self.links.read().get(address) {
            return link.clone();
        }
        self.links.write().entry(address.to_owned()).or_default().clone()
    }

    /// Puts `connection` out of use for new calls, unless another has taken its place. Calls that still
    /// wait on it keep it until it closes.
    pub(crate) fn retire(&self, address: &str, connection: &Connection) {
        let link = self.link(address);
        let current = link.current.load();
        if current.as_ref().is_some_and(|current| current.id() == connection.id()) {
            link.current.compare_and_swap(&current, None);
        }
    }

    /// Closes the connection to `address` and forgets the address.
    pub(crate) fn close_address(&self, address: &str) {
        if let Some(link) = self.links.write().remove(address) {
            link.close();
        }
    }

    /// Closes everything, for good.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.links.write().drain().for_each(|(_, link)| link.close());
    }
}

/// The connection to one address.
#[derive(Default)]
struct Link {
    current: ArcSwapOption<Connection>,
    /// The number of dials that have ended.
    dials: AtomicU64,
    /// Held while dialling.
    dialling: Mutex<Dialling>,
}

/// The results of the last dials of one address.
#[derive(Default)]
struct Dialling {
    /// The cause of the last failure, until a dial succeeds.
    failed: Option<DialError>,
    /// The earliest time of the next dial; set while the host does not answer.
    not_before: Option<Instant>,
    backoff: Option<Backoff>,
}

/// The pauses between dials of a host that does not answer.
const SILENCE: BackoffConfig =
    BackoffConfig { first: Duration::from_millis(500), most: Duration::from_secs(2) };

impl Dialling {
    fn note(&mut self, dialled: &Result<Connection, DialError>, now: Instant, chance: &Chance) {
        self.failed = dialled.as_ref().err().cloned();
        match self.failed {
            Some(DialError::Timeout(_)) => {
                let backoff = self.backoff.get_or_insert_with(|| Backoff::new(SILENCE, chance.clone()));
                self.not_before = backoff.next().map(|wait| now + wait);
            }
            _ => (self.not_before, self.backoff) = (None, None),
        }
    }

    /// Returns the failure to repeat instead of a dial: a host that does not answer would otherwise cost every send its
    /// whole budget before it can try another broker.
    fn still_failing(&self, now: Instant) -> Option<DialError> {
        self.failed.clone().filter(|_| self.not_before.is_some_and(|until| now < until))
    }
}

impl Link {
    fn live(&self) -> Option<Connection> {
        let current = self.current.load();
        current.as_deref().filter(|connection| !connection.is_closed()).cloned()
    }

    /// Dials the address. Callers that waited while another's dial failed share that failure: a dead broker must not
    /// cost a hundred senders one connect timeout each, one after the other.
    async fn dial(&self, pool: &Pool, address: &str) -> Result<Connection, DialError> {
        let seen = self.dials.load(Ordering::Acquire);
        let mut last = self.dialling.lock().await;
        if let Some(connection) = self.live() {
            return Ok(connection);
        }
        let shared = last.failed.clone().filter(|_| self.dials.load(Ordering::Acquire) != seen);
        if let Some(error) = shared.or_else(|| last.still_failing(instant())) {
            return Err(error);
        }
        let dialled = self.dial_now(pool, address).await;
        last.note(&dialled, instant(), &pool.chance);
        self.dials.fetch_add(1, Ordering::Release);
        drop(last);
        if dialled.is_ok() {
            (pool.dialer.on_connect)(address);
        }
        dialled
    }

    async fn dial_now(&self, pool: &Pool, address: &str) -> Result<Connection, DialError> {
        let limit = pool.dialer.connect_timeout;
        let dialled = timeout(limit, pool.dialer.dial(address)).await;
        let connection = dialled.map_err(|_| DialError::Timeout(limit))??;
        self.current.store(Some(Arc::new(connection.clone())));
        // The pool may have been closed during the dial, after it had closed every link it knew.
        if pool.closed.load(Ordering::Acquire) {
            self.close();
            return Err(DialError::Closed);
        }
        Ok(connection)
    }

    fn close(&self) {
        if let Some(connection) = self.current.swap(None) {
            connection.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_a_host_that_swallows_connections_is_left_alone_and_not_for_long() {
        let (mut dialling, now, chance) = (Dialling::default(), instant(), Chance::seeded(1));
        let refused = Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        dialling.note(&Err(DialError::Io(refused.clone())), now, &chance);
        assert!(dialling.still_failing(now).is_none());
        dialling.note(&Err(DialError::Timeout(Duration::from_secs(3))), now, &chance);
        assert!(dialling.still_failing(now).is_some());
        assert!(dialling.still_failing(now + SILENCE.first).is_none());
        dialling.note(&Err(DialError::Io(refused)), now, &chance);
        assert!(dialling.still_failing(now).is_none());
    }
}
