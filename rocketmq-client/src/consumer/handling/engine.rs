//! The engine: runs the handler of one consumer and gives its verdicts.
//!
//! It does everything around a call: permits, interceptors, message trace, span and metrics, the time limit, panics,
//! figures and log lines. Three policies settle the messages by their verdict: [`concurrent`](super::concurrent)
//! commits offsets, [`orderly`](super::orderly) moves a queue on, POP acknowledges.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use tracing::Span;

use super::at_work::AtWork;
use super::call::{Call, Failure, Handler, Outcomes};
use super::permits::{Permit, Permits};
use crate::clock::{Instant, instant};
use crate::consumer::stats::Stats;
use crate::messages::{Delivery, Outcome};
use crate::observe::interceptor::Interceptors;
use crate::observe::trace::record::ConsumeEnd;
use crate::observe::trace::{Consuming, Tracer};
use crate::observe::{metrics, span};

/// Runs the handler of one consumer.
pub(crate) struct Engine {
    /// The name that the application gave.
    pub(crate) group: String,
    pub(crate) handler: Handler,
    /// The most messages of one call that the application wants.
    pub(crate) batch: usize,
    pub(crate) consume_timeout: Duration,
    pub(crate) permits: Permits,
    pub(crate) interceptors: Interceptors,
    pub(crate) tracer: Option<Arc<Tracer>>,
    pub(crate) at_work: AtWork,
    pub(crate) stats: Arc<Stats>,
}

/// Holds a call of the handler that runs. Dropping it cancels the call without a verdict.
pub(crate) struct Run<'e> {
    engine: &'e Engine,
    messages: &'e [Delivery],
    call: Call,
    begun: Instant,
    trace: Option<Consuming>,
    span: Span,
    _running: metrics::Running,
}

/// The outcomes of the messages of one call, and its duration.
#[derive(Debug)]
pub(crate) struct Verdict {
    outcomes: Outcomes,
    failure: Option<Failure>,
    messages: usize,
    took: Duration,
}

impl Engine {
    /// Returns the most messages of one call.
    pub(crate) fn batch(&self) -> usize {
        self.handler.batch_size(self.batch)
    }

    /// Returns the number of handlers that may run at once.
    pub(crate) fn concurrency(&self) -> usize {
        self.permits.limit()
    }

    /// Waits for the right to run one handler.
    pub(crate) async fn permit(&self) -> Permit {
        self.permits.acquire().await
    }

    /// Begins a call with these messages, unless an interceptor decides in its place.
    pub(crate) fn begin<'e>(&'e self, messages: &'e [Delivery]) -> Run<'e> {
        let begun = instant();
        let trace = self.tracer.as_ref().map(|tracer| tracer.consuming(messages));
        let span = span::consume(&self.group, messages);
        let _running = metrics::Running::handler(&self.group);
        let call = match self.interceptors.before_consume(&self.group, messages) {
            ControlFlow::Continue(()) => self.handler.call(messages, span.clone()),
            ControlFlow::Break(outcome) => Call::decided(outcome),
        };
        Run { engine: self, messages, call, begun, trace, span, _running }
    }

    /// Makes a call and waits for its end, at most for `limit`.
    pub(crate) async fn run(&self, messages: &[Delivery], limit: Option<Duration>) -> Verdict {
        self.begin(messages).finish(limit).await
    }

    /// Makes one for tests.
    #[cfg(test)]
    pub(crate) fn sample(handler: Handler, concurrency: usize) -> Self {
        Self {
            group: "g".into(),
            handler,
            batch: 1,
            consume_timeout: Duration::from_secs(900),
            permits: Permits::new(concurrency),
            interceptors: Interceptors::default(),
            tracer: None,
            at_work: AtWork::default(),
            stats: Arc::default(),
        }
    }

    /// Counts the verdicts about messages of a topic.
    pub(crate) fn tally<'e>(&'e self, topic: &'e str) -> Tally<'e> {
        Tally { stats: &self.stats, topic, ok: 0, failed: 0, took: Duration::ZERO }
    }
}

