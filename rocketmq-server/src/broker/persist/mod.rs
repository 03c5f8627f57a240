//! Tables that are kept in files.

mod parts;
pub mod positions;
pub mod table_file;
pub mod tables;
#[cfg(test)]
mod tests;

pub use parts::Parts;
