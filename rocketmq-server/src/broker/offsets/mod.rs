//! Consumer offsets: where groups stand, and how far they have come.

pub mod progress;
pub mod requests;
pub mod reset;
pub mod table;
#[cfg(test)]
mod tests;
pub mod unread;
pub mod young;
