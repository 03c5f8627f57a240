//! Which brokers hold a topic, and how the client finds out.

pub(crate) mod table;

/// The topic whose route stands in for topics that do not exist yet; brokers copy its settings.
pub(crate) const TEMPLATE_TOPIC: &str = "TBW102";
