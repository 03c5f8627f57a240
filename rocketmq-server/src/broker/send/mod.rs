//! Sends: a message is checked, placed and stored.

pub mod back;
pub mod checks;
pub mod message;
pub mod properties;
pub mod reply;
pub mod retry;
#[cfg(test)]
mod tests;
