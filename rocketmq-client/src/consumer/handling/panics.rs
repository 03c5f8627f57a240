//! Catches panics of the application's code.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

/// Runs a future to its end. A panic becomes an error with the panic's text.
///
/// A consumer catches the panics of its handlers by itself. A listener that calls several handlers for one batch needs this
/// to keep the outcomes of those that end well.
///
/// ```
/// use rocketmq_client::consumer::catch_panic;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(catch_panic(async { 7 }).await, Ok(7));
/// assert_eq!(catch_panic(async { panic!("no stock") }).await, Err::<(), _>("no stock".to_owned()));
/// # }
/// ```
///
/// # Errors
/// The future panics.
///
/// # Cancel safety
/// It is as cancel safe as the future.
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, String> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|payload| text_of(payload.as_ref()))
}

/// Calls `work`. A panic becomes an error with the panic's text.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| text_of(payload.as_ref()))
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
