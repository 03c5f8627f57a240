//! Signals that ask a program to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that ask a program to stop: Ctrl-C, SIGTERM, the end of its terminal (SIGHUP). Before, each of them ends
/// the program at once.
///
/// A program that was started with Ctrl-C or SIGHUP ignored, as `nohup` and background jobs of scripts are, goes on ignoring
/// them.
#[derive(Debug)]
pub struct StopRequests {
    interrupt: Option<Signal>,
    hang_up: Option<Signal>,
    terminate: Signal,
}

impl StopRequests {
    /// Listens from now on: to be called before anyone is told that the program runs.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unless_ignored(SignalKind::interrupt())?,
            hang_up: unless_ignored(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Completes when the program was asked to stop since.
    pub async fn next(&mut self) {
        tokio::select! {
            () = received(&mut self.interrupt) => {}
            () = received(&mut self.hang_up) => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

fn unless_ignored(kind: SignalKind) -> io::Result<Option<Signal>> {
    let ignored = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| is_ignored(&status, kind));
    if ignored { Ok(None) } else { signal(kind).map(Some) }
}

/// Returns true if the kernel says that a process ignores a signal: the first is the lowest bit of a mask.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_which_signals_are_ignored() {
        let status = "Name:\tmqbroker\nSigIgn:\t0000000000000003\nSigCgt:\t0000000000004000\n";
        assert!(is_ignored(status, SignalKind::hangup()) && is_ignored(status, SignalKind::interrupt()));
        assert!(!is_ignored(status, SignalKind::terminate()));
        assert!(!is_ignored("", SignalKind::hangup()));
    }
}
