//! The loop of every send: choose a queue, try, and let the rules decide what follows.

use std::borrow::Cow;
use std::time::Duration;

use rocketmq_remoting::version::V5_0_0;
use rocketmq_remoting::{Command, DecodeError, ResponseCode};

use super::latency::ISOLATION;
use super::outgoing::Outgoing;
use super::retry::{Failure, Next, RetryPolicy};
use super::sender::Sender;
use crate::clock::{Instant, instant};
use crate::cluster::Which;
use crate::cluster::net::rpc::{RpcError, refusal};
use crate::cluster::route::queue::SharedQueue;
use crate::error::{
    Attempt, BrokerRefusal, CallErrorKind, RouteError, RouteErrorKind, SendError, SendErrorKind,
};
use crate::messages::{Receipt, SendStatus};
use crate::observe::trace::SendTrace;

/// The failure of one try.
#[derive(Debug)]
enum Failed {
    /// The route names no master of this broker.
    NoMaster,
    Rpc(RpcError),
    Refused(BrokerRefusal),
    /// Stored, but not as well as asked.
    NotDurable(Receipt),
    /// The answer says success, and lacks the place.
    Malformed(DecodeError),
}

impl Failed {
    fn rule(&self) -> Failure<'_> {
        match self {
            Self::Refused(refusal) => Failure::Refused(refusal),
            Self::NotDurable(_) => Failure::NotDurable,
            Self::NoMaster | Self::Rpc(_) | Self::Malformed(_) => Failure::Transport,
        }
    }

    fn cause(&self) -> String {
        match self {
            Self::NoMaster => "the route names no master for this broker".to_owned(),
            Self::Rpc(error) => error.to_string(),
            Self::Refused(refusal) => refusal.to_string(),
            Self::NotDurable(receipt) => format!("stored with status {:?}", receipt.status()),
            Self::Malformed(error) => format!("the answer cannot be read: {error}"),
        }
    }

    fn into_error(self, topic: &str) -> SendError {
        let text = format!("message to {topic}");
        match self {
            Self::Refused(refusal) => SendError::refused(kind_of(&refusal), refusal),
            Self::Rpc(error) => SendError::new(kind_of_rpc(&error), text).with_source(error),
            Self::NoMaster | Self::NotDurable(_) => SendError::new(SendErrorKind::NoQueue, text),
            Self::Malformed(error) => SendError::new(SendErrorKind::Malformed, text).with_source(error),
        }
    }
}

fn kind_of(refusal: &BrokerRefusal) -> SendErrorKind {
    match refusal.code {
        _ if refusal.is_flow_control() => SendErrorKind::FlowControl,
        _ if refusal.is_access_denied() => SendErrorKind::NotPermitted,
        ResponseCode::TOPIC_NOT_EXIST => SendErrorKind::TopicNotFound,
        _ => SendErrorKind::Refused,
    }
}

fn kind_of_rpc(error: &RpcError) -> SendErrorKind {
    match error.kind() {
        CallErrorKind::Timeout => SendErrorKind::Timeout,
        CallErrorKind::Closed => SendErrorKind::Closed,
        CallErrorKind::InvalidRequest => SendErrorKind::InvalidMessage,
        _ => SendErrorKind::Unreachable,
    }
}

/// Makes the error of a send whose route is not known.
pub(super) fn no_route(error: RouteError) -> SendError {
    error.map_kind(|kind| match kind {
        RouteErrorKind::TopicNotFound => SendErrorKind::TopicNotFound,
        RouteErrorKind::Timeout => SendErrorKind::Timeout,
        RouteErrorKind::Closed => SendErrorKind::Closed,
        _ => SendErrorKind::NoRoute,
    })
}

