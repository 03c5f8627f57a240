//! The tracers of members: each writes through a producer of its own.

use std::sync::Arc;

use super::Membership;
use crate::observe::trace::{Role, TraceConfig, Tracer};

impl Membership {
    /// Makes the tracer of a member that traces, by its own configuration or its client's.
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
        let (clock, chance) = (options.clock.clone(), options.chance.clone());
        Some(Tracer::start(group, config, clock, chance, carrier))
    }
}
