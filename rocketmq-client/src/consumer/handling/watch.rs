//! Who is told of a handler's call: interceptors, message trace, metrics and the span around it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::at_work::AtWork;
use super::listen::{Call, Failure, Handler, Outcomes};
use crate::clock::{Clock, Instant, instant};
use crate::consumer::health::HealthBook;
use crate::messages::{Delivery, Outcome};
use crate::observe::interceptor::Interceptors;
use crate::observe::trace::record::ConsumeEnd;
use crate::observe::trace::{Consuming, Tracer};
use crate::observe::{metrics, span};

/// How the handler of one consumer is called.
#[derive(Clone)]
pub(crate) struct ServiceConfig {
    pub(crate) group: String,
    pub(crate) handler: Handler,
    pub(crate) batch: usize,
    pub(crate) consume_timeout: Duration,
    pub(crate) watchers: Watchers,
    pub(crate) at_work: AtWork,
    pub(crate) health: HealthBook,
    pub(crate) clock: Clock,
}

/// Everyone who watches the calls of one consumer.
#[derive(Clone, Default)]
pub(crate) struct Watchers {
    pub(crate) interceptors: Interceptors,
    pub(crate) tracer: Option<Arc<Tracer>>,
}

/// One call being watched. Dropped without an end when the call is cut.
pub(crate) struct Watch {
    begun: Instant,
    trace: Option<Consuming>,
    span: Span,
    _running: metrics::Running,
}

impl ServiceConfig {
    /// Starts one call of the handler, unless an interceptor decides in its place.
    pub(crate) fn call(&self, messages: &[Delivery]) -> (Watch, Call) {
        let watch = Watch {
            begun: instant(),
            trace: self.watchers.tracer.as_ref().map(|tracer| tracer.consuming(messages)),
            span: span::consume(&self.group, messages),
            _running: metrics::Running::handler(&self.group),
        };
        let call = match self.watchers.interceptors.before_consume(&self.group, messages) {
            ControlFlow::Continue(()) => self.handler.call(messages, watch.span.clone()),
            ControlFlow::Break(outcome) => Call::decided(outcome),
        };
        (watch, call)
    }

    /// Tells everyone how the call ended. A failed one is a retry.
    pub(crate) fn ended(&self, watch: Watch, messages: &[Delivery], result: &Result<Outcomes, Failure>) {
        let outcome = |index| result.as_ref().map_or(Outcome::Retry, |outcomes| outcomes.of(index));
        let failure = result.as_ref().err().map(Failure::kind);
        span::consumed(&watch.span, messages.len(), outcome, failure);
        metrics::consumed(&self.group, messages, outcome, failure, watch.begun.elapsed());
        if let (Some(tracer), Some(call)) = (&self.watchers.tracer, &watch.trace) {
            tracer.consumed(call, messages, |index| end_of(result, outcome(index)));
        }
        if !self.watchers.interceptors.is_empty() {
            let each: Vec<Outcome> = (0..messages.len()).map(outcome).collect();
            let _entered = watch.span.enter();
            self.watchers.interceptors.after_consume(&self.group, messages, &each);
        }
    }
}

fn end_of(result: &Result<Outcomes, Failure>, outcome: Outcome) -> ConsumeEnd {
    match (result, outcome) {
        (Err(Failure::Timeout), _) => ConsumeEnd::Timeout,
        (Err(_), _) => ConsumeEnd::Exception,
        (Ok(_), Outcome::Ack) => ConsumeEnd::Success,
        (Ok(_), _) => ConsumeEnd::Failed,
    }
}
