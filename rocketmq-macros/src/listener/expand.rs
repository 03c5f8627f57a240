//! Makes code of a model.

use super::model::Model;
use crate::diagnostics::Errors;
use crate::expand::{Frame, argument_names, declare_arguments, frame, on};
use crate::signature::Signature;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;

pub(super) fn expand(function: &ItemFn, model: &Model, errors: Errors) -> TokenStream {
    let name = &function.sig.ident;
    let (body, discovered) = match errors.into_tokens() {
        Some(errors) => (errors, None),
        None => (construction(model), Some(quote!(::rocketmq_starter::__private::DiscoveredListener(#name)))),
    };
    frame(function, Frame { returns: quote!(::rocketmq_starter::Listener), body, discovered })
}

fn construction(model: &Model) -> TokenStream {
    let declare = declare_arguments(&model.signature);
    let spec = spec(model);
    let handler = if model.signature.is_batch() { batch(&model.signature) } else { single(&model.signature) };
    quote! {
        let mut needs = ::rocketmq_starter::__private::Needs::default();
        #declare
        let spec = #spec;
        #handler
    }
}

fn spec(model: &Model) -> TokenStream {
    let Model { name, topic, group, options, .. } = model;
    let options = options.iter().map(|(key, value)| quote!((#key, #value)));
    quote! {
        ::rocketmq_starter::__private::Spec::new(
            #name,
            ::core::concat!(::core::module_path!(), ", ", ::core::file!(), ":", ::core::line!()),
            #topic,
            #group,
            &[#(#options),*],
        )
    }
}

/// Makes the call for one message, spanned on the return type of the function, which may be a wrong one.
fn single(signature: &Signature) -> TokenStream {
    let (names, name) = (argument_names(signature), &signature.name);
    quote_spanned! {on(signature.output)=>
        ::rocketmq_starter::__private::single(spec, needs, move |delivery, context| {
            #(let #names = match #names(delivery, context) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => return ::core::result::Result::Err(rejection),
            };)*
            ::core::result::Result::Ok(#name::call(#(#names),*))
        })
    }
}

/// Makes one call for many messages. Unreadable messages are judged one by one, the others are passed on.
fn batch(signature: &Signature) -> TokenStream {
    let names = argument_names(signature);
    let (columns, shared): (Vec<_>, Vec<_>) =
        names.iter().zip(&signature.arguments).partition(|(_, argument)| argument.element.is_some());
    let columns: Vec<_> = columns.into_iter().map(|(name, _)| name).collect();
    let shared: Vec<_> = shared.into_iter().map(|(name, _)| name).collect();
    let gathered: Vec<_> = columns.iter().map(|name| format_ident!("{name}_of_all")).collect();
    let passed = names.iter().map(|name| {
        let of_all = format_ident!("{name}_of_all");
        if columns.contains(&name) { quote!(#of_all) } else { quote!(#name) }
    });
    let passed = quote!(#(#passed),*);
    let outcome = batch_outcome(signature, passed);
    quote! {
        ::rocketmq_starter::__private::batch(spec, needs, move |mut batch, context| {
            #(let mut #gathered = ::std::vec::Vec::with_capacity(batch.len());)*
            for index in 0..batch.len() {
                #(let #columns = match #columns(batch.delivery(index), context) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(rejection) => {
                        batch.reject(index, rejection);
                        continue;
                    }
                };)*
                #(#gathered.push(#columns);)*
            }
            if batch.is_rejected() {
                return ::rocketmq_starter::__private::rejected_batch(batch);
            }
            #(let #shared = match #shared(context) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    batch.reject_all(rejection);
                    return ::rocketmq_starter::__private::rejected_batch(batch);
                }
            };)*
            #outcome
        })
    }
}

/// Makes the call for a batch, spanned on the return type of the function, which may be a wrong one.
fn batch_outcome(signature: &Signature, passed: TokenStream) -> TokenStream {
    let name = &signature.name;
    quote_spanned!(on(signature.output)=> ::rocketmq_starter::__private::batch_outcome(batch, #name::call(#passed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn expanded(attribute: TokenStream, function: ItemFn) -> String {
        let mut errors = Errors::default();
        let model = Model::of(attribute, &function, &mut errors);
        expand(&function, &model, errors).to_string()
    }

    #[test]
    fn the_function_keeps_its_body_and_its_visibility() {
        let text = expanded(
            quote!(topic = "t", group = "g"),
            parse_quote!(
                pub(crate) async fn handle(Json(order): Json<Order>) -> Outcome {
                    bill(order).await
                }
            ),
        );
        assert!(text.contains("pub (crate) fn handle () -> :: rocketmq_starter :: Listener"), "{text}");
        assert!(
            text.contains(
                "async fn call (Json (order) : Json < Order >) -> Outcome { bill (order) . await }"
            )
        );
        assert!(text.contains("argument :: < Json < Order > > (& mut needs)"));
    }

    #[test]
    fn with_errors_the_function_is_still_there() {
        let text = expanded(
            quote!(topic = "t"),
            parse_quote!(
                async fn handle() {}
            ),
        );
        assert!(text.contains("compile_error") && text.contains("async fn call ()"), "{text}");
        assert!(!text.contains("inventory"), "{text}");
    }

    #[test]
    fn every_path_is_absolute() {
        let text = expanded(
            quote!(topic = "t", group = "g", batch = 8),
            parse_quote!(
                async fn handle(orders: Vec<Json<Order>>, db: State<Db>) -> Vec<Outcome> {}
            ),
        );
        for name in ["Result :: Ok", "Vec :: with_capacity", "rocketmq_starter ::"] {
            for (at, _) in text.match_indices(name) {
                let before = text[..at].trim_end();
                assert!(
                    before.ends_with("::"),
                    "unqualified {name} after {:?}",
                    &before[before.len() - 40..]
                );
            }
        }
    }

    #[test]
    fn in_a_batch_a_plain_argument_is_shared() {
        let text = expanded(
            quote!(topic = "t", group = "g"),
            parse_quote!(
                async fn handle(orders: Vec<Json<Order>>, db: State<Db>) {}
            ),
        );
        assert!(text.contains("argument :: < Json < Order > >"), "{text}");
        assert!(text.contains("shared :: < State < Db > >"), "{text}");
        assert!(text.contains("handle :: call (argument_0_of_all , argument_1)"), "{text}");
    }
}
