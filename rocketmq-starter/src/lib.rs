//! Annotate a handler, write `application.toml`, run.
#![warn(missing_docs)]

mod app;
mod config;
mod context;
mod dispatch;
mod error;
mod extract;
mod health;
mod listener;
mod outcome;
mod placeholder;

pub use context::Context;
pub use error::{Mistake, MistakeKind, StartError};
pub use extract::{
    Attempt, FromContext, FromMessage, Json, Keys, Needs, Properties, Raw, Rejection, State, Tag, Text,
};
pub use health::{Health, ListenerHealth};
pub use listener::{IntoListener, Listener};
pub use outcome::{BoxError, Handled, IntoOutcome, IntoOutcomes};
pub use rocketmq_client::{DelayLevel, Delivery, Outcome};
