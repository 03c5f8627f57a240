//! Consumer offsets: where groups stand, and how far they have come.

pub mod progress;
pub mod requests;
pub mod reset;
pub mod table;
pub mod unread;
pub mod young;
