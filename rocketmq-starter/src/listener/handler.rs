//! Structs and closures as listeners, for `App::listen`. The attribute macro does not use these traits: its errors are
//! clearer.

use super::form;
use crate::context::Context;
use crate::extract::{FromMessage, Needs, Rejection};
use crate::outcome::{Handled, IntoOutcome};
use async_trait::async_trait;
use rocketmq_client::Delivery;
use std::sync::Arc;

/// A listener with a state of its own: a struct that handles messages. [`App::listen`](crate::App::listen) and
/// [`Listener::new`](super::Listener::new) take it.
///
/// ```
/// use rocketmq_starter::listener::{Handler, async_trait};
/// use rocketmq_starter::{App, Attempt, BoxError, Json};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// struct Billing {
///     currency: String,
///     billed: AtomicU64,
/// }
///
/// #[async_trait]
/// impl Handler for Billing {
///     type Message = (Json<u64>, Attempt);
///     type Answer = Result<(), BoxError>;
///
///     async fn handle(&self, (Json(order), Attempt(attempt)): Self::Message) -> Self::Answer {
///         println!("order {order} in {} at try {attempt}", self.currency);
///         self.billed.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// let billing = Billing { currency: "EUR".to_owned(), billed: AtomicU64::new(0) };
/// let app = App::new().listen("orders", "billing", billing);
/// # drop(app);
/// ```
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The argument, made of a message: `Json<T>`, `Text`, `Delivery`, or a tuple of them.
    type Message: FromMessage;
    /// The return value of a listener: `()`, `Outcome`, a reply such as `Json<T>`, or a `Result` of these.
    type Answer: IntoOutcome + Send;

    /// Handles one message. As many calls run at once as the option `concurrency` says.
    async fn handle(&self, message: Self::Message) -> Self::Answer;
}

/// The argument of [`App::listen`](crate::App::listen): an async closure or function of at most six arguments, each made from
/// a message, or a [`Handler`].
///
/// It is implemented for them; nobody else implements it. [`Listener::new`](super::Listener::new) shows one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle messages",
    note = "a closure or function must be async, take only extractors such as `Json<T>`, and return what a listener may return",
    note = "a struct must implement `rocketmq_starter::listener::Handler`"
)]
pub trait Handling<Args>: Send + Sync + 'static {
    /// Declares what the application must provide.
    fn needs(needs: &mut Needs);

    /// Makes the arguments from a message, and starts to handle it.
    ///
    /// # Errors
    /// An argument cannot be made.
    fn call(
        this: &Arc<Self>,
        delivery: &Delivery,
        context: &Context,
    ) -> Result<impl Future<Output = Handled> + Send + 'static + use<Self, Args>, Rejection>;
}

impl<H: Handler> Handling<form::Made> for H {
    fn needs(needs: &mut Needs) {
        H::Message::needs(needs);
    }

    fn call(
        this: &Arc<Self>,
        delivery: &Delivery,
        context: &Context,
    ) -> Result<impl Future<Output = Handled> + Send + 'static + use<H>, Rejection> {
        let (this, message) = (Arc::clone(this), H::Message::from_message(delivery, context)?);
        Ok(async move { this.handle(message).await.into_outcome() })
    }
}

macro_rules! handling {
    ($($argument:ident)*) => {
        impl<F, Fut, R, $($argument,)*> Handling<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoOutcome,
            $($argument: FromMessage,)*
        {
            fn needs(_needs: &mut Needs) {
                $($argument::needs(_needs);)*
            }

            fn call(
                this: &Arc<Self>,
                _delivery: &Delivery,
                _context: &Context,
            ) -> Result<impl Future<Output = Handled> + Send + 'static + use<F, Fut, R, $($argument),*>, Rejection> {
                let handler = this($($argument::from_message(_delivery, _context)?),*);
                Ok(async move { handler.await.into_outcome() })
            }
        }
    };
}

handling!();
handling!(A);
handling!(A B);
handling!(A B C);
handling!(A B C D);
handling!(A B C D E);
handling!(A B C D E G);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Attempt, Json, State};
    use crate::listener::Listener;
    use crate::outcome::BoxError;
    use rocketmq_client::{Message, Outcome};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    struct Sum(Arc<AtomicU32>);

    #[async_trait]
    impl Handler for Sum {
        type Message = (Json<u32>, Attempt);
        type Answer = Result<Json<u32>, BoxError>;

        async fn handle(&self, (Json(number), Attempt(attempt)): Self::Message) -> Self::Answer {
            if number == 0 {
                return Err("nothing to add".into());
            }
            Ok(Json(self.0.fetch_add(number * attempt, SeqCst)))
        }
    }

    #[tokio::test]
    async fn a_struct_handles_messages_with_its_own_state() {
        let sum = Arc::new(AtomicU32::new(1));
        let listener = Listener::new("numbers", "sums", Sum(Arc::clone(&sum)));
        let deliver = |body: &'static str, tries| [Delivery::sample(Message::new("numbers", body), tries)];
        let context = Context::default();
        let mut answers = listener.call.answers(&deliver("5", 1), &context).await;
        assert_eq!((sum.load(SeqCst), answers.pop().unwrap().reply.as_deref()), (11, Some(&b"1"[..])));
        for (body, failed) in
            [("0", "the handler failed: nothing to add"), ("x", "did not reach its handler")]
        {
            let verdict = listener.call.answers(&deliver(body, 0), &context).await.pop().unwrap().verdict;
            assert!(verdict.to_string().contains(failed), "{verdict}");
        }
        assert_eq!(sum.load(SeqCst), 11);
    }

    #[test]
    fn a_struct_needs_what_its_message_needs() {
        struct Takes;
        #[async_trait]
        impl Handler for Takes {
            type Message = State<u16>;
            type Answer = Outcome;

            async fn handle(&self, _: State<u16>) -> Outcome {
                Outcome::Ack
            }
        }
        assert_eq!(Listener::new("t", "g", Takes).needs.states().len(), 1);
    }
}
