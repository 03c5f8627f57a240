//! `#[rocketmq_listener]`.

mod attr;
mod expand;
mod model;

use crate::diagnostics::Errors;
use proc_macro2::TokenStream;
use syn::ItemFn;

pub(crate) fn attribute_macro(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return not_a_function(&error, item),
    };
    let mut errors = Errors::default();
    let model = model::Model::of(attribute, &function, &mut errors);
    expand::expand(&function, &model, errors)
}

/// The item stays in place, so that only the real error shows.
pub(crate) fn not_a_function(error: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens =
        syn::Error::new(error.span(), format!("this attribute belongs on an `async fn`: {error}"))
            .to_compile_error();
    tokens.extend(item);
    tokens
}
