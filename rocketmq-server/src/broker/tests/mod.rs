//! The broker behind a connection, as clients meet it: raw commands in, answers and notifications out.

mod access;
mod beginnings;
mod delays;
mod groups;
mod limits;
mod pop_rig;
mod pops;
mod pops_again;
mod pops_ordered;
mod pops_waiting;
mod positions;
mod pulls;
mod restarts;
mod rig;
mod sends;
mod tools;
mod transaction_rig;
mod transactions;
