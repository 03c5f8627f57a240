//! Reads the tokens of an attribute as settings: each key is known, stands once, and has a value of its kind.

use crate::diagnostics::Errors;
use crate::setting::{Fault, Key, Kind, Vocabulary};
use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, MetaNameValue, Token};

/// One `key = value` that passed its checks.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static Key,
    pub(crate) value: String,
    pub(crate) span: Span,
}

/// The settings of an attribute.
#[derive(Debug, Default)]
pub(crate) struct Settings(Vec<Setting>);

impl Settings {
    /// Reads the settings. Mistakes go to `errors`; the other settings are kept, so that later steps find more mistakes.
    pub(crate) fn parse(tokens: TokenStream, known: &'static Vocabulary, errors: &mut Errors) -> Settings {
        let pairs = match Punctuated::<MetaNameValue, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(pairs) => pairs,
            Err(error) => {
                errors.push(error.span(), format!("expected `key = value`, separated by commas: {error}"));
                return Settings::default();
            }
        };
        let mut settings = Settings::default();
        for pair in pairs {
            settings.accept(&pair, known, errors);
        }
        settings
    }

    fn accept(&mut self, pair: &MetaNameValue, known: &'static Vocabulary, errors: &mut Errors) {
        let span = pair.path.span();
        let name = pair.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let Some(key) = known.get(&name) else {
            let (message, meant) = known.unknown(&name);
            errors.push(span, message);
            self.0.extend(meant.map(|key| Setting { key, value: String::new(), span }));
            return;
        };
        if self.get(key.name).is_some() {
            errors.push(span, format!("`{name}` is given more than once"));
            return;
        }
        // A key whose name or value is wrong was still given: nothing else is to be reported of it.
        let value = checked_value(key, &pair.value).unwrap_or_else(|message| {
            errors.push(pair.value.span(), message);
            String::new()
        });
        self.0.push(Setting { key, value, span });
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Setting> {
        self.0.iter().find(|setting| setting.key.name == name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(|setting| setting.value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }
}

fn checked_value(key: &Key, value: &Expr) -> Result<String, String> {
    let wanted = || format!("`{}` takes {}", key.name, key.kind.expected());
    let (text, quoted) = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => (text.value(), true),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => (number.base10_digits().to_owned(), false),
        Expr::Lit(ExprLit { lit: Lit::Bool(switch), .. }) => (switch.value.to_string(), false),
        _ => return Err(format!("{}, written as a literal or a \"${{placeholder}}\"", wanted())),
    };
    if quoted && text.contains("${") {
        return Ok(text);
    }
    if !literal_suits(key.kind, value, quoted) {
        return Err(wanted());
    }
    match key.kind.check(&text) {
        Ok(()) => Ok(text),
        Err(Fault::Sort) => Err(format!("{}; \"{text}\" is not", wanted())),
        Err(Fault::Place(drawn)) => {
            Err(format!("`{}` is wrong:\n\n    {}", key.name, drawn.replace('\n', "\n    ")))
        }
    }
}

/// Tells whether the literal is of the right sort: `topic = 5` and `concurrency = "5"` get an error of their own.
fn literal_suits(kind: Kind, value: &Expr, quoted: bool) -> bool {
    let number = matches!(value, Expr::Lit(ExprLit { lit: Lit::Int(_), .. }));
    match kind {
        Kind::Count { .. } => number,
        Kind::Switch => !quoted && !number,
        Kind::Period | Kind::Size => quoted || number,
        _ => quoted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use rocketmq_syntax::spring;

    static KEYS: Vocabulary = Vocabulary {
        keys: &[
            Key { name: "topic", kind: Kind::Topic },
            Key { name: "concurrency", kind: Kind::Count { min: 1, max: 1000 } },
            Key { name: "trace", kind: Kind::Switch },
        ],
        spring: spring::listener,
    };

    fn parse(tokens: TokenStream) -> (Settings, Vec<String>) {
        let mut errors = Errors::default();
        let settings = Settings::parse(tokens, &KEYS, &mut errors);
        (settings, errors.messages())
    }

    #[test]
    fn every_error_is_collected() {
        let (_, messages) = parse(quote!(trase = true, concurrency = 0, topic = "x y", topic = "y"));
        assert_eq!(messages.len(), 4, "{messages:?}");
        assert!(messages[0].contains("did you mean `trace`?"));
        assert!(messages[1].contains("from 1 to 1000"));
        assert!(messages[3].contains("more than once"));
    }

    #[test]
    fn a_misspelt_key_counts_as_given() {
        let (settings, messages) = parse(quote!(topik = "a"));
        assert_eq!((messages.len(), settings.value("topic")), (1, Some("")));
    }

    #[test]
    fn springs_names_are_answered_with_ours() {
        let (_, messages) =
            parse(quote!(consumerGroup = "a", consume_thread_number = 3, access_channel = "LOCAL"));
        assert_eq!(messages[0], "`consumerGroup` is Spring's name: write `group`");
        assert!(messages[1].contains("write `concurrency` (the number of handlers at once)"), "{messages:?}");
        assert!(messages[2].contains("`rocketmq.access-channel`"), "{messages:?}");
    }

    #[test]
    fn a_placeholder_stands_for_any_kind_of_value() {
        let (settings, messages) = parse(quote!(topic = "${a.topic:orders}", concurrency = "${threads:8}"));
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(settings.value("concurrency"), Some("${threads:8}"));
    }

    #[test]
    fn a_value_that_is_no_literal_is_refused() {
        let (_, messages) = parse(quote!(topic = TOPIC));
        assert!(messages[0].contains("literal"), "{messages:?}");
    }
}
