//! The safety that a send waits for: the disk, and copies on other machines.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_remoting::code::ResponseCode;

use super::parts::Parts;
use crate::broker::settings::Copies;
use crate::exchange::Refusal;
use crate::store::Put;

/// The safety that a send waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Safety {
    disk_within: Option<Duration>,
    copies: Copies,
}

impl Safety {
    pub(crate) fn of(parts: &Parts) -> Self {
        let live = parts.settings.live();
        Self {
            disk_within: live.sync_flush().then_some(live.sync_flush_timeout),
            copies: Copies::of(&parts.settings.fixed, &live),
        }
    }

    pub(crate) fn is_waited_for(self) -> bool {
        self.disk_within.is_some() || self.copies != Copies::NotWanted
    }

    /// Returns the code of the answer if the disk does not have the message in time.
    pub(crate) async fn flushed(self, parts: &Parts, put: &Put) -> Option<ResponseCode> {
        let in_time = parts.log.store.flushed(put.end, self.disk_within?).await;
        (!in_time).then_some(ResponseCode::FLUSH_DISK_TIMEOUT)
    }

    /// Returns the code of the answer if no other machine has the message in time.
    pub(crate) async fn copied(self, parts: &Parts) -> Option<ResponseCode> {
        match self.copies {
            Copies::NotWanted => None,
            Copies::Unavailable => Some(ResponseCode::SLAVE_NOT_AVAILABLE),
            Copies::Late(timeout) => {
                parts.log.clock.sleep(timeout).await;
                Some(ResponseCode::FLUSH_SLAVE_TIMEOUT)
            }
        }
    }
}

/// Counts the sends that wait for the disk, so that a disk that hangs does not fill the memory.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(crate) fn enter(parts: &'a Parts) -> Result<Self, Refusal> {
        let waiting = Self(&parts.waiting_sends);
        if waiting.0.fetch_add(1, Ordering::Relaxed) >= parts.settings.live().max_waiting_sends {
            let remark = "[OVERLOAD]the disk is slower than the producers, please slow down";
            return Err(Refusal::new(ResponseCode::SYSTEM_BUSY, remark));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
