//! May a key send, receive, both or neither: `PUB`, `SUB`, `PUB|SUB`, `DENY`.

/// The permission of a key for a topic or a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Permission {
    pub send: bool,
    pub receive: bool,
}

impl Permission {
    /// Reads a word. Every word but the four denies, as in Apache.
    pub(crate) fn lenient(word: Option<&str>) -> Self {
        word.and_then(Self::parse).unwrap_or_default()
    }

    /// Reads one of the words.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let (send, receive) = match word.trim() {
            "PUB" => (true, false),
            "SUB" => (false, true),
            "PUB|SUB" | "SUB|PUB" => (true, true),
            "DENY" => (false, false),
            _ => return None,
        };
        Some(Self { send, receive })
    }
}

/// Splits `name=PUB|SUB`.
pub(crate) fn name_and_word(text: &str) -> Option<(&str, &str)> {
    let (name, word) = text.split_once('=')?;
    let (name, word) = (name.trim(), word.trim());
    (!name.is_empty() && !word.is_empty() && !word.contains('=')).then_some((name, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_words_and_everything_else_denies() {
        let both = Permission { send: true, receive: true };
        assert_eq!((Permission::parse("PUB|SUB"), Permission::parse(" SUB|PUB ")), (Some(both), Some(both)));
        assert_eq!(Permission::parse("DENY"), Some(Permission::default()));
        assert_eq!(Permission::parse("pub"), None);
        assert_eq!(Permission::lenient(Some("ANY")), Permission::default());
        assert_eq!(name_and_word("t = SUB"), Some(("t", "SUB")));
        assert_eq!((name_and_word("t"), name_and_word("=SUB"), name_and_word("t=")), (None, None, None));
    }
}
