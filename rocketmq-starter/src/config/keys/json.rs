//! The keys as a JSON schema, by which editors complete and check `application.toml`.

use super::form::{Form, Shape};
use super::key::{Counterpart, Default, Key, Node, Table};
use super::root::ROOT;
use serde_json::{Map, Value, json};

/// A text that holds a placeholder, or none at all.
const OPEN: &str = r"\$\{|^\s*$";

/// Returns the JSON schema (draft 7) of `application.toml`: each key under `[rocketmq]` with its type, range, unit, default and
/// its counterpart in Spring or Java. Sections of your own are free.
///
/// The file `rocketmq-starter/schema/application.schema.json` holds the same text. An editor with taplo (the extension "Even
/// Better TOML", for example) completes and checks keys if the first line of `application.toml` names the schema:
/// `#:schema ./application.schema.json`. The schema knows keys in the spelling with `-`; the application takes
/// `sendMessageTimeout` and `send_message_timeout`, too.
///
/// ```
/// let schema = rocketmq_starter::config::json_schema();
/// assert!(schema.contains("send-message-timeout"));
/// // std::fs::write("application.schema.json", schema)?;
/// ```
pub fn json_schema() -> String {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "application.toml of rocketmq-starter",
        "description": "The configuration of an application. `${key:default}` works in every value.",
        "type": "object",
        "properties": { "rocketmq": table(&ROOT, "The settings of rocketmq-starter.") },
    });
    format!("{schema:#}\n")
}

fn table(table: &Table, about: &str) -> Value {
    let keys: Map<_, _> = table.keys().map(|key| (key.name.to_owned(), property(key))).collect();
    json!({ "type": "object", "description": about, "properties": keys, "additionalProperties": false })
}

fn property(key: &Key) -> Value {
    match key.node {
        Node::Value(form) | Node::Secret(form) => value(key, form),
        Node::NoEffect(why) => json!({ "description": format!("Has no effect: {why}."), "deprecated": true }),
        Node::Table(below) => table(below, key.about),
        Node::Named(each) => named(each, key.about),
    }
}

fn named(each: &Node, about: &str) -> Value {
    let below = match each {
        Node::Table(below) => table(below, about),
        Node::Named(each) => named(each, about),
        Node::Value(form) | Node::Secret(form) => json!({ "anyOf": types(form.shape) }),
        Node::NoEffect(why) => json!({ "description": why }),
    };
    json!({ "type": "object", "description": about, "additionalProperties": below })
}

fn value(key: &Key, form: Form) -> Value {
    let mut value = json!({ "description": description(key, form.shape), "anyOf": types(form.shape) });
    if let Default::Value(text) = key.default {
        value["default"] = typed(form.shape, text);
    }
    value
}

fn description(key: &Key, shape: Shape) -> String {
    let mut lines = vec![key.about.to_owned(), format!("Takes {}.", shape.takes())];
    match key.default {
        Default::Value(text) => lines.push(format!("Default: `{text}`.")),
        Default::Words(words) => lines.push(format!("Default: {words}.")),
    }
    match key.counterpart {
        Counterpart::None => {}
        Counterpart::SameKey => lines.push("Spring has the same key.".to_owned()),
        Counterpart::Spring(name) => lines.push(format!("In Spring: `{name}`.")),
        Counterpart::Java(name) => lines.push(format!("In Java: `{name}`.")),
    }
    lines.join("\n\n")
}

/// Writes a default as a file would.
fn typed(shape: Shape, text: &str) -> Value {
    let number = || text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
    match shape {
        Shape::Switch => json!(text == "true"),
        Shape::Count(..) | Shape::Bytes(..) => number(),
        _ => json!(text),
    }
}

fn types(shape: Shape) -> Vec<Value> {
    let text = |pattern: &str| json!({ "type": "string", "pattern": format!("{pattern}|{OPEN}") });
    match shape {
        Shape::Text(_) => vec![json!({ "type": "string" })],
        Shape::Texts(_) => {
            vec![json!({ "type": "string" }), json!({ "type": "array", "items": { "type": "string" } })]
        }
        Shape::Switch => vec![json!({ "type": "boolean" }), text(&any_case(&["true", "false"]))],
        Shape::Count(min, max) => vec![number(min.into(), max.into()), text(r"^\s*\d+\s*$")],
        Shape::Bytes(min, max) => {
            vec![number(min as u64, max as u64), text(r"^\s*[\d.]+\s*[a-zA-Z]*\s*$")]
        }
        Shape::Period(min, max) => vec![number(min, max), text(r"^\s*\d")],
        Shape::Words(words) => vec![json!({ "enum": words }), text(&any_case(words))],
        Shape::Exactly(words) => vec![json!({ "enum": words }), text(&format!("^({})$", words.join("|")))],
    }
}

/// A whole number. JSON knows no bound beyond 53 bits, so such a bound is left out.
fn number(min: u64, max: u64) -> Value {
    if max < u64::from(u32::MAX) || max >> 53 == 0 {
        json!({ "type": "integer", "minimum": min, "maximum": max })
    } else {
        json!({ "type": "integer", "minimum": min })
    }
}

/// A pattern that takes the words in capitals and not.
fn any_case(words: &[&str]) -> String {
    let letter = |letter: char| match letter {
        letter if letter.is_ascii_alphabetic() => {
            format!("[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase())
        }
        letter => letter.to_string(),
    };
    let words: Vec<String> = words.iter().map(|word| word.chars().map(letter).collect()).collect();
    format!(r"^\s*({})\s*$", words.join("|"))
}
