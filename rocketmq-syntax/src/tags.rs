//! Tag expressions: tags joined by `||`, or `*` for every message.

use crate::SyntaxError;

/// Expression that matches every message.
pub const ALL: &str = "*";

/// Splits an expression into tags like brokers and Java's client: spaces around a tag and bars without a tag between them
/// do not count. Returns no tag for an expression that selects every message: an empty one, and one with `*`.
///
/// Java takes `*` among tags, or with a space beside it, for a tag of that name, which no message has.
///
/// # Errors
/// Fails for bars without any tag.
pub fn split(expression: &str) -> Result<Vec<&str>, SyntaxError> {
    let tags: Vec<&str> = expression.split("||").map(java_trim).filter(|tag| !tag.is_empty()).collect();
    if java_trim(expression).is_empty() || tags.contains(&ALL) {
        return Ok(Vec::new());
    }
    if tags.is_empty() {
        return Err(SyntaxError::new(0, "there is no tag among the bars"));
    }
    Ok(tags)
}

/// Checks an expression. Also refuses expressions that [`split`] reads in another way than people mean them: with a tag
/// missing, or with tags joined by something else than `||`.
///
/// # Errors
/// Fails at the first wrong place.
pub fn check(expression: &str) -> Result<(), SyntaxError> {
    if expression.trim() == ALL {
        return Ok(());
    }
    let mut start = 0;
    for part in expression.split("||") {
        check_tag(part).map_err(|error| SyntaxError::new(start + error.at(), error.reason()))?;
        start += part.len() + 2;
    }
    Ok(())
}

fn check_tag(part: &str) -> Result<(), SyntaxError> {
    let tag = part.trim();
    let start = part.find(tag).unwrap_or(0);
    if tag.is_empty() {
        return Err(SyntaxError::new(part.len(), "a tag is missing here; write tags as \"created || paid\""));
    }
    if tag == ALL {
        return Err(SyntaxError::new(start, "`*` is every message and stands alone; write it or tags"));
    }
    match tag.char_indices().find(|(_, c)| c.is_whitespace() || matches!(c, '|' | '&' | ',')) {
        Some((at, c)) => {
            let what = format!("{c:?} cannot be part of the tag `{tag}`; tags are joined by `||`");
            Err(SyntaxError::new(start + at, what))
        }
        None => Ok(()),
    }
}

/// Trims like Java's `String.trim`: every character up to the space, and no other white space.
fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_split_as_java_splits_them() {
        assert_eq!(split(" TagA || TagB|||| \t||").unwrap(), ["TagA", "TagB"]);
        assert_eq!(split("a|||b").unwrap(), ["a", "|b"]);
        assert!(split("||").is_err() && split("|| ||").is_err());
    }

    #[test]
    fn a_star_anywhere_and_an_empty_expression_select_everything() {
        for expression in ["", " ", "*", "* ", "\t*", "* || a", "a||*", "*||*", "* ||"] {
            assert_eq!(split(expression), Ok(Vec::new()), "{expression:?}");
        }
        assert_eq!(split("**"), Ok(vec!["**"]));
    }

    #[test]
    fn what_is_read_otherwise_than_meant_is_refused_with_its_place() {
        for right in ["*", " * ", "a", "a || b||c"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for (wrong, at) in [
            ("", 0),
            (" ", 1),
            ("a ||", 4),
            ("|| a", 0),
            ("a |||| b", 4),
            ("a | b", 1),
            ("a b", 1),
            ("x || a && b", 6),
            ("a, b", 1),
            ("* || a", 0),
            ("a || *", 5),
        ] {
            assert_eq!(check(wrong).map_err(|error| error.at()), Err(at), "{wrong}");
        }
    }
}
