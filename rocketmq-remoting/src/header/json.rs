//! The JSON header, read and written by hand: every message carries one, and Java's dialect of JSON is loose.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use crate::code::{LanguageCode, RequestCode};
use crate::command::Command;
use crate::error::DecodeError;
use crate::ext::ExtFields;

const AT: &str = "JSON header";

/// Deepest nesting inside a skipped value; a header with a deeper one is malformed.
const MAX_DEPTH: usize = 64;

/// Most fields in a header; one with more is malformed. This bounds the memory a peer can make us use.
pub(super) const MAX_FIELDS: usize = 4096;

pub(super) fn decode(header: &[u8]) -> Result<Command, DecodeError> {
    let text = std::str::from_utf8(header).map_err(|error| DecodeError::Malformed {
        at: AT,
        offset: error.valid_up_to(),
        expected: "UTF-8",
    })?;
    let mut scanner = Scanner { text, at: 0 };
    let mut command = Command::request(RequestCode(0));
    command.version = 0;
    command.language = LanguageCode::OTHER;
    scanner.members(|scanner| {
        let key = scanner.string()?;
        scanner.colon()?;
        read_member(&key, scanner, &mut command)
    })?;
    scanner.end()?;
    Ok(command)
}

fn read_member(key: &str, scanner: &mut Scanner<'_>, command: &mut Command) -> Result<(), DecodeError> {
    match key {
        "code" => command.code = scanner.integer()?,
        "opaque" => command.opaque = scanner.integer()?,
        "flag" => command.flag = scanner.integer()?,
        "version" => command.version = scanner.integer()?,
        "language" => {
            let quoted = scanner.peek() == Some(b'"');
            let name = if quoted { scanner.string()? } else { Cow::Borrowed(scanner.skipped()?) };
            command.language = LanguageCode::from_name(&name).unwrap_or(LanguageCode::OTHER);
        }
        "remark" => {
            let mut remark = String::new();
            command.remark = scanner.scalar_into(&mut remark)?.then_some(remark);
        }
        "extFields" => read_fields(scanner, &mut command.ext)?,
        _ => scanner.skip_value()?,
    }
    Ok(())
}

fn read_fields(scanner: &mut Scanner<'_>, ext: &mut ExtFields) -> Result<(), DecodeError> {
    if scanner.null() {
        return Ok(());
    }
    *ext = ExtFields::with_capacity(16, scanner.rest().len().min(4096));
    scanner.members(|scanner| {
        scanner.string_into(ext.text_mut())?;
        let key_end = ext.end_key();
        scanner.colon()?;
        if ext.len() == MAX_FIELDS {
            return Err(scanner.expected("fewer fields"));
        }
        if scanner.scalar_into(ext.text_mut())? {
            ext.end_value(key_end);
        } else {
            ext.abandon_key();
        }
        Ok(())
    })
}

