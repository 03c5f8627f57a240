//! Makes a model of attribute and signature. All rules about more than one setting are here.

use super::attr::VOCABULARY;
use crate::attribute::Settings;
use crate::diagnostics::Errors;
use crate::signature::Signature;
use proc_macro2::TokenStream;
use syn::ItemFn;

pub(super) struct Model {
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) group: String,
    /// Configuration key and text, in the order written.
    pub(super) options: Vec<(String, String)>,
    pub(super) signature: Signature,
}

impl Model {
    /// Returns a model in any case, so that every rule is checked; with errors nobody expands it.
    pub(super) fn of(attribute: TokenStream, function: &ItemFn, errors: &mut Errors) -> Model {
        let settings = Settings::parse(attribute, &VOCABULARY, errors);
        let signature = Signature::of(function, "a listener", errors);
        let topic = required(&settings, "topic", "orders", &signature, errors);
        let group = required(&settings, "group", "billing", &signature, errors);
        check_selectors(&settings, errors);
        check_mode(&settings, errors);
        check_timeout(&settings, errors);
        check_batch(&settings, &signature, errors);
        let name = settings.value("name").map_or_else(|| signature.name.to_string(), str::to_owned);
        Model { name, topic, group, options: options(&settings), signature }
    }
}

fn required(settings: &Settings, key: &str, sample: &str, at: &Signature, errors: &mut Errors) -> String {
    if let Some(value) = settings.value(key) {
        return value.to_owned();
    }
    errors.push(
        at.name.span(),
        format!("the listener `{}` needs a {key}: add `{key} = \"{sample}\"`", at.name),
    );
    String::new()
}

fn check_selectors(settings: &Settings, errors: &mut Errors) {
    if let (Some(_), Some(sql)) = (settings.get("selector"), settings.get("sql")) {
        errors.push(
            sql.span,
            "`selector` and `sql` exclude each other: a subscription filters by tags or by SQL92",
        );
    }
}

fn check_mode(settings: &Settings, errors: &mut Errors) {
    let orderly = settings.value("mode") == Some("orderly");
    if let (true, Some("broadcasting"), Some(model)) =
        (orderly, settings.value("model"), settings.get("model"))
    {
        errors.push(model.span, "`mode = \"orderly\"` needs clustering: broadcasting keeps no order");
    }
    if let (true, Some(delay)) = (orderly, settings.get("retry_delay")) {
        errors.push(
            delay.span,
            "an orderly listener retries in place: use `suspend_time` instead of `retry_delay`",
        );
    }
    if let (false, None | Some("concurrent"), Some(suspend)) =
        (orderly, settings.value("mode"), settings.get("suspend_time"))
    {
        errors.push(suspend.span, "`suspend_time` is for `mode = \"orderly\"`; use `retry_delay` here");
    }
}

/// Spring's `consumeTimeout` counts minutes.
fn check_timeout(settings: &Settings, errors: &mut Errors) {
    let Some(timeout) = settings.get("consume_timeout") else { return };
    if let Ok(millis @ 0..1000) = timeout.value.parse::<u64>() {
        let text = format!(
            "`consume_timeout = {millis}` is {millis} milliseconds, and Spring's are minutes: write \"{millis}m\" or \"{millis}ms\""
        );
        errors.push(timeout.span, text);
    }
}

fn check_batch(settings: &Settings, signature: &Signature, errors: &mut Errors) {
    if let (false, Some(batch)) = (signature.is_batch(), settings.get("batch")) {
        errors.push(batch.span, "`batch` needs an argument that takes many messages, such as `Vec<Json<T>>`");
    }
}

fn options(settings: &Settings) -> Vec<(String, String)> {
    settings
        .iter()
        .filter(|setting| !matches!(setting.key.name, "topic" | "group" | "name"))
        .map(|setting| (setting.key.name.replace('_', "-"), setting.value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    fn messages(attribute: TokenStream) -> Vec<String> {
        let function: ItemFn = parse_quote!(
            async fn handle(order: Json<Order>) {}
        );
        let mut errors = Errors::default();
        Model::of(attribute, &function, &mut errors);
        errors.messages()
    }

    #[test]
    fn topic_and_group_are_required() {
        let messages = messages(quote!());
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].contains("needs a topic") && messages[1].contains("needs a group"));
    }

    #[test]
    fn settings_that_exclude_each_other_are_named() {
        for (attribute, word) in [
            (quote!(topic = "t", group = "g", selector = "a", sql = "a > 1"), "exclude"),
            (quote!(topic = "t", group = "g", mode = "orderly", model = "broadcasting"), "clustering"),
            (quote!(topic = "t", group = "g", mode = "orderly", retry_delay = "5s"), "in place"),
            (quote!(topic = "t", group = "g", suspend_time = "5s"), "retry_delay"),
            (quote!(topic = "t", group = "g", batch = 8), "Vec<Json<T>>"),
            (quote!(topic = "t", group = "g", consume_timeout = 15), "\"15m\""),
        ] {
            let found = messages(attribute);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn options_carry_configuration_keys() {
        let function: ItemFn = parse_quote!(
            async fn handle() {}
        );
        let attribute = quote!(topic = "t", group = "g", max_reconsume_times = 3);
        let model = Model::of(attribute, &function, &mut Errors::default());
        assert_eq!(model.options, [("max-reconsume-times".to_owned(), "3".to_owned())]);
    }
}
