//! [`Sender`]: the state that all sends of one producer share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocketmq_remoting::net::deadline;

use super::checker::Checker;
use super::config::ProducerConfig;
use super::latency::LatencyTable;
use super::permits::{Permits, Room};
use super::select::RoundRobin;
use crate::clock::Instant;
use crate::cluster::Cluster;
use crate::error::{SendError, SendErrorKind};
use crate::membership::Membership;
use crate::messages::{Message, validate};
use crate::observe::interceptor::Interceptors;
use crate::observe::trace::Tracer;

/// Holds the state that all sends of one producer share.
pub(super) struct Sender {
    pub(super) membership: Arc<Membership>,
    pub(super) cluster: Arc<Cluster>,
    /// The name that the application gave.
    pub(super) group: String,
    /// The name on the wire.
    pub(super) wire_group: String,
    pub(super) config: ProducerConfig,
    pub(super) robin: RoundRobin,
    pub(super) latency: LatencyTable,
    pub(super) permits: Permits,
    pub(super) interceptors: Interceptors,
    pub(super) checker: Option<Checker>,
    pub(super) tracer: Option<Arc<Tracer>>,
    /// False for the producer of message traces, which has no interceptors, metrics, spans or namespace.
    pub(super) observed: bool,
    pub(super) closed: AtomicBool,
}

impl Sender {
    /// Refuses all further sends.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Returns the moment at which a send has used up its time.
    pub(super) fn deadline(&self, begun: Instant, timeout: Option<Duration>) -> Instant {
        deadline(begun, timeout.unwrap_or(self.config.send_timeout))
    }

    /// Calls the interceptors, which may change the message, then checks the message.
    pub(super) fn admit(&self, message: &mut Message) -> Result<(), SendError> {
        if self.closed.load(Ordering::Acquire) || self.cluster.stop.is_cancelled() {
            return Err(self.is_shut_down());
        }
        self.interceptors.before_send(message).map_err(|cause| {
            SendError::new(SendErrorKind::Vetoed, format!("message to {}: {cause}", message.topic))
                .with_source(cause)
        })?;
        validate::message(message, self.config.max_message_size)
            .map_err(|fault| SendError::new(SendErrorKind::InvalidMessage, fault))
    }

    pub(super) fn is_shut_down(&self) -> SendError {
        SendError::new(SendErrorKind::Closed, format!("producer of group {}", self.group))
    }

    /// Waits for room for a body of this size.
    pub(super) async fn room(&self, bytes: usize, deadline: Instant) -> Result<Room, SendError> {
        self.permits.room(bytes, deadline).await.ok_or_else(|| {
            let text = format!(
                "no room within the time for the send; the limits are max_in_flight = {} and \
                 max_in_flight_bytes = {}",
                self.config.max_in_flight, self.config.max_in_flight_bytes
            );
            SendError::new(SendErrorKind::Overloaded, text)
        })
    }
}
