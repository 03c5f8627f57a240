//! The attribute macros of `rocketmq-starter`.
//!
//! Depend on `rocketmq-starter`, which re-exports and documents them: the generated code names its types by absolute path.
//!
//! An attribute goes through three steps. Tokens become checked settings (`attribute`), settings and signature become a model
//! (`signature`, `listener::model`, `transaction`), and the model becomes code (`expand`). Every step collects its errors, so that
//! one compilation shows all of them.

mod attribute;
mod diagnostics;
mod expand;
mod listener;
mod setting;
mod signature;
mod test;
mod transaction;

use proc_macro::TokenStream;

/// Turns an async function into a listener; documented as `rocketmq_starter::rocketmq_listener`.
#[proc_macro_attribute]
pub fn rocketmq_listener(attribute: TokenStream, item: TokenStream) -> TokenStream {
    listener::attribute_macro(attribute.into(), item.into()).into()
}

/// Turns an async function that takes a cluster into a test; documented as `rocketmq_starter::testing::rocketmq_test`.
#[proc_macro_attribute]
pub fn rocketmq_test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    test::attribute_macro(attribute.into(), item.into()).into()
}

/// Turns an async function into a transaction checker; documented as
/// `rocketmq_starter::rocketmq_transaction_listener`.
#[proc_macro_attribute]
pub fn rocketmq_transaction_listener(attribute: TokenStream, item: TokenStream) -> TokenStream {
    transaction::attribute_macro(attribute.into(), item.into()).into()
}
