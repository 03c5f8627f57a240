//! The bytes of a configuration file as text, and back.

use std::fs;
use std::path::Path;

use super::error::ConfigError;

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// The text of a file. Editors put a mark in front of it, or write comments in an encoding of their own; neither is lost
/// when the file is written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileText {
    pub(super) text: String,
    marked: bool,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// Some other that keeps ASCII as it is, such as GBK: one character stands for each byte, as Java reads properties.
    Bytes,
}

impl FileText {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes =
            fs::read(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::decode(&bytes).map_err(|what| ConfigError::NotText { path: path.to_owned(), what: what.into() })
    }

    fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
            return Err("it is UTF-16");
        }
        if bytes.contains(&0) {
            return Err("it holds zero bytes, as no text does");
        }
        let (marked, bytes) = match bytes.strip_prefix(UTF8_BOM) {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), marked, encoding: Encoding::Utf8 },
            Err(_) => {
                let text = bytes.iter().map(|&byte| char::from(byte)).collect();
                Self { text, marked, encoding: Encoding::Bytes }
            }
        })
    }

    /// Returns true if these bytes may stand for different characters.
    pub(super) fn is_unclear(&self, part: &str) -> bool {
        self.encoding == Encoding::Bytes && !part.is_ascii()
    }

    /// The bytes of a changed text of the same file.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        let mark = if self.marked { UTF8_BOM } else { &[] };
        let text: Vec<u8> = match self.encoding {
            Encoding::Utf8 => text.into(),
            Encoding::Bytes => text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        };
        [mark, &text].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_in_front_is_taken_off_and_put_back() {
        let file = FileText::decode(b"\xEF\xBB\xBFa=\xC3\xA9\n").unwrap();
        assert_eq!(file.text, "a=é\n");
        assert_eq!(file.encode("b=1\n"), b"\xEF\xBB\xBFb=1\n");
        assert_eq!(FileText::decode(b"\xEF\xBB\xBF").unwrap().text, "");
        assert_eq!(FileText::decode(b"").unwrap().encode(""), b"");
    }

    #[test]
    fn bytes_of_another_encoding_survive() {
        let gbk = b"# \xD6\xD0\xCE\xC4\nlistenPort=1\n";
        let file = FileText::decode(gbk).unwrap();
        assert_eq!(file.encode(&file.text), gbk);
        assert!(file.is_unclear(file.text.lines().next().unwrap()));
        assert!(!file.is_unclear(file.text.lines().nth(1).unwrap()));
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(FileText::decode(b"\xFF\xFEa\0"), Err("it is UTF-16"));
        assert!(FileText::decode(b"a=1\n\0").is_err());
    }
}
