//! [`TransactionState`]: what became of a transaction.

use rocketmq_remoting::requests::transaction::EndTransactionRequest;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// Deliver the message.
    Commit,
    /// Drop it.
    Rollback,
    /// Not decided yet; the broker asks again, every 30 s and at most 15 times unless configured otherwise.
    Unknown,
}

impl TransactionState {
    /// The flag that tells a broker.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Commit => EndTransactionRequest::COMMIT,
            Self::Rollback => EndTransactionRequest::ROLLBACK,
            Self::Unknown => EndTransactionRequest::UNKNOWN,
        }
    }
}
