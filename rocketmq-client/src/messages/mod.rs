//! Messages as values: what is sent, what arrives, what became of it, and the rules for names.

mod delivery;
mod message;
mod names;
mod receipt;
mod transaction;
pub(crate) mod validate;

pub(crate) use delivery::inflate;
pub use delivery::{Delivery, Outcome};
pub(crate) use message::DELAYS;
pub use message::{DelayLevel, Message};
pub(crate) use names::Names;
pub use receipt::{Receipt, SendStatus};
pub use transaction::TransactionState;
