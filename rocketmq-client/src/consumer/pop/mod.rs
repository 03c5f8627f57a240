//! POP: messages that a broker hands out for a time, and the consumers that take them.

pub(crate) mod calls;
pub(crate) mod popped;
pub(crate) mod push;
pub(crate) mod receipt;
pub(crate) mod simple;
