//! What tools ask of the broker as a whole.

pub mod absent;
pub mod broker;
#[cfg(test)]
mod tests;
