//! Writes the tables that change too often to be written at each change.

use super::core::Core;
use super::offset_requests::consumer_offsets;
use super::pop;
use crate::store::StoreError;

/// Saves what changed since the last time; a failure is logged and tried again at the next call.
pub fn persist(core: &Core) {
    let results = [
        ("consumerOffset.json", save_offsets(core)),
        ("delayOffset.json", core.delay.save()),
        ("timerProgress.json", core.timer.save()),
        ("consumerOrderInfo.json", pop::save(core)),
    ];
    for (file, result) in results {
        if let Err(error) = result {
            tracing::warn!(file, %error, "could not save; the next interval tries again");
        }
    }
}

fn save_offsets(core: &Core) -> Result<(), StoreError> {
    if !core.offsets.lock().take_changed() {
        return Ok(());
    }
    core.offset_file.save(|| consumer_offsets(core)).inspect_err(|_| core.offsets.lock().mark_changed())
}
