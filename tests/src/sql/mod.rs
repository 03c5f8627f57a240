//! SQL92 filters beside Apache's own: generated expressions (`generate`), and what Apache says of them (`judge`).

mod generate;
mod judge;
mod words;

pub use generate::Generator;
pub use judge::{PropertySet, Verdicts, apaches, ours};