impl Sender {
    /// Tries until the message is stored, the tries are used up, or the deadline has come. A message bound to one queue
    /// has one try, as in Java: another queue would break its order.
    pub(super) async fn dispatch(
        &self,
        out: &Outgoing,
        queues: &[SharedQueue],
        bound: Option<SharedQueue>,
        deadline: Instant,
    ) -> Result<Receipt, SendError> {
        let policy = self.policy(queues, bound.is_some());
        let mut avoid: Option<SharedQueue> = None;
        let mut attempts = Vec::new();
        for tried in 1.. {
            let queue = match &bound {
                Some(queue) => queue.clone(),
                None => self.choose(queues, avoid.as_ref(), out)?,
            };
            let start = instant();
            let budget = policy.budget(tried, deadline.saturating_duration_since(start));
            let home = self.cluster.home(&queue);
            let address = self.cluster.address(&home, Which::Master, &queue.topic).await.ok();
            let failed = match self.attempt(out, &queue, &home, address.as_deref(), start, budget).await {
                Ok(receipt) => return Ok(self.traced(out, receipt, address.as_deref())),
                Err(failed) => failed,
            };
            attempts.push(self.record(&queue, address.as_deref(), &failed, start.elapsed()));
            match policy.after(tried, &failed.rule(), deadline.saturating_duration_since(instant())) {
                Next::Elsewhere => avoid = Some(queue),
                Next::Anywhere => avoid = None,
                Next::Stop => return self.end(out, failed, address.as_deref(), attempts),
            }
        }
        // The policy stops after a finite number of tries; the range alone does not say so.
        Err(SendError::new(SendErrorKind::NoQueue, out.topic.as_str()))
    }

