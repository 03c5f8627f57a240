//! The tracers of members: each writes through a producer of its own.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Membership;
use crate::error::StartError;
use crate::observe::trace::{Carrier, Role, TraceConfig, Tracer};

/// Starts the producer of traces, of a group named without namespace. Producers lie above this layer; the client, which
/// knows both, says how.
pub(crate) type OpenCarrier =
    fn(Arc<Membership>, String) -> BoxFuture<'static, Result<Arc<dyn Carrier>, StartError>>;

impl Membership {
    /// The tracer of a member, where it or its client is configured to trace.
    pub(crate) fn tracer(
        self: &Arc<Self>,
        group: &str,
        role: Role,
        own: Option<&TraceConfig>,
    ) -> Option<Arc<Tracer>> {
        let (names, options) = (&self.cluster.names, &self.cluster.config);
        let mut config = own.or(options.trace.as_ref())?.clone();
        config.cloud |= options.cloud;
        let carrier = (self.open_carrier)(self.clone(), role.producer_of(group, |name| names.wrap(name)));
        Some(Tracer::start(group, config, options.clock.clone(), carrier))
    }
}
