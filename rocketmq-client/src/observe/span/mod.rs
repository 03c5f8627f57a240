//! The `tracing` spans around sends and handlers, with the field names of OpenTelemetry's messaging conventions.
//!
//! Without a subscriber that wants them they cost one look at an atomic number.

use tracing::Span;
use tracing::field::Empty;

use crate::error::SendError;
use crate::messages::Message;
use crate::messages::Receipt;
use crate::messages::{Delivery, Outcome};

#[cfg(feature = "opentelemetry")]
mod context;
#[cfg(feature = "opentelemetry")]
pub(crate) use context::{extract, inject};

/// Does nothing without the feature `opentelemetry`.
#[cfg(not(feature = "opentelemetry"))]
pub(crate) fn inject(_: &Span, _: &mut Message) {}

#[cfg(not(feature = "opentelemetry"))]
fn extract(_: &Span, _: &[Delivery]) {}

impl Delivery {
    /// Makes a `process` span for an application that takes its messages by hand, from a lite, simple or pull consumer;
    /// handlers of push consumers run in one already. With the feature `opentelemetry` it goes on where the sender was.
    ///
    /// ```no_run
    /// use tracing::Instrument as _;
    /// # async fn handle(_: &rocketmq_client::Delivery) {}
    /// # async fn run(consumer: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// for message in consumer.receive(16).await? {
    ///     handle(&message).instrument(message.process_span("ledger")).await;
    ///     consumer.ack(&message).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn process_span(&self, group: &str) -> tracing::Span {
        consume(group, std::slice::from_ref(self))
    }
}

/// Makes the span of a send of `count` messages, of which `first` is one. Its parent is the span it is awaited in.
pub(crate) fn send(group: &str, first: &Message, count: usize) -> Span {
    let span = tracing::info_span!(
        "send",
        otel.name = %format_args!("send {}", first.topic),
        otel.kind = "producer",
        otel.status_code = Empty,
        error.r#type = Empty,
        messaging.system = "rocketmq",
        messaging.operation.name = "send",
        messaging.operation.r#type = "send",
        messaging.destination.name = first.topic,
        messaging.destination.partition.id = Empty,
        messaging.message.id = Empty,
        messaging.message.body.size = Empty,
        messaging.batch.message_count = Empty,
        messaging.rocketmq.client_group = group,
        messaging.rocketmq.message.tag = Empty,
        messaging.rocketmq.message.keys = Empty,
        messaging.rocketmq.queue_offset = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    if count == 1 {
        span.record("messaging.message.body.size", first.body.len());
        span.record("messaging.rocketmq.message.tag", first.properties.tags());
        span.record("messaging.rocketmq.message.keys", first.properties.get("KEYS"));
    } else {
        span.record("messaging.batch.message_count", count);
    }
    span
}

/// Notes how a send ended.
pub(crate) fn sent(span: &Span, result: Result<Option<&Receipt>, &SendError>) {
    if span.is_disabled() {
        return;
    }
    match result {
        Ok(Some(receipt)) => {
            span.record("messaging.message.id", receipt.message_id());
            let queue = format_args!("{}-{}", receipt.broker(), receipt.queue());
            span.record("messaging.destination.partition.id", tracing::field::display(queue));
            span.record("messaging.rocketmq.queue_offset", receipt.queue_offset());
        }
        Ok(None) => {}
        Err(error) => failed(span, &format!("{:?}", error.kind())),
    }
}

/// Makes the span of one call of a handler. Its only parent is the producer's span, if the message carries its context.
pub(crate) fn consume(group: &str, deliveries: &[Delivery]) -> Span {
    let Some(first) = deliveries.first() else { return Span::none() };
    let span = tracing::info_span!(
        parent: None,
        "process",
        otel.name = %format_args!("process {}", first.topic()),
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.r#type = Empty,
        messaging.system = "rocketmq",
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.destination.name = first.topic(),
        messaging.destination.partition.id =
            %format_args!("{}-{}", first.queue().broker_name, first.queue().queue_id),
        messaging.consumer.group.name = group,
        messaging.message.id = Empty,
        messaging.message.body.size = Empty,
        messaging.batch.message_count = Empty,
        messaging.rocketmq.client_group = group,
        messaging.rocketmq.message.tag = Empty,
        messaging.rocketmq.message.keys = Empty,
        messaging.rocketmq.queue_offset = first.queue_offset(),
        messaging.rocketmq.delivery_attempt = Empty,
        messaging.rocketmq.outcome = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    if deliveries.len() == 1 {
        span.record("messaging.message.id", first.message_id());
        span.record("messaging.message.body.size", first.body().len());
        span.record("messaging.rocketmq.message.tag", first.tag());
        span.record("messaging.rocketmq.message.keys", first.property("KEYS"));
        span.record("messaging.rocketmq.delivery_attempt", first.reconsume_times().saturating_add(1));
    } else {
        span.record("messaging.batch.message_count", deliveries.len());
    }
    extract(&span, deliveries);
    span
}

/// Notes how a call ended; `failure` is the label of a failed one.
pub(crate) fn consumed(
    span: &Span,
    messages: usize,
    outcome: impl Fn(usize) -> Outcome,
    failure: Option<&'static str>,
) {
    if span.is_disabled() {
        return;
    }
    let worst = (0..messages).map(outcome).find(|outcome| *outcome != Outcome::Ack).unwrap_or(Outcome::Ack);
    span.record("messaging.rocketmq.outcome", label(worst));
    match failure {
        Some(failure) => failed(span, failure),
        None if worst == Outcome::Ack => {}
        None => failed(span, label(worst)),
    }
}

fn failed(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

/// Returns the label of an outcome.
pub(crate) fn label(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ack => "ack",
        Outcome::Retry | Outcome::RetryAfter(_) | Outcome::Suspend(_) => "retry",
        Outcome::DeadLetter => "dead_letter",
    }
}
