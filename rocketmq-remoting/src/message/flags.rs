//! The bit sets that travel as plain integers: the sys flags of a message and of a pull request.

/// The system flag of a message. Unknown bits survive decoding and encoding.
///
/// ```
/// use rocketmq_remoting::message::{SysFlag, TransactionKind};
///
/// let flag = SysFlag(0x305);
/// assert!(flag.is_compressed());
/// assert_eq!(flag.transaction(), TransactionKind::Prepared);
/// assert_eq!(flag.without(SysFlag::TRANSACTION_MASK), SysFlag(0x301));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SysFlag(pub i32);

/// Tells the part of a message in a transaction (bits 2 and 3 of [`SysFlag`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    /// Outside any transaction.
    #[default]
    None,
    /// A half message: consumers do not see it until its transaction ends.
    Prepared,
    /// A committed message: consumers see it.
    Commit,
    /// A record of a rollback.
    Rollback,
}

impl SysFlag {
    /// The body is compressed; bits 8 to 10 name the algorithm.
    pub const COMPRESSED: i32 = 0x001;
    /// The topic filters by several tags per message.
    pub const MULTI_TAGS: i32 = 0x002;
    /// The two bits that hold the [`TransactionKind`].
    pub const TRANSACTION_MASK: i32 = 0x00C;
    /// A half message.
    pub const TRANSACTION_PREPARED: i32 = 0x004;
    /// A committed message.
    pub const TRANSACTION_COMMIT: i32 = 0x008;
    /// A rolled back message.
    pub const TRANSACTION_ROLLBACK: i32 = 0x00C;
    /// The born host takes 20 bytes, not 8.
    pub const BORN_HOST_V6: i32 = 0x010;
    /// The store host takes 20 bytes, not 8.
    pub const STORE_HOST_V6: i32 = 0x020;
    /// The body holds several messages, and the reader unwraps them.
    pub const NEED_UNWRAP: i32 = 0x040;
    /// The body holds several messages that are stored as one.
    pub const INNER_BATCH: i32 = 0x080;
    /// The bits that name the algorithm; 0 means zlib, as producers before 5.x wrote it.
    pub const COMPRESSION_MASK: i32 = 0x700;
    /// Compressed as an LZ4 frame.
    pub const COMPRESSION_LZ4: i32 = 0x100;
    /// Compressed as a Zstandard frame.
    pub const COMPRESSION_ZSTD: i32 = 0x200;
    /// Compressed as a zlib stream.
    pub const COMPRESSION_ZLIB: i32 = 0x300;

    /// Returns true if every bit of `bits` is set.
    pub const fn has(self, bits: i32) -> bool {
        self.0 & bits == bits
    }

    /// Returns the flag with `bits` set.
    #[must_use]
    pub const fn with(self, bits: i32) -> Self {
        Self(self.0 | bits)
    }

    /// Returns the flag with `bits` cleared.
    #[must_use]
    pub const fn without(self, bits: i32) -> Self {
        Self(self.0 & !bits)
    }

    /// Returns true if the body is compressed.
    pub const fn is_compressed(self) -> bool {
        self.has(Self::COMPRESSED)
    }

    /// Returns the message's part in a transaction.
    pub const fn transaction(self) -> TransactionKind {
        match self.0 & Self::TRANSACTION_MASK {
            Self::TRANSACTION_PREPARED => TransactionKind::Prepared,
            Self::TRANSACTION_COMMIT => TransactionKind::Commit,
            Self::TRANSACTION_ROLLBACK => TransactionKind::Rollback,
            _ => TransactionKind::None,
        }
    }
}

/// The `sysFlag` of a pull request. Unknown bits survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PullFlag(pub i32);

impl PullFlag {
    /// The broker stores the request's `commitOffset`.
    pub const COMMIT_OFFSET: i32 = 0x1;
    /// The broker may park the request until a message arrives.
    pub const SUSPEND: i32 = 0x2;
    /// The request carries the subscription.
    pub const SUBSCRIPTION: i32 = 0x4;
    /// The request asks for a class filter; no current broker runs one.
    pub const CLASS_FILTER: i32 = 0x8;
    /// A lite pull consumer sends the request.
    pub const LITE_PULL: i32 = 0x10;

    /// Returns true if every bit of `bits` is set.
    pub const fn has(self, bits: i32) -> bool {
        self.0 & bits == bits
    }

    /// Returns the flag with `bits` set.
    #[must_use]
    pub const fn with(self, bits: i32) -> Self {
        Self(self.0 | bits)
    }

    /// Returns the flag with `bits` cleared.
    #[must_use]
    pub const fn without(self, bits: i32) -> Self {
        Self(self.0 & !bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bits_hold_the_transaction_kind() {
        assert_eq!(SysFlag(0x301).transaction(), TransactionKind::None);
        assert_eq!(SysFlag(0x305).transaction(), TransactionKind::Prepared);
        assert_eq!(SysFlag(0x309).transaction(), TransactionKind::Commit);
        assert_eq!(SysFlag(0x30D).transaction(), TransactionKind::Rollback);
    }

    #[test]
    fn unknown_bits_survive() {
        assert_eq!(SysFlag(0x4000_0001).without(SysFlag::COMPRESSED), SysFlag(0x4000_0000));
        assert!(PullFlag(22).has(PullFlag::LITE_PULL | PullFlag::SUSPEND | PullFlag::SUBSCRIPTION));
        assert!(!PullFlag(22).has(PullFlag::COMMIT_OFFSET));
    }
}
