//! The cluster as one client sees it: connections, routes, and its own options.

pub(crate) mod acl;
pub(crate) mod config;
pub(crate) mod net;
pub(crate) mod route;
