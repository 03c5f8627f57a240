//! The part that the broker plays for producers that wait for copies.

/// Says if sends wait for a copy on another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Sends wait for no copy.
    #[default]
    AsyncMaster,
    /// Sends wait for copies, in the way of the [`Apache`] version that this broker stands in for.
    SyncMaster,
}

/// The version of Apache's broker that this one behaves like, if 4.9 and 5.x differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Apache {
    /// 4.9.7: without a slave a send is answered `SLAVE_NOT_AVAILABLE` at once.
    V4_9_7,
    /// 5.4.0: sends wait for `inSyncReplicas - 1` copies, by default for none.
    #[default]
    V5_4_0,
}
