//! Tables that are kept in files.

pub mod positions;
pub mod table_file;
pub mod tables;
#[cfg(test)]
mod tests;
