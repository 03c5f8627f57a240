//! The items that the attribute macros name. They are not public: they change without notice.

pub use crate::extract::Needs;
pub use crate::listener::{Spec, argument, batch, batch_outcome, rejected_batch, shared, single};
pub use crate::transaction::{CheckerSpec, checker, decision, undecided};
pub use inventory;

use crate::listener::Listener;
use crate::transaction::TransactionChecker;

/// A listener of this binary, found by `App::discover`.
#[derive(Debug)]
pub struct DiscoveredListener(pub fn() -> Listener);

inventory::collect!(DiscoveredListener);

/// A transaction listener of this binary, found by `App::discover`.
#[derive(Debug)]
pub struct DiscoveredChecker(pub fn() -> TransactionChecker);

inventory::collect!(DiscoveredChecker);
