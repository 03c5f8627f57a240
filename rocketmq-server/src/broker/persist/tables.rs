//! Writes the tables that change too often to be written at each change.

use super::parts::Parts;
use crate::broker::pop;

/// Saves what changed since the last time. A failure is logged; the next call tries again.
pub(crate) fn persist(parts: &Parts) {
    let results = [
        ("consumerOffset.json", parts.offsets.save()),
        ("delayOffset.json", parts.delay.save()),
        ("timerProgress.json", parts.timer.save()),
        ("consumerOrderInfo.json", pop::save(&parts.pop)),
    ];
    for (file, result) in results {
        if let Err(error) = result {
            tracing::warn!(file, %error, "could not save; the next interval tries again");
        }
    }
}
