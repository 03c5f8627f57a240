//! The broker behind a connection, as clients meet it: raw commands in, answers and notifications out.

mod limits;
pub mod pop_rig;
mod restarts;
pub mod rig;
pub mod transaction_rig;
