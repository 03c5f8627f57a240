//! Consumer groups and their configuration.

pub mod admin;
pub mod table;