    fn policy(&self, queues: &[SharedQueue], bound: bool) -> RetryPolicy<'_> {
        RetryPolicy {
            tries: if bound { 1 } else { self.config.retries.saturating_add(1) },
            codes: &self.config.retry_codes,
            when_not_durable: self.config.retry_when_not_durable,
            attempt_timeout: self.config.attempt_timeout,
            has_others: queues.windows(2).any(|pair| pair[0].broker_name != pair[1].broker_name),
        }
    }

    fn choose(
        &self,
        queues: &[SharedQueue],
        avoid: Option<&SharedQueue>,
        out: &Outgoing,
    ) -> Result<SharedQueue, SendError> {
        let avoid = avoid.map(|queue| queue.broker_name.as_str());
        let queue = if self.config.latency_fault_tolerance {
            self.robin.pick_fit(queues, avoid, &self.latency, instant())
        } else {
            self.robin.pick(queues, avoid)
        };
        queue.cloned().ok_or_else(|| {
            let text = format!(
                "topic {} has no writable queue on a broker with a master; check its permissions and brokers",
                out.topic
            );
            SendError::new(SendErrorKind::NoQueue, text)
        })
    }

    async fn attempt(
        &self,
        out: &Outgoing,
        queue: &SharedQueue,
        home: &str,
        address: Option<&str>,
        start: Instant,
        budget: Duration,
    ) -> Result<Receipt, Failed> {
        let address = address.ok_or(Failed::NoMaster)?;
        let (request, budget) = self.request(out, queue, home, address, budget).await;
        let channel = self.channel(address);
        let call = self.cluster.rpc.call_once(&channel, request, budget);
        let response = call.await.map_err(Failed::Rpc)?;
        if self.config.latency_fault_tolerance {
            self.latency.record(&queue.broker_name, start.elapsed(), true, instant());
        }
        let Some(status) = SendStatus::of(response.response_code()) else {
            return Err(Failed::Refused(refusal(&response, &queue.broker_name, &out.topic)));
        };
        let receipt =
            Receipt::read(status, out.message_id.clone(), queue, response).map_err(Failed::Malformed)?;
        match status {
            SendStatus::Ok => Ok(receipt),
            _ => Err(Failed::NotDurable(receipt)),
        }
    }

    /// Makes the request, and returns it with the rest of the budget. Batches differ between brokers of 4.x and 5.x, so the
    /// broker may have to be asked for its version first.
    async fn request(
        &self,
        out: &Outgoing,
        queue: &SharedQueue,
        broker: &str,
        address: &str,
        budget: Duration,
    ) -> (Command, Duration) {
        let request = out.command(self, queue, broker);
        if !out.batch {
            return (request, budget);
        }
        let start = instant();
        let version = tokio::time::timeout(budget, self.membership.broker_version(address)).await;
        let request = match version {
            Ok(Some(version)) if version >= V5_0_0 => out.named(request),
            _ => request,
        };
        (request, budget.saturating_sub(start.elapsed()))
    }

    /// Writes the message to one broker. There is no second try, since no answer tells of a failure.
    pub(super) async fn dispatch_oneway(
        &self,
        out: &Outgoing,
        queues: &[SharedQueue],
        bound: Option<SharedQueue>,
        deadline: Instant,
    ) -> Result<(), SendError> {
        let queue = match bound {
            Some(queue) => queue,
            None => self.choose(queues, None, out)?,
        };
        let home = self.cluster.home(&queue);
        let address = self.cluster.address(&home, Which::Master, &queue.topic).await;
        let Ok(address) = address else { return Err(Failed::NoMaster.into_error(&out.topic)) };
        let left = deadline.saturating_duration_since(instant());
        let command = out.command(self, &queue, &home);
        let sent = self.cluster.rpc.oneway(&self.channel(&address), command, left).await;
        sent.map_err(|error| Failed::Rpc(error).into_error(&out.topic))
    }

    /// Returns the address to send to: the VIP channel is the port two below.
    fn channel<'a>(&self, address: &'a str) -> Cow<'a, str> {
        if !self.cluster.config.vip_channel || !self.observed {
            return Cow::Borrowed(address);
        }
        let split = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        match split {
            Some((host, port)) if port > 2 => Cow::Owned(format!("{host}:{}", port - 2)),
            _ => Cow::Borrowed(address),
        }
    }

    /// Traces a stored message or batch.
    fn traced(&self, out: &Outgoing, receipt: Receipt, address: Option<&str>) -> Receipt {
        if let Some(tracer) = &self.tracer {
            tracer.sent(&SendTrace {
                topic: self.cluster.names.plain(&out.topic),
                properties: &out.properties,
                body: &out.body,
                sys_flag: out.sys_flag,
                is_batch: out.batch,
                receipt: &receipt,
                host: &self.channel(address.unwrap_or_default()),
                took: out.begun.elapsed(),
            });
        }
        receipt
    }

    /// Records a failed try: for the caller, for the choice of the next broker, and for the route, which may be out of
    /// date.
    fn record(
        &self,
        queue: &SharedQueue,
        address: Option<&str>,
        failed: &Failed,
        elapsed: Duration,
    ) -> Attempt {
        if self.config.latency_fault_tolerance && !matches!(failed, Failed::NotDurable(_)) {
            let answers = matches!(failed, Failed::Rpc(_)) && !self.config.latency_fault_detector;
            self.latency.record(&queue.broker_name, ISOLATION, answers, instant());
        }
        if !matches!(failed, Failed::NotDurable(_)) {
            self.refresh_soon(queue.topic.clone());
        }
        Attempt {
            broker: queue.broker_name.clone(),
            address: address.unwrap_or_default().to_owned(),
            elapsed,
            cause: failed.cause(),
        }
    }

    fn refresh_soon(&self, topic: String) {
        let cluster = self.cluster.clone();
        self.cluster.spawn(async move {
            if let Err(error) = cluster.refresh_topic(&topic).await {
                tracing::debug!(topic, %error, "route not refreshed");
            }
        });
    }

    /// Ends the send after its last try. A message that was stored, though not durably, is a success.
    fn end(
        &self,
        out: &Outgoing,
        failed: Failed,
        address: Option<&str>,
        attempts: Vec<Attempt>,
    ) -> Result<Receipt, SendError> {
        match failed {
            Failed::NotDurable(receipt) => Ok(self.traced(out, receipt, address)),
            failed => Err(failed.into_error(&out.topic).with_attempts(attempts)),
        }
    }
}
