//! Transactions: half messages, their ends, and asking producers about those that stay undecided.

mod checks;
mod halves;
mod service;
#[cfg(test)]
mod tests;

pub use service::{CheckRound, Transactions, end, resume_check};
