//! Tag expressions: tags joined by `||`, or `*` for every message.

use crate::SyntaxError;

/// Expression that matches every message.
pub const ALL: &str = "*";

/// Splits an expression into tags like brokers and Java's client: spaces around a tag and bars without a tag between them
/// do not count. Returns no tag for `*` and for an empty expression.
///
/// # Errors
/// Fails for bars without any tag, which Java refuses too.
pub fn split(expression: &str) -> Result<Vec<&str>, SyntaxError> {
    if expression.is_empty() || expression == ALL {
        return Ok(Vec::new());
    }
    // Java's split drops empty parts at the end, so bars alone yield no part at all.
    if expression.split("||").all(str::is_empty) {
        return Err(SyntaxError::new(0, "there is no tag among the bars"));
    }
    Ok(expression.split("||").map(java_trim).filter(|tag| !tag.is_empty()).collect())
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
        assert!(split("*").unwrap().is_empty() && split("").unwrap().is_empty());
        assert!(split("|| ||").unwrap().is_empty());
        assert!(split("||").is_err());
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
