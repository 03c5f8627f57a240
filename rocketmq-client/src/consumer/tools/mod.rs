//! The answers of consumers to administration tools.

pub(crate) mod info;
pub(crate) mod settings;
