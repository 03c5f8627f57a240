//! The parts of the requests about groups.

use std::sync::Arc;

use super::table::GroupTable;
use crate::broker::clients::members::Members;
use crate::broker::offsets::table::Offsets;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub groups: Arc<GroupTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
}