/// A position in the header's text. It stops only at ASCII characters, so the text can be cut there.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> DecodeError {
        DecodeError::Malformed { at: AT, offset: self.at, expected }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips blanks and returns the next byte without taking it.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.byte()
    }

    fn accept(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn colon(&mut self) -> Result<(), DecodeError> {
        if self.accept(b':') { Ok(()) } else { Err(self.expected("`:`")) }
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the header")),
        }
    }

    fn null(&mut self) -> bool {
        let found = self.peek() == Some(b'n') && self.rest().starts_with("null");
        self.at += if found { 4 } else { 0 };
        found
    }

    /// Reads an object. Calls `member` at each key; it must take key, colon and value.
    fn members(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.accept(b'{') {
            return Err(self.expected("an object"));
        }
        if self.accept(b'}') {
            return Ok(());
        }
        loop {
            member(self)?;
            if self.accept(b'}') {
                return Ok(());
            }
            if !self.accept(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    /// Reads a string. Copies its text only if it has escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        if self.peek() == Some(b'"') {
            let rest = &self.text[self.at + 1..];
            if let Some(stop) = quote_or_escape(rest.as_bytes())
                && rest.as_bytes()[stop] == b'"'
            {
                self.at += stop + 2;
                return Ok(Cow::Borrowed(&rest[..stop]));
            }
        }
        let mut text = String::new();
        self.string_into(&mut text)?;
        Ok(Cow::Owned(text))
    }

    /// Reads a string and appends its text to `out`.
    fn string_into(&mut self, out: &mut String) -> Result<(), DecodeError> {
        if !self.accept(b'"') {
            return Err(self.expected("a string"));
        }
        loop {
            let rest = self.rest();
            let stop =
                quote_or_escape(rest.as_bytes()).ok_or_else(|| self.expected("the end of a string"))?;
            out.push_str(&rest[..stop]);
            self.at += stop + 1;
            if rest.as_bytes()[stop] == b'"' {
                return Ok(());
            }
            out.push(self.escape()?);
        }
    }

    /// Reads an escape after its backslash.
    fn escape(&mut self) -> Result<char, DecodeError> {
        let plain = match self.byte() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(same @ (b'"' | b'\\' | b'/' | b'\'')) => char::from(same),
            _ => return Err(self.expected("an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Reads four hexadecimal digits, or two such escapes for a character beyond 16 bits. Half of a pair reads as
    /// U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, DecodeError> {
        let first = self.four_digits()?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, DecodeError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
        });
        let value = value.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(value)
    }

    /// Reads a string, number or boolean and appends it to `out` as text; returns false for null. Takes an object or
    /// array as its source text.
    fn scalar_into(&mut self, out: &mut String) -> Result<bool, DecodeError> {
        if self.peek() == Some(b'"') {
            return self.string_into(out).map(|()| true);
        }
        if self.null() {
            return Ok(false);
        }
        out.push_str(self.skipped()?);
        Ok(true)
    }

    /// Skips any value and returns its source text.
    fn skipped(&mut self) -> Result<&'a str, DecodeError> {
        self.peek();
        let start = self.at;
        self.skip_value()?;
        Ok(&self.text[start..self.at])
    }

    /// Reads a number, bare or in quotes. Null is 0, as in Java.
    fn integer(&mut self) -> Result<i32, DecodeError> {
        if self.null() {
            return Ok(0);
        }
        let quoted = self.accept(b'"');
        let start = self.at;
        self.skip_word();
        let value = self.text[start..self.at].parse().map_err(|_| self.expected("a 32-bit number"))?;
        if quoted && !self.accept(b'"') {
            return Err(self.expected("the end of a number"));
        }
        Ok(value)
    }

    /// Skips any value. Counts nesting instead of recursing, so that brackets cannot use up the stack.
    fn skip_value(&mut self) -> Result<(), DecodeError> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                }
                Some(b'}' | b']' | b',' | b':') if depth > 0 => {
                    depth -= usize::from(matches!(self.byte(), Some(b'}' | b']')));
                    self.at += 1;
                }
                Some(b'-' | b'+' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') => self.skip_word(),
                _ => return Err(self.expected("a value")),
            }
            if depth == 0 {
                return Ok(());
            }
            if depth > MAX_DEPTH {
                return Err(self.expected("less nesting"));
            }
        }
    }

    fn skip_word(&mut self) {
        let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
        self.at += self.rest().bytes().take_while(word).count();
    }
}

/// Returns the position of the next quote or backslash. Looks at the first bytes one by one: most strings in a header
/// are too short to repay the start of a vectorized search.
fn quote_or_escape(text: &[u8]) -> Option<usize> {
    const SHORT: usize = 16;
    let near = text.iter().take(SHORT).position(|byte| matches!(byte, b'"' | b'\\'));
    near.or_else(|| Some(SHORT + memchr::memchr2(b'"', b'\\', text.get(SHORT..)?)?))
}

/// Writes the members in Java's order: by name.
pub(super) fn encode(command: &Command, out: &mut BytesMut) {
    out.reserve(128 + command.ext.text_len() + 6 * command.ext.len());
    out.put_slice(b"{\"code\":");
    put_int(command.code, out);
    if !command.ext.is_empty() {
        out.put_slice(b",\"extFields\":{");
        for (at, (key, value)) in command.ext.iter().enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            put_string(key, out);
            out.put_u8(b':');
            put_string(value, out);
        }
        out.put_u8(b'}');
    }
    out.put_slice(b",\"flag\":");
    put_int(command.flag, out);
    out.put_slice(b",\"language\":");
    put_string(command.language.name().unwrap_or("OTHER"), out);
    out.put_slice(b",\"opaque\":");
    put_int(command.opaque, out);
    if let Some(remark) = &command.remark {
        out.put_slice(b",\"remark\":");
        put_string(remark, out);
    }
    out.put_slice(b",\"serializeTypeCurrentRPC\":\"JSON\"");
    out.put_slice(b",\"version\":");
    put_int(command.version, out);
    out.put_u8(b'}');
}

