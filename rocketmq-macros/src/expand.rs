//! Generates the code around the user's function, for both attributes.
//!
//! `handle` becomes two items of that name. The one in the value namespace is a function that makes the listener with its
//! settings, for `app.listener(handle)` and `app.discover()`. A unit struct would turn every `let handle` and `Json(handle)` nearby
//! into a pattern of its type. The one in the type namespace is a struct that is no value; it keeps the user's function callable as
//! `handle::call(..)`, for tests. Every path is absolute: names in the user's scope cannot change the meaning.

use crate::signature::Signature;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, ItemFn, Visibility};

/// The parts in which the two attributes differ.
pub(crate) struct Frame {
    /// The type that is made.
    pub(crate) returns: TokenStream,
    /// The construction, or the errors.
    pub(crate) body: TokenStream,
    /// The entry of `discover()` for inventory; empty while there are errors.
    pub(crate) discovered: Option<TokenStream>,
}

pub(crate) fn frame(function: &ItemFn, frame: Frame) -> TokenStream {
    let Frame { returns, body, discovered } = frame;
    let (name, visibility) = (&function.sig.ident, &function.vis);
    let cfgs: Vec<_> = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let call = as_call(function, visibility);
    let submit = discovered.map(|entry| {
        quote!(#(#cfgs)* const _: () = { ::rocketmq_starter::__private::inventory::submit! { #entry } };)
    });
    quote! {
        #(#cfgs)* #(#docs)*
        #visibility fn #name() -> #returns { #body }

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]
        #visibility struct #name {}

        #(#cfgs)*
        impl #name { #call }

        #submit
    }
}

/// Renames the user's function and leaves the rest untouched.
fn as_call(function: &ItemFn, visibility: &Visibility) -> TokenStream {
    let kept = |attribute: &&Attribute| !attribute.path().is_ident("cfg");
    let attributes = function.attrs.iter().filter(kept);
    let mut signature = function.sig.clone();
    signature.ident = Ident::new("call", function.sig.ident.span());
    let block = &function.block;
    quote! {
        #(#attributes)* #[allow(clippy::unused_async)]
        #visibility #signature #block
    }
}

/// Returns the names of the generated variables that hold the arguments.
pub(crate) fn argument_names(signature: &Signature) -> Vec<Ident> {
    (0..signature.arguments.len()).map(|index| format_ident!("argument_{index}")).collect()
}

/// Makes `let argument_0 = __private::argument::<Json<Order>>(&mut needs);`, spanned on the user's type, so that the compiler's
/// error about a wrong type points there.
pub(crate) fn declare_arguments(signature: &Signature) -> TokenStream {
    let lines = argument_names(signature).into_iter().zip(&signature.arguments).map(|(name, argument)| {
        let (ty, helper) = match &argument.element {
            Some(element) => (element, "argument"),
            None if signature.is_batch() => (&argument.ty, "shared"),
            None => (&argument.ty, "argument"),
        };
        let span = on(ty.span());
        let helper = Ident::new(helper, span);
        quote_spanned!(span=> let #name = ::rocketmq_starter::__private::#helper::<#ty>(&mut needs);)
    });
    quote!(#(#lines)*)
}

/// Returns a span at the place in the user's source whose names resolve at the call of the macro.
pub(crate) fn on(place: Span) -> Span {
    Span::call_site().located_at(place)
}
