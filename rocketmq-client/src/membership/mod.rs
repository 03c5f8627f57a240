//! Being a member of groups: what brokers hear of this client, and what they ask of it.

pub(crate) mod heartbeat;
pub(crate) mod members;
pub(crate) mod requests;
