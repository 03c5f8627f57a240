//! The outgoing links to the name servers: one task for each, which keeps the broker's routes there up to date.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::Command;
use rocketmq_remoting::Request;
use rocketmq_remoting::body::{RegisterBrokerBody, TopicConfigWrapper};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::{Answer, CallError, Connection, ConnectionConfig, Handler};
use rocketmq_remoting::requests::route::{RegisterBrokerRequest, UnregisterBrokerRequest};
use rocketmq_remoting::signature;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::broker::Login;
use crate::clock::Clock;
use crate::complaint::Complaint;
use crate::net::Outgoing;

/// Shortest and longest time between two registrations, as in Apache.
const PERIOD_LIMITS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// The pause before a name server is dialled again: the first, and the longest.
const REDIAL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The topics to register.
pub trait TopicSource: Send + Sync + 'static {
    /// Every topic, with the permissions that clients may use now.
    fn topics(&self) -> TopicConfigWrapper;

    /// Changes whenever [`topics`](Self::topics) does.
    fn changes(&self) -> watch::Receiver<u64>;

    /// A name server knows the topics as they were when [`changes`](Self::changes) showed `change`.
    fn announced(&self, change: u64);
}

/// The identity under which a broker registers.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The cluster it belongs to.
    pub cluster: String,
    /// Its name in routes.
    pub broker_name: String,
    /// 0 is the master.
    pub broker_id: i64,
    /// `host:port` that clients dial.
    pub address: String,
    /// `host:port` that slaves dial.
    pub ha_address: String,
    /// Signs what the broker asks of name servers.
    pub login: Option<Login>,
}

impl Identity {
    fn signed(&self, mut command: Command) -> Command {
        if let Some(Login { user, password }) = &self.login {
            signature::sign(&mut command, user, password, None);
        }
        command
    }
}

/// When to register.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Between two registrations of unchanged topics; held to 10 s .. 60 s. Default: 30 s.
    pub period: Duration,
    /// For one answer. Default: 24 s.
    pub timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { period: Duration::from_secs(30), timeout: Duration::from_secs(24) }
    }
}

/// A broker's presence at its name servers. Dropping it leaves them without a word.
#[derive(Debug)]
pub struct Registration {
    leave: CancellationToken,
    vanish: CancellationToken,
    tasks: TaskTracker,
    registered: Vec<watch::Receiver<bool>>,
}

