//! Tables that are kept in files.

mod parts;
pub(crate) mod positions;
pub(crate) mod table_file;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;
