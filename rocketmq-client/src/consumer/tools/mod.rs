//! What consumers tell administration tools of themselves.

pub(crate) mod info;
pub(crate) mod settings;
