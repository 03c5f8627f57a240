//! Watching sends and handlers: interceptors, spans, metrics and message traces.

pub(crate) mod interceptor;
pub(crate) mod metrics;
pub(crate) mod span;
pub(crate) mod trace;
