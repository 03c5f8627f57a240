//! Asking the name servers: one live connection to one of them, the next one when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rocketmq_remoting::net::deadline;
use rocketmq_remoting::requests::route::GetRouteInfoRequest;
use rocketmq_remoting::route::TopicRoute;
use rocketmq_remoting::{AnswerError, Command, Request, ResponseCode};

use crate::clock::instant;
use crate::cluster::net::rpc::{Rpc, RpcError};
use crate::error::{BrokerRefusal, RouteError, RouteErrorKind};

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

    /// Asks the name servers in turn for the route of a topic; `None` when none that answers knows it. Brokers do not
    /// register with all of them at once, nor always with all.
    pub(crate) async fn route(
        &self,
        rpc: &Rpc,
        topic: &str,
        budget: Duration,
    ) -> Result<Option<TopicRoute>, RouteError> {
        let request = GetRouteInfoRequest { topic: topic.to_owned(), accept_standard_json_only: Some(true) };
        match self.ask(rpc, &request, topic, budget, Result::is_ok).await {
            Ok(answer) => Ok(Some(answer.route)),
            Err(error) if is_unknown_topic(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks the server in use, and the others in turn until one gives an answer that settles the matter.
    /// The first other answer counts when none does. `topic` is what a refusal names.
    ///
    /// The budget is shared out, so that a frozen server leaves time for the rest.
    pub(crate) async fn ask<R: Request<Body = ()>>(
        &self,
        rpc: &Rpc,
        request: &R,
        topic: &str,
        budget: Duration,
        settles: impl Fn(&Result<R::Response, RouteError>) -> bool,
    ) -> Result<R::Response, RouteError> {
        let command = request.command(&()).map_err(|error| {
            RouteError::new(RouteErrorKind::Malformed, "the request cannot be written").with_source(error)
        })?;
        let (deadline, servers) = (deadline(instant(), budget), self.servers());
        let start = self.chosen.load(Ordering::Relaxed);
        let (mut failures, mut doubtful) = (Vec::new(), None);
        for tried in 0..servers.len() {
            let index = (start + tried) % servers.len();
            let left = deadline.saturating_duration_since(instant());
            if left.is_zero() {
                break;
            }
            let share = share(left, budget, servers.len(), tried, doubtful.is_some());
            let answer = match rpc.call(&servers[index], command.clone(), share).await {
                Ok(answer) => read::<R>(answer, &servers[index], topic),
                Err(error) => {
                    failures.push((servers[index].clone(), error));
                    continue;
                }
            };
            if settles(&answer) {
                self.chosen.store(index, Ordering::Relaxed);
                return answer;
            }
            doubtful.get_or_insert((index, answer));
        }
        let (index, answer) = doubtful.ok_or_else(|| unreachable(failures))?;
        self.chosen.store(index, Ordering::Relaxed);
        answer
    }
}

/// Returns the time for the next server: an equal part of the rest. With an answer in hand it is at most an equal part
/// of the whole, so that a topic that is yet to be created does not wait for a frozen server until its first send has
/// run out of time.
fn share(left: Duration, budget: Duration, servers: usize, tried: usize, has_answer: bool) -> Duration {
    let of_the_rest = left / (servers - tried) as u32;
    if has_answer { of_the_rest.min(budget / servers as u32) } else { of_the_rest }
}

fn is_unknown_topic(error: &RouteError) -> bool {
    error.refusal().is_some_and(|refusal| refusal.code == ResponseCode::TOPIC_NOT_EXIST)
}

fn read<R: Request>(answer: Command, server: &str, topic: &str) -> Result<R::Response, RouteError> {
    R::answer(answer).map(|answered| answered.payload).map_err(|error| match error {
        AnswerError::Refused { code, remark } => RouteError::refused(
            RouteErrorKind::Refused,
            BrokerRefusal { code, remark, broker: server.to_owned(), topic: topic.to_owned() },
        ),
        error => RouteError::new(RouteErrorKind::Malformed, format!("{server}: {error}")).with_source(error),
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
