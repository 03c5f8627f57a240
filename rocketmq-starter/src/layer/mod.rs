//! Layers around handlers and sends, and three that are often needed: [`Deduplicate`], [`RateLimit`], [`OneAtATime`].
//!
//! A layer calls the `next` one, as in tower: it may wait before, drop messages, look at the results, or answer itself. An
//! [`Interceptor`](crate::Interceptor) is the lighter choice for work that never waits and wraps nothing.
//!
//! [`App::layer`](crate::App::layer) puts a layer around the handlers of all listeners and the sends of all templates,
//! [`Listener::layer`](crate::Listener::layer) around one listener, and
//! [`RocketmqTemplate::layer`](crate::RocketmqTemplate::layer) around one template. The first layer is the outermost; those of the
//! application lie around the others.
//!
//! ```
//! use rocketmq_starter::layer::{Deduplicate, OneAtATime, RateLimit};
//! use rocketmq_starter::{App, Json, rocketmq_listener};
//!
//! #[rocketmq_listener(topic = "orders", group = "billing")]
//! async fn bill(Json(_order): Json<u64>) {}
//!
//! let app = App::new()
//!     .layer(RateLimit::per_second(100)) // all that is handled and sent, together
//!     .listener(bill().layer(OneAtATime::by_key()).layer(Deduplicate::in_memory()));
//! # drop(app);
//! ```

mod deduplicate;
mod memory;
mod next;
mod one_at_a_time;
mod rate_limit;

pub use async_trait::async_trait;
pub use deduplicate::{Claim, Deduplicate, SeenKeys};
pub use memory::SeenInMemory;
pub(crate) use next::{Layers, handled_by, sent_through, single};
pub use next::{Next, NextSend};
pub use one_at_a_time::OneAtATime;
pub use rate_limit::RateLimit;

use crate::outcome::{BoxError, Handled};
use rocketmq_client::{Delivery, Message};

/// A layer around handlers, sends, or both. Each method passes everything on unless it is overridden.
///
/// ```
/// use rocketmq_starter::layer::{Layer, Next, NextSend, async_trait};
/// use rocketmq_starter::outcome::Handled;
/// use rocketmq_starter::{BoxError, Delivery, Message};
///
/// /// Tells how long handlers take, and keeps long messages back.
/// struct Slow;
///
/// #[async_trait]
/// impl Layer for Slow {
///     async fn handle(&self, group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
///         let begin = std::time::Instant::now();
///         let handled = next.handle(deliveries).await;
///         println!("{group}: {} messages in {:?}", deliveries.len(), begin.elapsed());
///         handled
///     }
///
///     async fn send(&self, messages: Vec<Message>, next: NextSend<'_>) -> Result<(), BoxError> {
///         if messages.iter().any(|message| message.body().len() > 100_000) {
///             return Err("too long for this application".into());
///         }
///         next.send(messages).await
///     }
/// }
///
/// let app = rocketmq_starter::App::new().layer(Slow);
/// # drop(app);
/// ```
#[async_trait]
pub trait Layer: Send + Sync + 'static {
    /// Surrounds the handler of a listener of `group`. There is one delivery, or several for a batch listener; the result has one
    /// answer for each, in their order. A delivery without an answer counts as failed. A panic is one of the handler.
    ///
    /// # Cancel safety
    /// The future is dropped when the handler outlives `consume-timeout`, and when a shutdown is cut.
    async fn handle(&self, group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
        let _ = group;
        next.handle(deliveries).await
    }

    /// Surrounds a send of one message, or of a batch. An error before `next` is called keeps the messages back and reaches the
    /// caller as a [`Vetoed`](rocketmq_client::SendErrorKind::Vetoed) error; one after a send that succeeded is logged.
    ///
    /// # Cancel safety
    /// The future is dropped with that of the caller, who then does not know if the messages were sent.
    async fn send(&self, messages: Vec<Message>, next: NextSend<'_>) -> Result<(), BoxError> {
        next.send(messages).await
    }
}