impl Run<'_> {
    /// Polls the handler once. Gives the call back when the handler is not done by then.
    pub(crate) async fn at_once(mut self) -> Result<Verdict, Self> {
        let call = &mut self.call;
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *call).poll(cx))).await;
        match polled {
            Poll::Ready(result) => Ok(self.ended(result)),
            Poll::Pending => Err(self),
        }
    }

    /// Waits for the end of the call, at most for `limit`; then the handler is dropped.
    pub(crate) async fn finish(mut self, limit: Option<Duration>) -> Verdict {
        let _at_work = self.engine.at_work.enter(self.messages);
        let result = match limit {
            None => (&mut self.call).await,
            Some(limit) => timeout(limit, &mut self.call).await.unwrap_or(Err(Failure::Timeout)),
        };
        self.call = Call::decided(Outcome::Retry);
        self.ended(result)
    }

    /// Reports the end of the call to span, metrics, trace, interceptors and log. A failed call is a retry.
    fn ended(&self, result: Result<Outcomes, Failure>) -> Verdict {
        let (engine, messages, took) = (self.engine, self.messages, self.begun.elapsed());
        let (outcomes, failure) = match result {
            Ok(outcomes) => (outcomes, None),
            Err(failure) => (Outcomes::All(Outcome::Retry), Some(failure)),
        };
        let verdict = Verdict { outcomes, failure, messages: messages.len(), took };
        let (outcome, failed) = (|index| verdict.of(index), verdict.failure.as_ref().map(Failure::kind));
        span::consumed(&self.span, messages.len(), outcome, failed);
        metrics::consumed(&engine.group, messages, outcome, failed, took);
        if let (Some(tracer), Some(call)) = (&engine.tracer, &self.trace) {
            tracer.consumed(call, messages, |index| verdict.traced(index));
        }
        if !engine.interceptors.is_empty() {
            let each: Vec<Outcome> = (0..messages.len()).map(outcome).collect();
            let _entered = self.span.enter();
            engine.interceptors.after_consume(&engine.group, messages, &each);
        }
        verdict.warn(&engine.group, messages);
        verdict
    }
}

impl Verdict {
    /// Returns the outcome of the message at `index`.
    pub(crate) fn of(&self, index: usize) -> Outcome {
        self.outcomes.of(index)
    }

    /// Returns the reason why the call gave no outcomes.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Tells whether the handler was dropped because it took too long.
    pub(crate) fn timed_out(&self) -> bool {
        matches!(self.failure, Some(Failure::Timeout))
    }

    /// Returns the duration of the call.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    fn acknowledged(&self) -> u64 {
        (0..self.messages).filter(|index| self.of(*index) == Outcome::Ack).count() as u64
    }

    fn traced(&self, index: usize) -> ConsumeEnd {
        match (&self.failure, self.of(index)) {
            (Some(Failure::Timeout), _) => ConsumeEnd::Timeout,
            (Some(_), _) => ConsumeEnd::Exception,
            (None, Outcome::Ack) => ConsumeEnd::Success,
            (None, _) => ConsumeEnd::Failed,
        }
    }

    fn warn(&self, group: &str, messages: &[Delivery]) {
        let (Some(failure), Some(first)) = (&self.failure, messages.first()) else { return };
        tracing::warn!(
            group,
            topic = first.topic(),
            message_id = first.message_id(),
            messages = messages.len(),
            reconsume_times = first.reconsume_times(),
            "the handler failed, its messages will be tried again: {failure}"
        );
    }
}

/// Counts the messages of one topic, and passes the figures on together.
pub(crate) struct Tally<'e> {
    stats: &'e Stats,
    topic: &'e str,
    ok: u64,
    failed: u64,
    took: Duration,
}

impl Tally<'_> {
    /// Counts the messages of one call.
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        let ok = verdict.acknowledged();
        self.ok += ok;
        self.failed += verdict.messages as u64 - ok;
        self.took += verdict.took;
    }

    /// Passes the figures on.
    pub(crate) fn pass_on(&mut self) {
        if self.ok + self.failed > 0 {
            self.stats.consumed(self.topic, self.ok, self.failed, self.took);
        }
        (self.ok, self.failed, self.took) = (0, 0, Duration::ZERO);
    }
}

/// Passes the figures on also when a worker is cancelled.
impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.pass_on();
    }
}
