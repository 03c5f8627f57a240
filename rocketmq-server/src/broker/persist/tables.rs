//! Writes the tables that change too often to be written at each change.

use crate::broker::core::Core;
use crate::broker::offsets::requests::consumer_offsets;
use crate::broker::pop;
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

/// Makes sure that an offset which was just committed will be kept. Saves only when the last save failed or the disk is
/// full: otherwise the next interval does.
///
/// # Errors
/// The table cannot be saved.
pub fn keep_offsets(core: &Core) -> Result<(), StoreError> {
    let in_doubt = core.store.has_no_room() || core.offsets.lock().save_failed();
    if in_doubt { save_offsets(core) } else { Ok(()) }
}

fn save_offsets(core: &Core) -> Result<(), StoreError> {
    if !core.offsets.lock().take_changed() {
        return Ok(());
    }
    let saved = core.offset_file.save(|| consumer_offsets(core));
    core.offsets.lock().saved(saved.is_ok());
    saved
}
