//! Accepting connections: a bound socket, a look at each peer's first byte, a cap, and an end.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rocketmq_remoting::Command;
use rocketmq_remoting::net::{Answer, CloseReason, Connection, ConnectionConfig, Handler, Refusal};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::guests::{Guest, Guests, Place};
use super::security::{Security, Stream};
use super::shutdown::{Gate, Phase};
use crate::complaint::Complaint;
use crate::config::{NetworkConfig, Networks};

/// The time that connections have to write their last answers when they are closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// The pause before the next accept when the process has run out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", remedy(source))]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// The address that was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns true if another process listens there.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "stop the program that uses the port, or choose another with `listenPort`"
        }
        io::ErrorKind::PermissionDenied => "choose a port above 1023 with `listenPort`",
        io::ErrorKind::AddrNotAvailable => "set `bindAddress` to an address of this machine",
        _ => "check `bindAddress` and `listenPort`",
    }
}

/// A bound socket on which nobody is served yet: peers that dial wait in its backlog.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    security: Security,
    guests: Option<Guests>,
}

impl Listener {
    /// Binds `port` (0: any) of `address`.
    ///
    /// # Errors
    /// When the address cannot be listened on; the error names it and says what to do.
    pub async fn bind(ip: IpAddr, port: u16) -> Result<Self, BindError> {
        let wanted = SocketAddr::new(ip, port);
        let failed = |source| BindError { address: wanted, source };
        let socket = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, security: Security::plain(), guests: None })
    }

    /// Takes peers by this rule. Without one, only those that do not encrypt are served.
    #[must_use]
    pub fn secured(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// The address that peers can dial, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shares the limits on peers with another server.
    #[must_use]
    pub fn sharing(mut self, guests: Guests) -> Self {
        self.guests = Some(guests);
        self
    }

    /// Serves whoever dials with `handler` until the server is stopped.
    pub fn serve(self, handler: Arc<dyn Handler>, config: &NetworkConfig) -> Server {
        let shared = Arc::new(Shared {
            gate: Gate::new(handler),
            security: self.security,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            idle: config.idle,
            guests: self.guests.unwrap_or_else(|| Guests::new(config)),
            trusted_proxies: config.trusted_proxies.clone(),
        });
        let address = self.address;
        shared.tasks.spawn(accept(self.socket, shared.clone()));
        Server { address, shared, shutdown_wait: config.shutdown_wait }
    }
}

/// A socket being served. Dropping it stops it as [`kill`](Server::kill) does.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown_wait: Duration,
}

impl Server {
    /// The address that peers can dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as if the process were frozen.
    pub fn pause(&self) {
        self.shared.gate.enter(Phase::Held);
    }

    /// Works on what [`pause`](Self::pause) has kept, and goes on as before.
    pub fn resume(&self) {
        self.shared.gate.enter(Phase::Running);
    }

    /// Closes one connection, if it is still open.
    pub fn close_connection(&self, id: u64) {
        if let Some(connection) = self.shared.open.lock().get(&id) {
            connection.close();
        }
    }

    /// Breaks every open connection; peers may dial again.
    pub(crate) fn disconnect(&self) {
        let open: Vec<_> = self.shared.open.lock().values().cloned().collect();
        open.iter().for_each(Connection::abort);
    }

    /// Counts the open connections.
    pub fn connections(&self) -> usize {
        self.shared.open.lock().len()
    }

    /// Stops: no new connections, new requests are sent away, those in flight get the configured time to finish, then
    /// every connection is closed. Dropping the future stops at once instead.
    pub async fn shutdown(&self) {
        let at_once = Killed(self);
        self.shared.stop.cancel();
        self.shared.gate.enter(Phase::Stopping);
        self.shared.gate.drained(self.shutdown_wait).await;
        drop(at_once);
        self.ended().await;
    }

    /// Completes when a stopped server has let go of its port and its connections, or after a second: a peer that has
    /// stopped reading must not hold up the others.
    pub async fn ended(&self) {
        let _ = tokio::time::timeout(CLOSE_PATIENCE, self.shared.tasks.wait()).await;
    }

    /// Stops at once: requests in flight are never answered.
    pub fn kill(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let open: Vec<_> = self.shared.open.lock().values().cloned().collect();
        open.iter().for_each(Connection::close);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Killed<'a>(&'a Server);

impl Drop for Killed<'_> {
    fn drop(&mut self) {
        self.0.kill();
    }
}

struct Shared {
    gate: Gate,
    security: Security,
    open: Mutex<HashMap<u64, Connection>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    idle: Duration,
    guests: Guests,
    trusted_proxies: Networks,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("open", &self.open.lock().len()).finish_non_exhaustive()
    }
}

/// Serves one peer.
struct Served {
    shared: Arc<Shared>,
    guest: Arc<Guest>,
}

impl Handler for Served {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        self.shared.guests.hear(&self.guest);
        self.shared.gate.handle(connection, command)
    }

    fn commit(&self, connection: &Connection) -> Result<(), Refusal> {
        self.shared.gate.commit(connection)
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        if let CloseReason::Overload { .. } = reason {
            warn!(peer = %connection.peer(), %reason, "a connection is closed to free memory");
        }
        self.shared.open.lock().remove(&connection.id());
        self.shared.gate.closed(connection, reason);
    }
}

async fn accept(socket: TcpListener, shared: Arc<Shared>) {
    let (begun, mut complaint) = (Instant::now(), Complaint::default());
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(&shared, stream, peer),
            Err(error) => {
                let now = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
                if let Some(before) = complaint.again(now) {
                    warn!(%error, before, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    match shared.guests.admit() {
        Some(place) => drop(shared.tasks.spawn(greet_and_serve(shared.clone(), stream, peer, place))),
        None => debug!(%peer, "refusing a connection over the limit"),
    }
}

async fn greet_and_serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, place: Place) {
    let Ok(local) = stream.local_addr() else { return };
    let greet = shared.security.greet(stream, peer, &shared.trusted_proxies);
    let greeted = tokio::select! {
        () = shared.stop.cancelled() => return,
        () = place.guest.go.cancelled() => return,
        greeted = tokio::time::timeout(shared.idle, greet) => greeted,
    };
    match greeted {
        Ok(Ok((stream, peer))) => serve(shared.clone(), stream, peer, local, &place.guest).await,
        Ok(Err(error)) => debug!(%peer, %error, "a connection that never began"),
        Err(_) => debug!(%peer, "a connection that never said anything"),
    }
}

async fn serve(
    shared: Arc<Shared>,
    stream: Box<dyn Stream>,
    peer: SocketAddr,
    local: SocketAddr,
    guest: &Arc<Guest>,
) {
    let memory = Some(shared.guests.memory());
    let config = ConnectionConfig { idle: Some(shared.idle), memory, ..ConnectionConfig::default() };
    let handler = Arc::new(Served { shared: shared.clone(), guest: guest.clone() });
    let connection = Connection::spawn(stream, peer, local, handler, config);
    shared.open.lock().insert(connection.id(), connection.clone());
    // It may have closed, and removed itself in vain, before it was inserted; or the server may have stopped.
    if shared.stop.is_cancelled() && shared.tasks.is_closed() {
        connection.close();
    }
    tokio::select! {
        _ = connection.closed() => {}
        () = guest.go.cancelled() => {
            debug!(%peer, "a connection is closed to make room for another");
            connection.abort();
        }
    }
    shared.open.lock().remove(&connection.id());
}
