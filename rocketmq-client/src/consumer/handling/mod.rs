//! Calls handlers, and settles messages by the handlers' outcomes.

pub(crate) mod at_work;
pub(crate) mod call;
pub(crate) mod concurrent;
pub(crate) mod engine;
pub(crate) mod listen;
pub(crate) mod orderly;
pub(crate) mod panics;
pub(crate) mod permits;
pub(crate) mod retry;
pub(crate) mod send_back;
pub(crate) mod service;
pub(crate) mod tasks;
pub(crate) mod tries;
