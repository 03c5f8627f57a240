//! Closures as listeners, for `App::listen`. The attribute macro does not use this trait: its errors are clearer.

use crate::context::Context;
use crate::extract::{FromMessage, Needs, Rejection};
use crate::outcome::{Handled, IntoOutcome};
use rocketmq_client::Delivery;

/// An async closure or function of at most six arguments, each made from a message.
///
/// It is implemented for them; nobody else implements it. [`Listener::new`](super::Listener::new) shows one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle messages",
    note = "it must be async, take only extractors such as `Json<T>`, and return what a listener may return"
)]
pub trait Handler<Args>: Send + Sync + 'static {
    /// Declares what the application must provide.
    fn needs(needs: &mut Needs);

    /// Makes the arguments from a message, and starts to handle it.
    ///
    /// # Errors
    /// An argument cannot be made.
    fn call(
        &self,
        delivery: &Delivery,
        context: &Context,
    ) -> Result<impl Future<Output = Handled> + Send + 'static + use<Self, Args>, Rejection>;
}

macro_rules! handler {
    ($($argument:ident)*) => {
        impl<F, Fut, R, $($argument,)*> Handler<($($argument,)*)> for F
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
                &self,
                _delivery: &Delivery,
                _context: &Context,
            ) -> Result<impl Future<Output = Handled> + Send + 'static + use<F, Fut, R, $($argument),*>, Rejection> {
                let handler = self($($argument::from_message(_delivery, _context)?),*);
                Ok(async move { handler.await.into_outcome() })
            }
        }
    };
}

handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);
handler!(A B C D E);
handler!(A B C D E G);
