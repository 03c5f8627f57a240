//! Splits an expression into words, one at a time. Apache's parser never looks past the longest valid expression, so
//! anything may follow it, even characters that begin no word.

use std::fmt;

use crate::SyntaxError;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Not,
    And,
    Or,
    Between,
    In,
    True,
    False,
    Null,
    Is,
    Contains,
    StartsWith,
    EndsWith,
    Integer(String),
    Float(String),
    Text(String),
    Name(String),
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Open,
    Comma,
    Close,
    Plus,
    Minus,
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Not => "NOT",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Between => "BETWEEN",
            Self::In => "IN",
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Null => "NULL",
            Self::Is => "IS",
            Self::Contains => "CONTAINS",
            Self::StartsWith => "STARTSWITH",
            Self::EndsWith => "ENDSWITH",
            Self::Integer(digits) | Self::Float(digits) => digits,
            Self::Text(text) => return write!(f, "'{}'", text.replace('\'', "''")),
            Self::Name(name) => name,
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Open => "(",
            Self::Comma => ",",
            Self::Close => ")",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::End => "the end",
        };
        f.write_str(text)
    }
}

/// The expression's text and the position of the next word.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Takes the next word. At the end of the text it is always `End`.
    pub fn next(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let Some(first) = rest.bytes().next() else { return Ok(Token::End) };
        let (token, length) = match first {
            b'\'' => text(rest),
            b'0'..=b'9' | b'.' => number(rest),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => Some(word(rest)),
            _ => symbol(rest),
        }
        .ok_or_else(|| self.unreadable())?;
        self.at += length;
        Ok(token)
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
            let skipped = if blanks > 0 { blanks } else { comment(rest) };
            if skipped == 0 {
                return;
            }
            self.at += skipped;
        }
    }

    fn unreadable(&self) -> SyntaxError {
        let found = self.text[self.at..].chars().next().unwrap_or(' ');
        let what = match found {
            '\'' => "this text has no closing quote".to_owned(),
            '"' => "texts stand in single quotes, 'like this'".to_owned(),
            '!' => "write `<>` for \"is not\"".to_owned(),
            '&' => "write AND".to_owned(),
            '|' => "write OR".to_owned(),
            '*' | '/' | '%' => "conditions do not calculate".to_owned(),
            '.' => "a property's name holds letters, digits, `_` and `$` only".to_owned(),
            _ => format!("{found:?} cannot stand here"),
        };
        SyntaxError::new(self.at, what)
    }

    /// Returns the start of the next word.
    pub fn position(&mut self) -> usize {
        self.skip_blanks();
        self.at
    }
}

/// Returns the length of the comment at the start, or 0. A line comment counts only with its line end, as in Apache's
/// grammar.
fn comment(rest: &str) -> usize {
    if let Some(body) = rest.strip_prefix("--") {
        return body.find(['\n', '\r']).map_or(0, |end| end + 3);
    }
    rest.strip_prefix("/*").and_then(|body| body.find("*/")).map_or(0, |end| end + 4)
}

/// Reads a string in single quotes, in which two quotes stand for one. If the text ends after such a pair, the first
/// quote of the pair closes the string.
fn text(rest: &str) -> Option<(Token, usize)> {
    let bytes = rest.as_bytes();
    let (mut at, mut closed) = (1, None);
    while at < bytes.len() {
        if bytes[at] == b'\'' {
            closed = Some(at);
            if bytes.get(at + 1) != Some(&b'\'') {
                break;
            }
            at += 1;
        }
        at += 1;
    }
    let end = closed?;
    Some((Token::Text(rest[1..end].replace("''", "'")), end + 1))
}

/// Reads an integer (`0`, or digits without a leading zero, perhaps with `L`) or a floating point number, whichever is
/// longer.
fn number(rest: &str) -> Option<(Token, usize)> {
    let integer = integer_length(rest);
    let float = float_length(rest);
    match float.max(integer) {
        0 => None,
        length if float > integer => Some((Token::Float(rest[..length].to_owned()), length)),
        length => Some((Token::Integer(rest[..length].to_owned()), length)),
    }
}

