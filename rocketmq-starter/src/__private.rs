//! What the attribute macros name. No public interface: it changes without notice.

pub use crate::checker::{CheckerSpec, checker, decision, undecided};
pub use crate::extract::Needs;
pub use crate::listener::{Spec, argument, batch, batch_outcome, rejected_batch, shared, single};
pub use inventory;

use crate::checker::TransactionChecker;
use crate::listener::Listener;

/// A listener of this binary, found by `App::discover`.
#[derive(Debug)]
pub struct DiscoveredListener(pub fn() -> Listener);

inventory::collect!(DiscoveredListener);

/// A transaction listener of this binary, found by `App::discover`.
#[derive(Debug)]
pub struct DiscoveredChecker(pub fn() -> TransactionChecker);

inventory::collect!(DiscoveredChecker);
