//! One queue that a member reads: what is pulled of it and not committed, and where its offsets are kept.

pub(crate) mod flow;
pub(crate) mod offsets;
pub(crate) mod owned;
pub(crate) mod window;