fn integer_length(rest: &str) -> usize {
    match rest.as_bytes().first() {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => {
            let digits = digits(rest);
            digits + usize::from(matches!(rest.as_bytes().get(digits), Some(b'l' | b'L')))
        }
        _ => 0,
    }
}

fn float_length(rest: &str) -> usize {
    let whole = digits(rest);
    if rest[whole..].starts_with('.') {
        let fraction = digits(&rest[whole + 1..]);
        if whole + fraction == 0 {
            return 0;
        }
        let mantissa = whole + 1 + fraction;
        return mantissa + exponent_length(&rest[mantissa..]);
    }
    match exponent_length(&rest[whole..]) {
        0 => 0,
        exponent => whole + exponent,
    }
}

fn exponent_length(rest: &str) -> usize {
    if !rest.starts_with(['e', 'E']) {
        return 0;
    }
    let sign = usize::from(rest[1..].starts_with(['+', '-']));
    match digits(&rest[1 + sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn digits(rest: &str) -> usize {
    rest.bytes().take_while(u8::is_ascii_digit).count()
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$')).count();
    let word = &rest[..length];
    let token = match word.to_ascii_uppercase().as_str() {
        "NOT" => Token::Not,
        "AND" => Token::And,
        "OR" => Token::Or,
        "BETWEEN" => Token::Between,
        "IN" => Token::In,
        "TRUE" => Token::True,
        "FALSE" => Token::False,
        "NULL" => Token::Null,
        "IS" => Token::Is,
        "CONTAINS" => Token::Contains,
        "STARTSWITH" => Token::StartsWith,
        "ENDSWITH" => Token::EndsWith,
        _ => Token::Name(word.to_owned()),
    };
    (token, length)
}

fn symbol(rest: &str) -> Option<(Token, usize)> {
    const SYMBOLS: [(&str, Token); 11] = [
        ("<>", Token::NotEqual),
        (">=", Token::GreaterEqual),
        ("<=", Token::LessEqual),
        ("=", Token::Equal),
        (">", Token::Greater),
        ("<", Token::Less),
        ("(", Token::Open),
        (",", Token::Comma),
        (")", Token::Close),
        ("+", Token::Plus),
        ("-", Token::Minus),
    ];
    SYMBOLS.into_iter().find(|(text, _)| rest.starts_with(text)).map(|(text, token)| (token, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        let mut words = Vec::new();
        while let Ok(token) = lexer.next() {
            if token == Token::End {
                break;
            }
            words.push(token);
        }
        words
    }

    #[test]
    fn numbers_are_cut_as_javacc_cuts_them() {
        let float = |s: &str| Token::Float(s.into());
        let integer = |s: &str| Token::Integer(s.into());
        assert_eq!(
            words("5. .5 5E10 05"),
            [float("5."), float(".5"), float("5E10"), integer("0"), integer("5")]
        );
        assert_eq!(words("5L 0L"), [integer("5L"), integer("0"), Token::Name("L".into())]);
        assert_eq!(words("5e"), [integer("5"), Token::Name("e".into())]);
        assert_eq!(words("05.5e-3x"), [float("05.5e-3"), Token::Name("x".into())]);
    }

    #[test]
    fn a_pair_of_quotes_at_the_end_closes_the_string() {
        assert_eq!(words("'it''s'"), [Token::Text("it's".into())]);
        assert_eq!(words("'it''"), [Token::Text("it".into())]);
        assert_eq!(words("'it"), []);
        assert_eq!(words("''"), [Token::Text(String::new())]);
    }

    #[test]
    fn a_line_comment_needs_its_line_end() {
        assert_eq!(words("-- c\nNULL"), [Token::Null]);
        assert_eq!(words("-- c").first(), Some(&Token::Minus));
        assert_eq!(words("/* a * b **/ NULL /* c"), [Token::Null]);
    }
}
