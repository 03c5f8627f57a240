//! The state of a consumer's topics.

mod book;
mod state;

pub(crate) use book::HealthBook;
pub(crate) use state::{Backlog, OnHealth};
pub use state::{HealthChange, LastError, TopicHealth, TopicState};
