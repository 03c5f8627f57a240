//! Routes: the brokers of a topic, and their lookup.

pub(crate) mod discovery;
pub(crate) mod logical;
mod lookup;
pub(crate) mod queue;
pub(crate) mod resolver;
pub(crate) mod single_flight;
pub(crate) mod table;

pub(crate) use lookup::Purpose;
