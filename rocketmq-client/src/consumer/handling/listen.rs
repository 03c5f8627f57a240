//! The traits that applications implement to receive messages.

use std::future::Future;

use crate::error::BoxError;
use crate::messages::{Delivery, Outcome};
use futures_util::future::BoxFuture;

/// Handles one message at a time. Closures of the same shape are listeners too.
///
/// A call that fails or panics counts as [`Outcome::Retry`]. The future is dropped when it takes longer than the
/// consumer's `consume_timeout`, or when the consumer is dropped without a shutdown: hold nothing across an `await`
/// that must not be cut there.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::future::BoxFuture;
/// use rocketmq_client::{BoxError, Delivery, Listen, Outcome};
///
/// struct Billing {
///     rate: u64,
/// }
///
/// impl Listen for Billing {
///     fn on_message(&self, delivery: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>> {
///         let rate = self.rate;
///         Box::pin(async move {
///             let amount: u64 = delivery.text().ok_or("no text")?.parse()?;
///             println!("{}", amount * rate);
///             Ok(Outcome::Ack)
///         })
///     }
/// }
///
/// let running = client.push_consumer("billing").subscribe("orders", "*").listen(Billing { rate: 3 }).await?;
/// running.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub trait Listen: Send + Sync + 'static {
    /// Handles `delivery`. The outcome decides what the broker does with the message.
    fn on_message(&self, delivery: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>>;
}

impl<F, Fut, E> Listen for F
where
    F: Fn(Delivery) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Outcome, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    fn on_message(&self, delivery: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        let handled = self(delivery);
        Box::pin(async move { handled.await.map_err(Into::into) })
    }
}

/// Handles several messages of one queue at a time. Closures of the same shape are listeners too. The rules of
/// [`Listen`] hold; a failure or panic retries the whole batch.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::{Delivery, Outcome};
///
/// let running = client
///     .push_consumer("billing")
///     .subscribe("orders", "*")
///     .batch(100)
///     .listen_batch(|deliveries: Vec<Delivery>| async move {
///         let outcome = |delivery: &Delivery| if delivery.text().is_some() { Outcome::Ack } else { Outcome::DeadLetter };
///         Ok::<_, std::convert::Infallible>(deliveries.iter().map(outcome).collect())
///     })
///     .await?;
/// running.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub trait ListenBatch: Send + Sync + 'static {
    /// Handles `deliveries`, never empty, and returns one outcome for each in the same order. Messages without an
    /// outcome are retried; outcomes without a message are ignored.
    fn on_batch(&self, deliveries: Vec<Delivery>) -> BoxFuture<'static, Result<Vec<Outcome>, BoxError>>;
}

impl<F, Fut, E> ListenBatch for F
where
    F: Fn(Vec<Delivery>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Outcome>, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    fn on_batch(&self, deliveries: Vec<Delivery>) -> BoxFuture<'static, Result<Vec<Outcome>, BoxError>> {
        let handled = self(deliveries);
        Box::pin(async move { handled.await.map_err(Into::into) })
    }
}
