//! `#[rocketmq_test]`: an async function that gets a cluster of its own becomes a test.

use crate::attribute::Settings;
use crate::diagnostics::Errors;
use crate::setting::{Key, Kind, Vocabulary};
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{FnArg, ItemFn, Type};

static VOCABULARY: Vocabulary = Vocabulary {
    keys: &[
        Key { name: "brokers", kind: Kind::Count { min: 1, max: 26 } },
        Key { name: "timeout", kind: Kind::Period },
    ],
    // Spring has nothing of the kind.
    spring: |_| None,
};

pub(crate) fn attribute_macro(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let text = format!("`#[rocketmq_test]` belongs on an `async fn`: {error}");
            let error = syn::Error::new(error.span(), text).to_compile_error();
            return quote!(#error #item);
        }
    };
    let mut errors = Errors::default();
    let settings = Settings::parse(attribute, &VOCABULARY, &mut errors);
    for setting in settings.iter().filter(|setting| setting.value.contains("${")) {
        errors.push(setting.span, "a test reads no configuration: write the value itself");
    }
    check(&function, &mut errors);
    match errors.into_tokens() {
        Some(errors) => quote!(#errors #[allow(dead_code)] #function),
        None => expand(function, &settings),
    }
}

fn check(function: &ItemFn, errors: &mut Errors) {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        errors.push(sig.fn_token.span(), "a test with a cluster must be an `async fn`");
    }
    if !sig.generics.params.is_empty() {
        errors.push(sig.generics.span(), "a test cannot be generic");
    }
    let other =
        function.attrs.iter().find(|it| it.path().segments.last().is_some_and(|it| it.ident == "test"));
    if let Some(other) = other {
        errors.push(other.span(), "`#[rocketmq_test]` makes the test and its runtime: remove this attribute");
    }
    let mut inputs = sig.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (Some(FnArg::Typed(argument)), None) => {
            if let Type::Reference(reference) = &*argument.ty {
                errors.push(reference.span(), "a test owns its cluster: take `cluster: Cluster`");
            }
        }
        (Some(FnArg::Receiver(receiver)), _) => errors.push(receiver.span(), "a test is a free function"),
        (None, _) => errors.push(sig.ident.span(), "a test takes its cluster: add `cluster: Cluster`"),
        (_, Some(more)) => errors.push(more.span(), "a test takes one argument, `cluster: Cluster`"),
    }
}

fn expand(mut function: ItemFn, settings: &Settings) -> TokenStream {
    let attributes = std::mem::take(&mut function.attrs);
    let (name, output) = (function.sig.ident.clone(), function.sig.output.clone());
    let text = |key| match settings.value(key) {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let (brokers, timeout) = (text("brokers"), text("timeout"));
    function.vis = syn::Visibility::Inherited;
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        fn #name() #output {
            #function
            ::rocketmq_starter::testing::run(::core::stringify!(#name), #brokers, #timeout, #name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(attribute: TokenStream, item: TokenStream) -> String {
        attribute_macro(attribute, item).to_string()
    }

    #[test]
    fn a_test_keeps_its_attributes_and_its_return_type() {
        let item = quote!(
            #[should_panic]
            async fn f(cluster: Cluster) -> TestResult {}
        );
        let text = text(quote!(brokers = 2, timeout = "2m"), item);
        let test =
            "# [:: core :: prelude :: v1 :: test] # [should_panic] fn f () -> TestResult { async fn f (";
        assert!(text.starts_with(test), "{text}");
        assert!(text.contains("Some (\"2\")") && text.contains("Some (\"2m\")"), "{text}");
    }

    #[test]
    fn each_rule_has_its_message() {
        let cases = [
            (
                quote!(),
                quote!(
                    fn f(cluster: Cluster) {}
                ),
                "must be an `async fn`",
            ),
            (
                quote!(),
                quote!(
                    async fn f() {}
                ),
                "add `cluster: Cluster`",
            ),
            (
                quote!(),
                quote!(
                    async fn f(cluster: &Cluster) {}
                ),
                "owns its cluster",
            ),
            (
                quote!(),
                quote!(
                    async fn f(cluster: Cluster, n: u8) {}
                ),
                "takes one argument",
            ),
            (
                quote!(),
                quote!(
                    async fn f<T>(cluster: Cluster) {}
                ),
                "generic",
            ),
            (
                quote!(),
                quote!(
                    #[tokio::test]
                    async fn f(cluster: Cluster) {}
                ),
                "remove this attribute",
            ),
            (
                quote!(),
                quote!(
                    struct F;
                ),
                "belongs on an `async fn`",
            ),
            (
                quote!(broker = 2),
                quote!(
                    async fn f(cluster: Cluster) {}
                ),
                "did you mean `brokers`?",
            ),
            (
                quote!(timeout = "${limit:1m}"),
                quote!(
                    async fn f(cluster: Cluster) {}
                ),
                "write the value itself",
            ),
            (
                quote!(brokers = 0),
                quote!(
                    async fn f(cluster: Cluster) {}
                ),
                "from 1 to 26",
            ),
        ];
        for (attribute, item, message) in cases {
            let text = text(attribute, item);
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(message), "{message:?} is missing from {text}");
        }
    }
}
