//! Transaction listeners: they answer a broker that asks about an undecided half message.
//!
//! [`rocketmq_transaction_listener`](macro@crate::rocketmq_transaction_listener) makes one of a function;
//! [`RocketmqTemplate::begin`](crate::RocketmqTemplate::begin) and
//! [`send_in_transaction`](crate::RocketmqTemplate::send_in_transaction) send half messages.

use crate::context::Context;
use crate::extract::{Needs, Rejection};
use crate::listener::form;
use crate::outcome::BoxError;
use futures_util::future::BoxFuture;
use rocketmq_client::consumer::catch_panic;
use rocketmq_client::{Delivery, TransactionState};
use std::fmt;
use std::sync::Arc;

/// The user property that names the checker of a transaction.
pub(crate) const CHECKER_PROPERTY: &str = "TRANSACTION_CHECKER";

type Check = dyn Fn(&Delivery, &Context) -> BoxFuture<'static, TransactionState> + Send + Sync;

/// A function that decides about half messages, made by `#[rocketmq_transaction_listener]`.
#[derive(Clone)]
pub struct TransactionChecker {
    pub(crate) spec: CheckerSpec,
    pub(crate) needs: Needs,
    call: Arc<Check>,
}

impl fmt::Debug for TransactionChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionChecker").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// The argument of [`App::transaction_listener`](crate::App::transaction_listener): a function with the attribute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction listener",
    label = "not a transaction listener",
    note = "annotate the function with `#[rocketmq_transaction_listener]`, and pass it by its own name: `check`, not `check::call`"
)]
pub trait IntoTransactionChecker<Form> {
    /// Makes the checker.
    fn into_checker(self) -> TransactionChecker;
}

/// A function with the attribute.
#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> TransactionChecker> IntoTransactionChecker<form::Annotated> for F {
    fn into_checker(self) -> TransactionChecker {
        self()
    }
}

impl IntoTransactionChecker<form::Made> for TransactionChecker {
    fn into_checker(self) -> TransactionChecker {
        self
    }
}

/// Serves the compiler's message; see `IntoListener`.
#[diagnostic::do_not_recommend]
impl<F: form::Nobody> IntoTransactionChecker<form::None> for F {
    fn into_checker(self) -> TransactionChecker {
        self.never()
    }
}

/// The settings of the attribute, placeholders unresolved.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckerSpec {
    /// The function's name.
    pub function: &'static str,
    /// The place of the function.
    pub place: &'static str,
    /// The producer group. Default: that of `[rocketmq.producer]`.
    pub group: Option<&'static str>,
    /// The name by which transactions choose it. Default: it answers for transactions that choose none.
    pub name: Option<&'static str>,
}

impl CheckerSpec {
    pub(crate) fn described(&self) -> String {
        format!("the transaction listener `{}` ({})", self.function, self.place)
    }
}

/// The return value of a transaction listener: a [`TransactionState`], or a `Result` of one.
///
/// ```
/// use rocketmq_starter::{BoxError, Json, TransactionState, rocketmq_transaction_listener};
///
/// /// An error leaves the transaction undecided, and the broker asks again.
/// #[rocketmq_transaction_listener]
/// async fn check(Json(id): Json<u64>) -> Result<TransactionState, BoxError> {
///     if id == 0 { Err("no such order".into()) } else { Ok(TransactionState::Commit) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a transaction listener cannot return `{Self}`",
    label = "this does not decide a transaction",
    note = "return `TransactionState`, or `Result<TransactionState, E>`"
)]
pub trait IntoTransactionState {
    /// Returns the decision.
    ///
    /// # Errors
    /// Fails when there is none; the broker asks again later.
    fn into_transaction_state(self) -> Result<TransactionState, BoxError>;
}

impl IntoTransactionState for TransactionState {
    fn into_transaction_state(self) -> Result<TransactionState, BoxError> {
        Ok(self)
    }
}

impl<E: Into<BoxError>> IntoTransactionState for Result<TransactionState, E> {
    fn into_transaction_state(self) -> Result<TransactionState, BoxError> {
        self.map_err(Into::into)
    }
}

