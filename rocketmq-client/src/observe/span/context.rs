//! The context of a span in a message's properties: `traceparent` and `tracestate`, or whatever else the application's
//! propagator (`opentelemetry::global::set_text_map_propagator`) writes. Without one nothing is written.

use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt as _;
use rocketmq_remoting::message::Properties;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::messages::Delivery;
use crate::messages::Message;

struct Outgoing<'a>(&'a mut Properties);

impl Injector for Outgoing<'_> {
    /// Sets a property, and leaves out an empty `tracestate`: a property without a value would not survive the wire.
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.set(key, value);
        }
    }
}

struct Incoming<'a>(&'a Properties);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name).collect()
    }
}

/// Puts the span's context into the message's properties, for the consumer's span to continue.
pub(crate) fn inject(span: &Span, message: &mut Message) {
    if span.is_disabled() {
        return;
    }
    let context = span.context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Outgoing(&mut message.properties));
    });
}

/// Makes the producer's span the parent of the span of one message, and a link of that of several.
pub(crate) fn extract(span: &Span, deliveries: &[Delivery]) {
    let context_of = |delivery: &Delivery| {
        let incoming = Incoming(delivery.properties());
        global::get_text_map_propagator(|propagator| propagator.extract(&incoming))
    };
    match deliveries {
        [single] => {
            // A subscriber without OpenTelemetry has no use for a parent from elsewhere.
            let _ = span.set_parent(context_of(single));
        }
        several => {
            let contexts = several.iter().map(context_of).filter(|context| context.has_active_span());
            contexts.for_each(|context| span.add_link(context.span().span_context().clone()));
        }
    }
}
