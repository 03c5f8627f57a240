//! The answers to producers that want copies on other machines. This broker makes none.

use std::time::Duration;

use super::fixed::Fixed;
use super::live::Live;
use super::role::{Apache, Role};

/// The answer about copies to a send that wants to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// It waits for none.
    NotWanted,
    /// There is nobody to make one.
    Unavailable,
    /// It waits so long for one.
    Late(Duration),
}

impl Copies {
    /// Returns the answer that these settings lead to without a slave.
    pub fn of(fixed: &Fixed, live: &Live) -> Self {
        match (fixed.role, fixed.apache_version) {
            (Role::AsyncMaster, _) => Self::NotWanted,
            (Role::SyncMaster, Apache::V4_9_7) => Self::Unavailable,
            (Role::SyncMaster, Apache::V5_4_0) if live.in_sync_replicas > 1 => Self::Late(live.slave_timeout),
            (Role::SyncMaster, Apache::V5_4_0) => Self::NotWanted,
        }
    }

    /// Says which promise of the settings is not kept.
    pub fn unkept_promise(fixed: &Fixed, live: &Live) -> Option<String> {
        let replicas = live.in_sync_replicas;
        let sends = match (fixed.role, Self::of(fixed, live)) {
            (Role::AsyncMaster, _) if replicas > 1 => {
                return Some(format!(
                    "`inSyncReplicas` is {replicas}, but `brokerRole` is ASYNC_MASTER: no send waits for a copy"
                ));
            }
            (Role::AsyncMaster, _) => return None,
            (_, Self::NotWanted) => "a message is answered with SEND_OK as soon as it is here",
            (_, Self::Unavailable) => "a message that is kept is answered with SLAVE_NOT_AVAILABLE",
            (_, Self::Late(_)) => "a message that is kept is answered with FLUSH_SLAVE_TIMEOUT",
        };
        Some(format!(
            "`brokerRole` is SYNC_MASTER, but this broker makes no copies of its messages on other machines: {sends}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(role: Role, apache_version: Apache, in_sync_replicas: i32) -> (Copies, Option<String>) {
        let fixed = Fixed { role, apache_version, ..Fixed::new("s") };
        let live = Live { in_sync_replicas, ..Live::default() };
        (Copies::of(&fixed, &live), Copies::unkept_promise(&fixed, &live))
    }

    #[test]
    fn each_version_answers_in_its_own_way() {
        let late = Copies::Late(Duration::from_secs(3));
        for (version, replicas, expected, told) in [
            (Apache::V4_9_7, 1, Copies::Unavailable, "SLAVE_NOT_AVAILABLE"),
            (Apache::V4_9_7, 2, Copies::Unavailable, "SLAVE_NOT_AVAILABLE"),
            (Apache::V5_4_0, 0, Copies::NotWanted, "SEND_OK"),
            (Apache::V5_4_0, 1, Copies::NotWanted, "SEND_OK"),
            (Apache::V5_4_0, 2, late, "FLUSH_SLAVE_TIMEOUT"),
        ] {
            let (copies, promise) = copies(Role::SyncMaster, version, replicas);
            assert_eq!(copies, expected, "{version:?} {replicas}");
            assert!(promise.unwrap().contains(told), "{version:?} {replicas}");
        }
        assert_eq!(copies(Role::AsyncMaster, Apache::V5_4_0, 1), (Copies::NotWanted, None));
        let (waits, promise) = copies(Role::AsyncMaster, Apache::V5_4_0, 2);
        assert_eq!(waits, Copies::NotWanted);
        assert!(promise.unwrap().starts_with("`inSyncReplicas` is 2, but `brokerRole` is ASYNC_MASTER"));
    }
}
