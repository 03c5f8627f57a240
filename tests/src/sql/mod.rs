//! Compares SQL92 filters with Apache's: generated expressions (`generate`), and the verdicts of both sides (`judge`).

mod generate;
mod judge;
mod words;

pub use generate::Generator;
pub use judge::{PropertySet, Verdicts, apaches, ours};
