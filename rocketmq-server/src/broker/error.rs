//! The reasons for which a broker does not start.

use super::acl::{AclError, OpenError};
use crate::store::StoreError;

/// Names the reason for which a broker does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The store or a file of its configuration folder: in use, damaged, or the disk refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Access control: settings that contradict each other, or unusable rules.
    #[error(transparent)]
    Acl(#[from] AclError),
}

impl From<OpenError> for BrokerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Acl(error) => Self::Acl(error),
            OpenError::Store(error) => Self::Store(error),
        }
    }
}
