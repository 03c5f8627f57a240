//! Checks the signature of the function under an attribute.

use crate::diagnostics::Errors;
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, Ident, ItemFn, PathArguments, ReturnType, Type};

/// One argument of the function.
pub(crate) struct Argument {
    pub(crate) ty: Type,
    /// The `T` of `Vec<T>`, one for each message of a batch.
    pub(crate) element: Option<Type>,
}

/// A function that may become a listener or a checker.
pub(crate) struct Signature {
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Argument>,
    /// The place for errors about the return type.
    pub(crate) output: Span,
}

/// Reads the function under an attribute.
///
/// # Errors
/// Fails for an item that is no free function. The item stays in place, so that only this error shows: the generated items cannot
/// stand among methods.
pub(crate) fn function(item: TokenStream, what: &str) -> Result<ItemFn, TokenStream> {
    let error = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => match function.sig.inputs.first() {
            Some(FnArg::Receiver(receiver)) => syn::Error::new(
                receiver.span(),
                format!("{what} is a free function and takes no `self`; share data with `State<T>`"),
            ),
            _ => return Ok(function),
        },
        Err(error) => {
            syn::Error::new(error.span(), format!("this attribute belongs on an `async fn`: {error}"))
        }
    };
    let mut tokens = error.to_compile_error();
    tokens.extend(item);
    Err(tokens)
}

impl Signature {
    /// Checks the signature. `what` names the goal with its article: "a listener".
    pub(crate) fn of(function: &ItemFn, what: &str, errors: &mut Errors) -> Signature {
        let sig = &function.sig;
        if sig.asyncness.is_none() {
            errors.push(sig.fn_token.span(), format!("{what} must be an `async fn`"));
        }
        if !sig.generics.params.is_empty() {
            errors.push(
                sig.generics.span(),
                format!("{what} cannot be generic: messages arrive as one known type"),
            );
        }
        if let Some(variadic) = &sig.variadic {
            errors.push(variadic.span(), format!("{what} cannot be variadic"));
        }
        let arguments = sig.inputs.iter().filter_map(|input| argument(input, what, errors)).collect();
        let output = match &sig.output {
            ReturnType::Default => sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        Signature { name: sig.ident.clone(), arguments, output }
    }

    pub(crate) fn is_batch(&self) -> bool {
        self.arguments.iter().any(|argument| argument.element.is_some())
    }
}

fn argument(input: &FnArg, what: &str, errors: &mut Errors) -> Option<Argument> {
    let typed = match input {
        FnArg::Receiver(_) => return None,
        FnArg::Typed(typed) => typed,
    };
    if let Type::Reference(reference) = &*typed.ty {
        errors.push(
            reference.span(),
            format!("the arguments of {what} are owned; take `Text`, `Json<T>` or `Delivery` instead of a reference"),
        );
        return None;
    }
    Some(Argument { ty: (*typed.ty).clone(), element: vec_element(&typed.ty) })
}

/// Returns the `T` of a type spelt `Vec<T>`.
fn vec_element(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Vec")?;
    let PathArguments::AngleBracketed(generics) = &last.arguments else { return None };
    match generics.args.first()? {
        GenericArgument::Type(element) => Some(element.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    fn messages(function: ItemFn) -> Vec<String> {
        let mut errors = Errors::default();
        Signature::of(&function, "a listener", &mut errors);
        errors.messages()
    }

    #[test]
    fn each_rule_has_its_message() {
        assert!(
            messages(parse_quote!(
                fn f() {}
            ))[0]
                .contains("async fn")
        );
        assert!(
            messages(parse_quote!(
                async fn f<T>(t: Json<T>) {}
            ))[0]
                .contains("generic")
        );
        assert!(
            messages(parse_quote!(
                async fn f(body: &str) {}
            ))[0]
                .contains("owned")
        );
    }

    #[test]
    fn a_method_stays_as_it_is_beside_its_error() {
        let method = quote!(
            async fn f(&self) {}
        );
        let Err(error) = function(method, "a listener") else { panic!("a method is no listener") };
        let tokens = error.to_string();
        assert!(tokens.contains("State<T>") && tokens.ends_with("async fn f (& self) { }"), "{tokens}");
        assert!(
            function(
                quote!(
                    struct F;
                ),
                "a listener"
            )
            .is_err()
        );
    }

    #[test]
    fn a_vec_argument_makes_a_batch() {
        let function = parse_quote!(
            async fn f(orders: Vec<Json<Order>>, db: State<Db>) {}
        );
        let signature = Signature::of(&function, "a listener", &mut Errors::default());
        assert!(signature.is_batch());
        assert!(signature.arguments[1].element.is_none());
    }
}
