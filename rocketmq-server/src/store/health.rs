//! The health of the store: it takes messages, or knows the reason against it.

use std::path::Path;

use parking_lot::RwLock;

use super::error::StoreError;

/// The reason to refuse messages, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Health {
    refusal: RwLock<Option<StoreError>>,
}

impl Health {
    /// # Errors
    /// The reason to refuse a message.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.refusal.read().clone().map_or(Ok(()), Err)
    }

    /// Refuses messages until the process ends. A closed store stays closed, whatever happens after.
    pub(crate) fn refuse_for_good(&self, reason: StoreError) {
        let mut refusal = self.refusal.write();
        if !matches!(*refusal, Some(StoreError::Closed)) {
            *refusal = Some(reason);
        }
    }

    /// Returns true if a flush has failed in this run.
    pub(crate) fn flush_failed(&self) -> bool {
        matches!(*self.refusal.read(), Some(StoreError::FlushFailed { .. }))
    }

    /// The disk is too full, or is no longer.
    pub(crate) fn set_above_warning_level(&self, folder: &Path, used: Option<f64>, limit: f64) {
        let mut refusal = self.refusal.write();
        if matches!(*refusal, None | Some(StoreError::AboveWarningLevel { .. })) {
            *refusal = used.map(|used| StoreError::AboveWarningLevel {
                folder: folder.into(),
                used_percent: (used * 100.0) as u8,
                limit_percent: (limit * 100.0) as u8,
            });
        }
    }
}
