//! Which brokers hold a topic, and how the client finds out.

pub(crate) mod discovery;
pub(crate) mod logical;
mod lookup;
pub(crate) mod queue;
pub(crate) mod resolver;
pub(crate) mod single_flight;
pub(crate) mod table;

pub(crate) use lookup::Purpose;