/// Makes a checker of the code that the attribute generates.
#[doc(hidden)]
pub fn checker(
    spec: CheckerSpec,
    needs: Needs,
    call: impl Fn(&Delivery, &Context) -> BoxFuture<'static, TransactionState> + Send + Sync + 'static,
) -> TransactionChecker {
    TransactionChecker { spec, needs, call: Arc::new(call) }
}

/// Runs a checker. Only this function states the bounds of its future.
#[doc(hidden)]
pub fn decision<F, R>(check: F) -> BoxFuture<'static, TransactionState>
where
    F: Future<Output = R> + Send + 'static,
    R: IntoTransactionState,
{
    Box::pin(async move { check.await.into_transaction_state().unwrap_or_else(unknown) })
}

/// Answers for a half message whose arguments could not be made.
#[doc(hidden)]
pub fn undecided(rejection: Rejection) -> BoxFuture<'static, TransactionState> {
    Box::pin(std::future::ready(unknown(rejection.into())))
}

fn unknown(error: BoxError) -> TransactionState {
    tracing::warn!(%error, "a transaction stays undecided; the broker asks again");
    TransactionState::Unknown
}

/// The checkers of one producer group, by name.
#[derive(Debug, Clone)]
pub(crate) struct Checkers {
    checkers: Arc<[(Option<String>, TransactionChecker)]>,
}

impl Checkers {
    pub(crate) fn new(checkers: Vec<(Option<String>, TransactionChecker)>) -> Self {
        Checkers { checkers: checkers.into() }
    }

    /// Asks the checker the half message names, else the one without a name, else the only one.
    pub(crate) async fn check(&self, half: Delivery, context: &Context) -> TransactionState {
        let wanted = half.property(CHECKER_PROPERTY);
        let Some(checker) = self.choose(wanted) else {
            return unknown(format!("no transaction listener has the name {wanted:?}").into());
        };
        let answer = catch_panic(async { (checker.call)(&half, context).await }).await;
        answer.unwrap_or_else(|text| unknown(format!("{} panicked: {text}", checker.spec.described()).into()))
    }

    fn choose(&self, wanted: Option<&str>) -> Option<&TransactionChecker> {
        let named = |name: Option<&str>| {
            self.checkers.iter().find(|(own, _)| own.as_deref() == name).map(|(_, checker)| checker)
        };
        match (wanted, &*self.checkers) {
            (None, [(_, only)]) => Some(only),
            (wanted, _) => named(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_client::Message;

    fn named(name: Option<&'static str>, state: TransactionState) -> (Option<String>, TransactionChecker) {
        let spec = CheckerSpec { function: "f", place: "here", group: None, name };
        let call = move |_: &Delivery, _: &Context| decision(std::future::ready(state));
        (name.map(str::to_owned), checker(spec, Needs::default(), call))
    }

    async fn ask(checkers: &Checkers, name: Option<&str>) -> TransactionState {
        let message = Message::new("t", "b");
        let message = match name {
            Some(name) => message.property(CHECKER_PROPERTY, name),
            None => message,
        };
        checkers.check(Delivery::sample(message, 0), &Context::default()).await
    }

    #[tokio::test]
    async fn a_half_message_finds_its_checker_by_name() {
        use TransactionState::{Commit, Rollback, Unknown};
        let checkers = Checkers::new(vec![named(Some("orders"), Commit), named(None, Rollback)]);
        assert_eq!(ask(&checkers, Some("orders")).await, Commit);
        assert_eq!(ask(&checkers, None).await, Rollback);
        assert_eq!(ask(&checkers, Some("refunds")).await, Unknown);
        let only = Checkers::new(vec![named(Some("orders"), Commit)]);
        assert_eq!(ask(&only, None).await, Commit);
    }

    #[tokio::test]
    async fn a_panic_leaves_the_transaction_undecided() {
        let spec = CheckerSpec { function: "f", place: "here", group: None, name: None };
        let panics = checker(spec, Needs::default(), |_, _| panic!("no"));
        assert_eq!(ask(&Checkers::new(vec![(None, panics)]), None).await, TransactionState::Unknown);
    }
}
