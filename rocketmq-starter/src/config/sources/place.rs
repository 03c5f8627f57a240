//! Finds the place that the key of a line stands for.

use crate::config::entry::{Entry, is_ours, normal};
use crate::config::file::{Line, LineValue};
use crate::config::keys::{self, Node};
use crate::config::origin::Origin;
use crate::error::{Mistake, MistakeKind};

/// Tells whether the first segment of a key is a misspelt `rocketmq`.
pub(super) fn is_misnamed(segment: &str) -> bool {
    !is_ours(segment) && keys::distance(segment, "rocketmq") == 1
}

/// Finds the place of a line's key. An empty table counts too: its name may be misspelt.
///
/// # Errors
/// A key that is not known, and a table in place of a value or the reverse.
pub(super) fn placed(line: Line) -> Result<Option<(String, Entry)>, Mistake> {
    let Line { segments, value, origin } = line;
    let written = segments.join(".");
    if !is_ours(&segments[0]) {
        return elsewhere(&segments[0], written, value, origin);
    }
    let place = keys::follow(segments[1..].iter().map(String::as_str)).map_err(|unknown| {
        let message = format!("`{written}` in {origin} is not a known key; {}", unknown.hint);
        Mistake::new(MistakeKind::UnknownKey, message)
    })?;
    let wrong = |text: &str| {
        Err(Mistake::new(MistakeKind::WrongValue, format!("`{written}` in {origin} is {text} belongs there")))
    };
    match (place.node, value) {
        (Node::Table(_) | Node::Named(_), LineValue::EmptyTable) => {
            Ok(Some((place.path, Entry { written, text: String::new(), origin })))
        }
        (Node::Table(_) | Node::Named(_), _) => wrong("one value, and a table"),
        (_, LineValue::Text(text)) => Ok(Some((place.path, Entry { written, text, origin }))),
        (_, LineValue::EmptyTable | LineValue::NoText) => wrong("a table, and one value"),
    }
}

/// Places a key that is not below `rocketmq`: it serves placeholders.
fn elsewhere(
    first: &str,
    written: String,
    value: LineValue,
    origin: Origin,
) -> Result<Option<(String, Entry)>, Mistake> {
    if is_misnamed(first) {
        let message = format!("`{written}` in {origin} is read by nothing: write `rocketmq`, not `{first}`");
        return Err(Mistake::new(MistakeKind::UnknownKey, message));
    }
    let LineValue::Text(text) = value else { return Ok(None) };
    Ok(Some((normal(&written), Entry { written, text, origin })))
}
