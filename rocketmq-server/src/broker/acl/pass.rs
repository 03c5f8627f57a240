//! The rights of an asker before its request is read.

/// The rights of an asker, as far as they are known before its request is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It may do anything.
    Free,
    /// It may do what its permissions say.
    Judged,
}
