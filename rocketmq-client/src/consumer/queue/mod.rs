//! One queue that a member reads: its messages that are pulled and not committed, and the place of its offsets.

pub(crate) mod flow;
pub(crate) mod offsets;
pub(crate) mod owned;
pub(crate) mod window;
