//! Parses text into a tree of values.

use std::borrow::Cow;

use super::MAX_DEPTH;
use crate::error::DecodeError;

/// One value. A map's keys are values too: fastjson writes numbers and whole objects there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Node<'a>, Node<'a>)>),
}

/// Most values that references may copy: a small body must not grow into a large tree.
const MAX_COPIED: usize = 100_000;

/// Parses one value and resolves its references.
pub(super) fn parse(text: &str) -> Result<Node<'_>, DecodeError> {
    let mut parser = Parser { text, at: 0, depth: 0, references: false };
    let root = parser.value()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.expected("the end of the body"));
    }
    if parser.references { resolve(root) } else { Ok(root) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    references: bool,
}

impl<'a> Parser<'a> {
    fn expected(&self, what: &str) -> DecodeError {
        DecodeError::new(format!("JSON, byte {}", self.at), what.to_owned())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Takes the next byte if it is `byte`, after white space.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Node<'a>, DecodeError> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(quote @ (b'"' | b'\'')) => self.string(quote).map(Node::Text),
            Some(_) => self.word(),
            None => Err(self.expected("a value; the body ends")),
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Node<'a>, DecodeError>,
    ) -> Result<Node<'a>, DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected(&format!("values nested at most {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        self.at += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn list(&mut self) -> Result<Node<'a>, DecodeError> {
        let mut items = Vec::new();
        while !self.eat(b']') {
            items.push(self.value()?);
            self.separator(b']')?;
        }
        Ok(Node::List(items))
    }

    fn map(&mut self) -> Result<Node<'a>, DecodeError> {
        let mut entries = Vec::new();
        while !self.eat(b'}') {
            let key = self.value()?;
            if !self.eat(b':') {
                return Err(self.expected("':' after a key"));
            }
            self.references |= matches!(&key, Node::Text(name) if name == "$ref");
            entries.push((key, self.value()?));
            self.separator(b'}')?;
        }
        Ok(Node::Map(entries))
    }

    /// Takes a comma, or stops before the closing bracket, which the caller's loop takes.
    fn separator(&mut self, close: u8) -> Result<(), DecodeError> {
        if self.eat(b',') || self.peek() == Some(close) {
            return Ok(());
        }
        Err(self.expected(&format!("',' or '{}'", char::from(close))))
    }

    fn string(&mut self, quote: u8) -> Result<Cow<'a, str>, DecodeError> {
        self.at += 1;
        let rest = &self.text[self.at..];
        let plain = rest.bytes().position(|byte| byte == quote || byte == b'\\');
        let plain = plain.ok_or_else(|| self.expected("a closing quote"))?;
        self.at += plain;
        let head = &rest[..plain];
        if self.peek() == Some(quote) {
            self.at += 1;
            return Ok(Cow::Borrowed(head));
        }
        self.escaped(head.to_owned(), quote).map(Cow::Owned)
    }

    fn escaped(&mut self, mut text: String, quote: u8) -> Result<String, DecodeError> {
        while let Some(next) = self.text[self.at..].chars().next() {
            self.at += next.len_utf8();
            match next {
                '\\' => text.push(self.escape()?),
                next if next == char::from(quote) => return Ok(text),
                next => text.push(next),
            }
        }
        Err(self.expected("a closing quote"))
    }

    fn escape(&mut self) -> Result<char, DecodeError> {
        let next =
            self.text[self.at..].chars().next().ok_or_else(|| self.expected("an escaped character"))?;
        self.at += next.len_utf8();
        Ok(match next {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '0' => '\0',
            'x' => char::from_u32(self.hex(2)?).unwrap_or(char::REPLACEMENT_CHARACTER),
            'u' => self.utf16()?,
            other => other,
        })
    }

    /// Reads four hexadecimal digits. A character beyond 16 bits comes as two escapes; half of such a pair reads as
    /// U+FFFD.
    fn utf16(&mut self) -> Result<char, DecodeError> {
        let first = self.hex(4)?;
        if !(0xD800..0xDC00).contains(&first) || !self.text[self.at..].starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        self.at += 2;
        let second = self.hex(4)?;
        if !(0xDC00..0xE000).contains(&second) {
            self.at = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let joined = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self, digits: usize) -> Result<u32, DecodeError> {
        let text =
            self.text.get(self.at..self.at + digits).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = text.and_then(|text| u32::from_str_radix(text, 16).ok());
        let value = value.ok_or_else(|| self.expected(&format!("{digits} hexadecimal digits")))?;
        self.at += digits;
        Ok(value)
    }

    /// Reads a number, a constant, or a bare key.
    fn word(&mut self) -> Result<Node<'a>, DecodeError> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "+-._$".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() {
            return Err(self.expected("a value"));
        }
        self.at += end;
        Ok(match word {
            "null" | "undefined" | "NaN" => Node::Null,
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ => number(word).unwrap_or(Node::Text(Cow::Borrowed(word))),
        })
    }
}

