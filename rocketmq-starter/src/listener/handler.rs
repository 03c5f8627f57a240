//! Closures as listeners, for `App::listen`. The attribute macro does without this trait: its errors are clearer.

use crate::context::Context;
use crate::extract::{FromMessage, Needs};
use crate::listener::rejected;
use crate::outcome::{Handled, IntoOutcome, outcome};
use futures_util::future::BoxFuture;
use rocketmq_client::Delivery;

/// A closure or function whose arguments can be made from a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle messages",
    note = "it must be async, take only extractors such as `Json<T>`, and return what a listener may return"
)]
pub trait Handler<Args>: Send + Sync + 'static {
    /// Declares what the application must provide.
    fn needs(needs: &mut Needs);

    /// Handles one message.
    fn call(&self, delivery: &Delivery, context: &Context) -> BoxFuture<'static, Handled>;
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

            fn call(&self, _delivery: &Delivery, _context: &Context) -> BoxFuture<'static, Handled> {
                outcome(self($(
                    match $argument::from_message(_delivery, _context) {
                        Ok(value) => value,
                        Err(rejection) => return rejected(rejection),
                    }
                ),*))
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
