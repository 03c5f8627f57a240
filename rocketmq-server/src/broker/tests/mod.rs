//! The broker behind a connection, as clients meet it: raw commands in, answers and notifications out.

mod limits;
pub(crate) mod pop_rig;
mod restarts;
pub(crate) mod rig;
pub(crate) mod transaction_rig;