fn put_int(value: i32, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn put_string(text: &str, out: &mut BytesMut) {
    out.put_u8(b'"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.put_slice(&text.as_bytes()[start..at]);
        put_escape(byte, out);
        start = at + 1;
    }
    out.put_slice(&text.as_bytes()[start..]);
    out.put_u8(b'"');
}

fn put_escape(byte: u8, out: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.put_slice(b"\\\""),
        b'\\' => out.put_slice(b"\\\\"),
        b'\n' => out.put_slice(b"\\n"),
        b'\r' => out.put_slice(b"\\r"),
        b'\t' => out.put_slice(b"\\t"),
        0x08 => out.put_slice(b"\\b"),
        0x0c => out.put_slice(b"\\f"),
        other => {
            out.put_slice(b"\\u00");
            out.put_u8(HEX[usize::from(other >> 4)]);
            out.put_u8(HEX[usize::from(other & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"code":105,"extFields":{"topic":"T1"},"flag":0,"language":"RUST","opaque":7,"serializeTypeCurrentRPC":"JSON","version":407}"#;

    fn read(text: &str) -> Command {
        decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_example_decodes_and_encodes_to_the_same_text() {
        let command = read(EXAMPLE);
        assert_eq!(command.request_code(), RequestCode::GET_ROUTEINFO_BY_TOPIC);
        assert_eq!((command.language, command.version, command.opaque), (LanguageCode::RUST, 407, 7));
        let mut out = BytesMut::new();
        encode(&command, &mut out);
        assert_eq!(out, EXAMPLE);
    }

    #[test]
    fn loose_json_of_java_peers_is_read() {
        let command = read(
            r#" { "code" : "10" , "language":"KLINGON", "extFields":{"a":1,"b":true,"c":null,"d":"x","e":-2.5,"f":{"g":[1]}},
                "remark":null, "opaque": -3, "unknown":{"nested":[{},"]"]} } "#,
        );
        assert_eq!((command.code, command.opaque, command.version), (10, -3, 0));
        assert_eq!(command.language, LanguageCode::OTHER);
        assert_eq!(command.remark, None);
        let fields: Vec<_> = command.ext.iter().collect();
        assert_eq!(fields, [("a", "1"), ("b", "true"), ("d", "x"), ("e", "-2.5"), ("f", r#"{"g":[1]}"#)]);
        assert!(read(r#"{"code":1,"extFields":null}"#).ext.is_empty());
        assert_eq!(read("{}").code, 0);
    }

    #[test]
    fn escapes_go_both_ways() {
        let command = read(r#"{"remark":"\u0001k\u0002 \"\\\/\b\f\n\r\t \ud83d\ude00 \ud83d 标签"}"#);
        let remark = "\u{1}k\u{2} \"\\/\u{8}\u{c}\n\r\t 😀 \u{fffd} 标签";
        assert_eq!(command.remark.as_deref(), Some(remark));
        let mut out = BytesMut::new();
        encode(&command, &mut out);
        assert_eq!(decode(&out).unwrap(), command);
    }

    #[test]
    fn broken_headers_say_where() {
        for text in [
            "",
            "[]",
            "{",
            "{\"code\"}",
            "{\"code\":}",
            "{\"code\":1,}",
            "{\"code\":1}x",
            "{\"code\":\"ten\"}",
            "{\"remark\":\"\\u12\"}",
            "{\"remark\":\"open",
        ] {
            assert!(matches!(decode(text.as_bytes()), Err(DecodeError::Malformed { .. })), "{text}");
        }
        let nested = format!("{{\"x\":{}}}", "[".repeat(100_000));
        assert!(decode(nested.as_bytes()).is_err());
        assert!(decode(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn every_cut_of_the_example_is_an_error_and_no_panic() {
        for end in 0..EXAMPLE.len() {
            assert!(decode(&EXAMPLE.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
