//! `#[rocketmq_transaction_listener]`: the function that answers a broker's question about a half message.

use crate::attribute::Settings;
use crate::diagnostics::Errors;
use crate::expand::{Frame, argument_names, declare_arguments, frame, on};
use crate::setting::{Key, Kind, Vocabulary};
use crate::signature::{self, Signature};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use rocketmq_syntax::spring;
use syn::ItemFn;

static VOCABULARY: Vocabulary = Vocabulary {
    keys: &[Key { name: "group", kind: Kind::Group }, Key { name: "name", kind: Kind::Text }],
    spring: spring::checker,
};

pub(crate) fn attribute_macro(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match signature::function(item, "a transaction listener") {
        Ok(function) => function,
        Err(errors) => return errors,
    };
    let mut errors = Errors::default();
    let settings = Settings::parse(attribute, &VOCABULARY, &mut errors);
    let signature = Signature::of(&function, "a transaction listener", &mut errors);
    check_arguments(&signature, &mut errors);
    expand(&function, &settings, &signature, errors)
}

fn check_arguments(signature: &Signature, errors: &mut Errors) {
    if signature.is_batch() {
        errors
            .push(signature.name.span(), "a transaction listener is asked about one half message at a time");
    }
}

fn expand(function: &ItemFn, settings: &Settings, signature: &Signature, errors: Errors) -> TokenStream {
    let name = &signature.name;
    let (body, discovered) = match errors.into_tokens() {
        Some(errors) => (errors, None),
        None => (
            construction(settings, signature),
            Some(quote!(::rocketmq_starter::__private::DiscoveredChecker(#name))),
        ),
    };
    frame(
        function,
        Frame { returns: quote!(::rocketmq_starter::transaction::TransactionChecker), body, discovered },
    )
}

fn construction(settings: &Settings, signature: &Signature) -> TokenStream {
    let declare = declare_arguments(signature);
    let names = argument_names(signature);
    let function = &signature.name;
    let spec = spec(settings, signature);
    let span = on(signature.output);
    let decide = quote_spanned!(span=> ::rocketmq_starter::__private::decision(#function::call(#(#names),*)));
    quote! {
        let mut needs = ::rocketmq_starter::__private::Needs::default();
        #declare
        ::rocketmq_starter::__private::checker(#spec, needs, move |half, context| {
            #(let #names = match #names(half, context) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => return ::rocketmq_starter::__private::undecided(rejection),
            };)*
            #decide
        })
    }
}

fn spec(settings: &Settings, signature: &Signature) -> TokenStream {
    let function = signature.name.to_string();
    let option = |key| match settings.value(key) {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let (group, name) = (option("group"), option("name"));
    quote! {
        ::rocketmq_starter::__private::CheckerSpec {
            function: #function,
            place: ::core::concat!(::core::module_path!(), ", ", ::core::file!(), ":", ::core::line!()),
            group: #group,
            name: #name,
        }
    }
}
