//! Finds young queues. A new group reads them from their beginning even if it asks for their end, so that messages sent while
//! the group starts are not lost.

use std::sync::LazyLock;

use crate::broker::log::Log;

/// Bytes; unlimited where the system does not say.
static PHYSICAL_MEMORY: LazyLock<u64> = LazyLock::new(|| {
    #[cfg(target_os = "linux")]
    {
        let system = rustix::system::sysinfo();
        // Its types differ between platforms.
        #[allow(clippy::unnecessary_cast)]
        return (system.totalram as u64).saturating_mul(u64::from(system.mem_unit));
    }
    #[cfg(not(target_os = "linux"))]
    u64::MAX
});

/// Returns true if the queue has never lost a message, and its first one, if there is one, is still in memory. As in Apache's 4.9,
/// it is in memory if it is no farther from the log's end than `accessMessageInMemoryMaxRatio` percent of this machine's memory.
/// (5.x asks the kernel, and takes an empty queue for old. A message that comes while it answers is then missed.)
pub(crate) fn is_young(log: &Log, topic: &str, queue: i32) -> bool {
    log.store.min_offset(topic, queue) <= 0 && !is_far(log, topic, queue, 0)
}

fn is_far(log: &Log, topic: &str, queue: i32, offset: i64) -> bool {
    let near = log.settings.live().in_memory_percent.saturating_mul(*PHYSICAL_MEMORY / 100);
    log.store.bytes_from(topic, queue, offset).is_some_and(|bytes| bytes > near)
}
