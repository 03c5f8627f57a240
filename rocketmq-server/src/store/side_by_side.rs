//! Does a job for each of many things on several threads: most of the time each waits for the disk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;

/// Threads that wait for the disk at the same time.
const THREADS: usize = 16;
/// Fewer things than this are not worth a thread more.
const WORTH_A_THREAD: usize = 8;

/// Calls `job` for each of `things`, in no order.
///
/// # Errors
/// The first failure; things that nobody has begun by then are left out.
pub(crate) fn for_each<T: Sync, E: Send>(
    things: &[T],
    job: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || {
        while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = job(thing) {
                next.store(things.len(), Ordering::Relaxed);
                failed.lock().get_or_insert(error);
            }
        }
    };
    thread::scope(|scope| {
        let helpers = (things.len() / WORTH_A_THREAD).min(THREADS - 1);
        (0..helpers).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    failed.into_inner().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_done_once_and_a_failure_stops_the_rest() {
        let done: Vec<_> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        let count = |n: &AtomicUsize| {
            n.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>(())
        };
        for_each(&done, count).unwrap();
        assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        assert_eq!(for_each(&done, |_| Err("no")), Err("no"));
        assert_eq!(for_each(&[], count), Ok(()));
    }
}
