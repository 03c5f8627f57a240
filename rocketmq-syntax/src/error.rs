//! The fault of a text and its place.

use std::fmt;

/// Reports a text that was refused: the place and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    at: usize,
    what: String,
}

impl SyntaxError {
    pub(crate) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// Returns the position of the fault, in bytes. It is the length of the text if something is missing at its end.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the reason without the place.
    pub fn reason(&self) -> &str {
        &self.what
    }

    /// Draws two lines: the wrong line of `text`, and below it a caret with the reason.
    pub fn drawn(&self, text: &str) -> String {
        let at = floor(text, self.at);
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let column = text[start..at].chars().count();
        format!("{}\n{:column$}^ {}", &text[start..end], "", self.what)
    }
}

/// Returns the start of the character at byte `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.what, self.at)
    }
}

impl std::error::Error for SyntaxError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_place() {
        let drawn = |text: &str, at| SyntaxError::new(at, "no").drawn(text);
        assert_eq!(drawn("a >", 3), "a >\n   ^ no");
        assert_eq!(drawn("ä > b", 5), "ä > b\n    ^ no");
        assert_eq!(drawn("a\nb > c\nd", 6), "b > c\n    ^ no");
        assert_eq!(drawn("", 0), "\n^ no");
        assert_eq!(drawn("ä", 1), "ä\n^ no", "in the middle of a character");
        assert_eq!(drawn("a", 9), "a\n ^ no", "beyond the end");
    }
}
