//! [`TransactionState`]: the decision about a transaction.

use rocketmq_remoting::requests::transaction::EndTransactionRequest;

/// Decides a transaction: the answer of a
/// [`transaction_checker`](crate::producer::ProducerBuilder::transaction_checker).
///
/// ```
/// use rocketmq_client::TransactionState;
///
/// fn decide(order_is_paid: Option<bool>) -> TransactionState {
///     match order_is_paid {
///         Some(true) => TransactionState::Commit,
///         Some(false) => TransactionState::Rollback,
///         None => TransactionState::Unknown,
///     }
/// }
/// assert_eq!(decide(None), TransactionState::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// Deliver the message.
    Commit,
    /// Drop it.
    Rollback,
    /// Not decided yet: the broker asks again, by default every 30 s and at most 15 times.
    Unknown,
}

impl TransactionState {
    /// Returns the flag of a request.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Commit => EndTransactionRequest::COMMIT,
            Self::Rollback => EndTransactionRequest::ROLLBACK,
            Self::Unknown => EndTransactionRequest::UNKNOWN,
        }
    }
}
