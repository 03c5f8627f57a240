//! Where every step puts its errors, so that one compilation shows all of them.

use proc_macro2::{Span, TokenStream};
use std::fmt::Display;

/// The errors found so far, each with the place in the user's source it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, span: Span, message: impl Display) {
        self.add(syn::Error::new(span, message));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// One `compile_error!` for each error, or nothing when there is none.
    pub(crate) fn into_tokens(self) -> Option<TokenStream> {
        self.0.map(|all| all.to_compile_error())
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0.into_iter().flatten().map(|error| error.to_string()).collect()
    }
}