fn number(word: &str) -> Option<Node<'static>> {
    if !word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
        return None;
    }
    match word.parse() {
        Ok(int) => Some(Node::Int(int)),
        Err(_) => word.parse().ok().filter(|float: &f64| float.is_finite()).map(Node::Float),
    }
}

/// Replaces each reference (`{"$ref":"$.a[0]"}`) with a copy of its target. Leaves references inside a copy alone: Java
/// always refers to the first occurrence, and that one contains no reference to itself.
fn resolve(mut root: Node<'_>) -> Result<Node<'_>, DecodeError> {
    let original = root.clone();
    let mut budget = MAX_COPIED;
    replace(&mut root, &original, &mut budget)?;
    Ok(root)
}

fn replace<'a>(node: &mut Node<'a>, root: &Node<'a>, budget: &mut usize) -> Result<(), DecodeError> {
    if let Some(path) = reference(node) {
        let target = find(root, path).cloned().unwrap_or(Node::Null);
        let size = size(&target);
        *budget = budget.checked_sub(size).ok_or_else(|| {
            DecodeError::new("JSON", format!("references that copy at most {MAX_COPIED} values"))
        })?;
        *node = target;
        return Ok(());
    }
    match node {
        Node::List(items) => items.iter_mut().try_for_each(|item| replace(item, root, budget)),
        Node::Map(entries) => entries.iter_mut().try_for_each(|(_, value)| replace(value, root, budget)),
        _ => Ok(()),
    }
}

fn reference<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match node {
        Node::Map(entries) => match entries.as_slice() {
            [(Node::Text(key), Node::Text(path))] if key == "$ref" => Some(path),
            _ => None,
        },
        _ => None,
    }
}

/// Follows a path such as `$`, `$[0]` or `$.a.b[1]`. A backslash takes the meaning from the next character.
fn find<'n, 'a>(root: &'n Node<'a>, path: &str) -> Option<&'n Node<'a>> {
    let mut rest = path.strip_prefix('$')?;
    let mut node = root;
    while let Some(first) = rest.chars().next() {
        let (step, after) = match first {
            '[' => rest[1..].split_once(']').map(|(step, after)| (step.to_owned(), after))?,
            '.' => name(&rest[1..]),
            _ => return None,
        };
        node = child(node, &step)?;
        rest = after;
    }
    Some(node)
}

fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return (name, &text[at..]),
            other => name.push(other),
        }
    }
    (name, "")
}

fn child<'n, 'a>(node: &'n Node<'a>, step: &str) -> Option<&'n Node<'a>> {
    match node {
        Node::List(items) => items.get(step.parse::<usize>().ok()?),
        Node::Map(entries) => entries.iter().find(|(key, _)| is_named(key, step)).map(|(_, value)| value),
        _ => None,
    }
}

fn is_named(key: &Node<'_>, step: &str) -> bool {
    match key {
        Node::Text(text) => text == step,
        Node::Int(number) => step.parse() == Ok(*number),
        _ => false,
    }
}

fn size(node: &Node<'_>) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Map(entries) => 1 + entries.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>(),
        _ => 1,
    }
}
