//! Asking the name servers: one live connection to one of them, the next one when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::net::deadline;
use rocketmq_remoting::requests::route::GetRouteInfoRequest;
use rocketmq_remoting::route::TopicRoute;
use rocketmq_remoting::{Command, ResponseCode};

use crate::cluster::net::rpc::{Rpc, RpcError, refusal};
use crate::error::{RouteError, RouteErrorKind};

/// The name servers of one client.
pub(crate) struct Resolver {
    servers: ArcSwap<Vec<String>>,
    /// Index of the one in use; it stays while it answers.
    chosen: AtomicUsize,
}

impl Resolver {
    /// Starts with the server at `start`, drawn at random so that clients spread.
    pub(crate) fn new(servers: Vec<String>, start: usize) -> Self {
        Self { servers: ArcSwap::from_pointee(servers), chosen: AtomicUsize::new(start) }
    }

    pub(crate) fn servers(&self) -> Arc<Vec<String>> {
        self.servers.load_full()
    }

    /// Takes a new list. The server in use is kept when the list still names it; the connections of
    /// those that left are returned to be closed.
    pub(crate) fn replace(&self, servers: Vec<String>) -> Vec<String> {
        let old = self.servers.load_full();
        let chosen = old.get(self.chosen.load(Ordering::Relaxed) % old.len().max(1));
        if let Some(kept) = chosen.and_then(|chosen| servers.iter().position(|server| server == chosen)) {
            self.chosen.store(kept, Ordering::Relaxed);
        }
        let gone = old.iter().filter(|server| !servers.contains(server)).cloned().collect();
        self.servers.store(Arc::new(servers));
        gone
    }

    /// Where a topic lives; `None` when no name server that answers knows it: brokers do not register with all of them at
    /// once, nor always with all.
    pub(crate) async fn route(
        &self,
        rpc: &Rpc,
        topic: &str,
        budget: Duration,
    ) -> Result<Option<TopicRoute>, RouteError> {
        let header = GetRouteInfoRequest { topic: topic.to_owned(), accept_standard_json_only: Some(true) };
        let command = header.to_command().map_err(|error| {
            RouteError::new(RouteErrorKind::Malformed, "the request cannot be written").with_source(error)
        })?;
        let knows = |answer: &Command| answer.response_code() == ResponseCode::SUCCESS;
        let (server, response) = self.call(rpc, command, budget, knows).await?;
        match response.response_code() {
            ResponseCode::SUCCESS => read_route(&server, topic, &response).map(Some),
            ResponseCode::TOPIC_NOT_EXIST => Ok(None),
            _ => Err(RouteError::refused(RouteErrorKind::Refused, refusal(&response, &server, topic))),
        }
    }

    /// Sends `command` to the server in use, and to the others in turn until one gives an answer that settles the matter.
    /// The first other answer counts when none does.
    ///
    /// The budget is shared out, so that a frozen server leaves time for the rest.
    pub(crate) async fn call(
        &self,
        rpc: &Rpc,
        command: Command,
        budget: Duration,
        settles: impl Fn(&Command) -> bool,
    ) -> Result<(String, Command), RouteError> {
        let (deadline, servers) = (deadline(Instant::now(), budget), self.servers());
        let start = self.chosen.load(Ordering::Relaxed);
        let (mut failures, mut doubtful) = (Vec::new(), None);
        for tried in 0..servers.len() {
            let index = (start + tried) % servers.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let share = share(left, budget, servers.len(), tried, doubtful.is_some());
            match rpc.call(&servers[index], command.clone(), share).await {
                Ok(response) if settles(&response) => {
                    self.chosen.store(index, Ordering::Relaxed);
                    return Ok((servers[index].clone(), response));
                }
                Ok(response) => {
                    doubtful.get_or_insert((index, response));
                }
                Err(error) => failures.push((servers[index].clone(), error)),
            }
        }
        let (index, response) = doubtful.ok_or_else(|| unreachable(failures))?;
        self.chosen.store(index, Ordering::Relaxed);
        Ok((servers[index].clone(), response))
    }
}

/// How long the next server may take: an equal part of what is left. With an answer in hand it is no more than an equal part
/// of the whole, lest a topic that is yet to be made wait for a frozen server until its first send has run out of time.
fn share(left: Duration, budget: Duration, servers: usize, tried: usize, has_answer: bool) -> Duration {
    let of_the_rest = left / (servers - tried) as u32;
    if has_answer { of_the_rest.min(budget / servers as u32) } else { of_the_rest }
}

fn read_route(server: &str, topic: &str, response: &Command) -> Result<TopicRoute, RouteError> {
    fastjson::from_slice(&response.body).map_err(|error| {
        RouteError::new(RouteErrorKind::Malformed, format!("route of {topic} from {server}: {error}"))
            .with_source(error)
    })
}

fn unreachable(failures: Vec<(String, RpcError)>) -> RouteError {
    if failures.is_empty() {
        return RouteError::new(
            RouteErrorKind::NoNameServer,
            "give connect() at least one host:port, for example 127.0.0.1:9876",
        );
    }
    let tried: Vec<String> = failures.iter().map(|(server, error)| format!("{server} ({error})")).collect();
    RouteError::new(RouteErrorKind::Unreachable, format!("tried {}", tried.join(", ")))
}
