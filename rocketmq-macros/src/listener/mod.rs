//! `#[rocketmq_listener]`.

mod attr;
mod expand;
mod model;

use crate::diagnostics::Errors;
use crate::signature;
use proc_macro2::TokenStream;

pub(crate) fn attribute_macro(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match signature::function(item, "a listener") {
        Ok(function) => function,
        Err(errors) => return errors,
    };
    let mut errors = Errors::default();
    let model = model::Model::of(attribute, &function, &mut errors);
    expand::expand(&function, &model, errors)
}
