//! Young queues: a new group reads them from their beginning even when it wishes for their end, so that what was sent while
//! the group came up is not lost.

use std::sync::LazyLock;

use super::core::Core;

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

/// Whether the queue still begins with its very first message, and that is still in memory: as Apache's 4.9 has it, no
/// farther from the log's end than `accessMessageInMemoryMaxRatio` percent of this machine's memory. (5.x asks the kernel.)
pub fn is_young(core: &Core, topic: &str, queue: i32) -> bool {
    let near = core.tuned().in_memory_percent.saturating_mul(*PHYSICAL_MEMORY / 100);
    let first = core.store.bytes_from(topic, queue, 0);
    core.store.min_offset(topic, queue) <= 0 && first.is_some_and(|bytes| bytes <= near)
}
