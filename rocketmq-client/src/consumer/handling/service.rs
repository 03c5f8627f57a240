//! [`Service`]: either way of calling handlers.

use std::sync::Arc;
use std::time::Duration;

use super::concurrent::ConcurrentService;
use super::orderly::OrderlyService;
use crate::consumer::member::Sink;
use crate::consumer::queue::owned::OwnedQueue;
use crate::messages::Delivery;

/// Calls the handlers, concurrently or in order.
#[derive(Clone)]
pub(crate) enum Service {
    Concurrent(Arc<ConcurrentService>),
    Orderly(Arc<OrderlyService>),
}

impl Sink for Service {
    fn deliver(&self, queue: &Arc<OwnedQueue>, messages: Vec<Delivery>) {
        match self {
            Service::Concurrent(service) => service.submit(queue.clone(), messages),
            // The queue's worker takes them from the window, which rings when messages arrive.
            Service::Orderly(_) => {}
        }
    }

    fn opened(&self, queue: &Arc<OwnedQueue>) {
        if let Service::Orderly(service) = self {
            service.open(queue);
        }
    }
}

impl Service {
    /// Follows a change of the engine's concurrency.
    pub(crate) fn adjust(&self) {
        if let Service::Concurrent(service) = self {
            service.adjust();
        }
    }

    pub(crate) fn stop(&self) {
        match self {
            Service::Concurrent(service) => service.stop(),
            Service::Orderly(service) => service.stop(),
        }
    }

    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        match self {
            Service::Concurrent(service) => service.drained(deadline).await,
            Service::Orderly(service) => service.drained(deadline).await,
        }
    }

    pub(crate) fn abort(&self) {
        match self {
            Service::Concurrent(service) => service.abort(),
            Service::Orderly(service) => service.abort(),
        }
    }
}