impl Registration {
    /// Registers with each of `name_servers` (`host:port`) and keeps doing so: every period by `clock`, at once when
    /// topics change, and again over a new connection when one is lost. Names are resolved at every dial, which `outgoing` does.
    pub fn start(
        identity: Identity,
        name_servers: &[String],
        outgoing: Outgoing,
        source: Arc<dyn TopicSource>,
        timing: Timing,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (leave, vanish, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let links = name_servers.iter().map(|name_server| {
            let (registered, receiver) = watch::channel(false);
            let link = Link {
                name_server: name_server.clone(),
                identity: identity.clone(),
                outgoing: outgoing.clone(),
                source: source.clone(),
                timing: timing.clone(),
                clock: clock.clone(),
                stop: leave.clone(),
                registered,
                complaint: Mutex::default(),
            };
            tasks.spawn(vanish.clone().run_until_cancelled_owned(link.run()));
            receiver
        });
        let registered = links.collect();
        Self { leave, vanish, tasks, registered }
    }

    /// Completes when every name server has accepted the broker once.
    pub async fn registered(&self) {
        for receiver in &self.registered {
            // An error means that the link has ended, which `shutdown` alone brings about.
            let _ = receiver.clone().wait_for(|registered| *registered).await;
        }
    }

    /// Tells every name server that can be reached that the broker leaves, and hangs up.
    pub async fn shutdown(self) {
        self.leave.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Hangs up without a word, as a crash would.
    pub async fn vanish(self) {
        self.vanish.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.vanish.cancel();
    }
}

/// The link to one name server, with all that its task needs.
struct Link {
    name_server: String,
    identity: Identity,
    outgoing: Outgoing,
    source: Arc<dyn TopicSource>,
    timing: Timing,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    registered: watch::Sender<bool>,
    complaint: Mutex<Complaint>,
}

impl Link {
    async fn run(self) {
        let mut pause = REDIAL.0;
        while !self.stop.is_cancelled() {
            match self.dial().await {
                Ok(connection) => {
                    if self.stay(&connection).await {
                        pause = REDIAL.0;
                    }
                    connection.close();
                }
                Err(_) if self.stop.is_cancelled() => return,
                Err(error) => self.complain(&format_args!("cannot reach the name server: {error}")),
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(REDIAL.1);
        }
    }

    /// Warns of what keeps the broker from being known, which may last.
    fn complain(&self, fault: &dyn Display) {
        if let Some(before) = self.complaint.lock().again(self.clock.now_ms()) {
            warn!(name_server = self.name_server, before, "{fault}");
        }
    }

    fn is_known(&self, change: u64) {
        self.registered.send_replace(true);
        self.source.announced(change);
        if let Some(lasted) = self.complaint.lock().over(self.clock.now_ms()) {
            warn!(
                name_server = self.name_server,
                seconds = lasted / 1000,
                "the name server knows the broker again"
            );
        }
    }

    async fn dial(&self) -> std::io::Result<Connection> {
        const PATIENCE: Duration = Duration::from_secs(3);
        let dial = self.outgoing.dial(&self.name_server, Arc::new(Silent), ConnectionConfig::default());
        tokio::select! {
            () = self.stop.cancelled() => Err(std::io::ErrorKind::Interrupted.into()),
            dialled = tokio::time::timeout(PATIENCE, dial) => {
                dialled.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Registers again and again until the connection is lost or the broker leaves. Says whether the name server ever took
    /// the broker.
    async fn stay(&self, connection: &Connection) -> bool {
        let mut known = false;
        let mut changes = self.source.changes();
        let (shortest, longest) = PERIOD_LIMITS;
        let period = self.timing.period.clamp(shortest, longest);
        loop {
            let change = *changes.borrow_and_update();
            match self.register(connection, change).await {
                Ok(taken) => known |= taken,
                Err(error) => {
                    self.complain(&format_args!("a registration got no answer: {error}"));
                    return known;
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => {
                    self.leave(connection).await;
                    return known;
                }
                reason = connection.closed() => {
                    info!(name_server = self.name_server, %reason, "lost the name server");
                    return known;
                }
                Ok(()) = changes.changed() => {}
                () = self.clock.sleep(period) => {}
            }
        }
    }

    /// Says whether the name server takes the broker.
    async fn register(&self, connection: &Connection, change: u64) -> Result<bool, CallError> {
        let answer = connection.call(self.registration()?, self.timing.timeout).await?;
        let taken = answer.response_code() == ResponseCode::SUCCESS;
        if taken {
            self.is_known(change);
        } else {
            let (code, remark) = (answer.response_code(), answer.remark.unwrap_or_default());
            self.complain(&format_args!("the name server refuses the broker: {code}: {remark}"));
        }
        Ok(taken)
    }

    fn registration(&self) -> Result<Command, CallError> {
        let body = RegisterBrokerBody {
            topic_config_serialize_wrapper: self.source.topics(),
            ..RegisterBrokerBody::default()
        };
        let body = body.encode()?;
        let header = RegisterBrokerRequest {
            broker_name: self.identity.broker_name.clone(),
            broker_addr: self.identity.address.clone(),
            cluster_name: self.identity.cluster.clone(),
            ha_server_addr: self.identity.ha_address.clone(),
            broker_id: self.identity.broker_id,
            body_crc32: (crc32fast::hash(&body) & 0x7FFF_FFFF).cast_signed(),
            enable_acting_master: Some(false),
            ..RegisterBrokerRequest::default()
        };
        Ok(self.identity.signed(header.to_command()?.with_body(body)))
    }

    async fn leave(&self, connection: &Connection) {
        const PATIENCE: Duration = Duration::from_secs(3);
        let header = UnregisterBrokerRequest {
            broker_name: self.identity.broker_name.clone(),
            broker_addr: self.identity.address.clone(),
            cluster_name: self.identity.cluster.clone(),
            broker_id: self.identity.broker_id,
        };
        let left = match header.to_command() {
            Ok(command) => connection.call(self.identity.signed(command), PATIENCE).await.map(drop),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = left {
            info!(name_server = self.name_server, %error, "left without the name server hearing of it");
        }
    }
}

/// A name server asks nothing of a broker that this one serves.
struct Silent;

impl Handler for Silent {
    fn handle(&self, _connection: &Connection, command: Command) -> Answer {
        if command.is_oneway() {
            return Answer::None;
        }
        Answer::Now(Command::response_to(&command, ResponseCode::REQUEST_CODE_NOT_SUPPORTED))
    }
}
