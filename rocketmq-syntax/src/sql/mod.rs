//! SQL92 expressions over message properties. They parse and evaluate exactly as in Apache RocketMQ 5.4.0, surprises
//! included:
//!
//! - The longest valid beginning of the text counts, and the rest is ignored: `a > 4 b` means `a > 4`.
//! - Two absent properties are equal.
//! - `a > 5` does not match `a = "5.5"`.
//! - `NOT a > 9` is refused, because NOT binds to `a`.
//!
//! `tests/interop_filter.rs` compares both implementations.
//!
//! ```
//! use rocketmq_syntax::sql::Sql;
//!
//! let sql: Sql = "amount BETWEEN 5 AND 7 AND region IN ('east', 'west')".parse()?;
//! let property = |name: &str| match name { "amount" => Some("6"), "region" => Some("east"), _ => None };
//! assert!(sql.matches(&property));
//! # Ok::<(), rocketmq_syntax::SyntaxError>(())
//! ```

mod expression;
mod number;
mod parser;
mod token;
mod value;

use std::str::FromStr;

use crate::SyntaxError;
use expression::Expression;
use value::Value;

/// A compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    root: Expression,
}

/// The result of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message matches.
    True,
    /// The message does not match.
    False,
    /// Unknown, because a property is absent. The message does not match.
    Unknown,
    /// A property is not the number that it is compared with; Java throws here. The message does not match.
    Failed,
}

impl Sql {
    /// Returns true if a message with these properties matches. Only [`Verdict::True`] is a match.
    pub fn matches<'a>(&self, property: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.verdict(property) == Verdict::True
    }

    /// Evaluates the expression for a message with these properties.
    pub fn verdict<'a>(&self, property: &dyn Fn(&str) -> Option<&'a str>) -> Verdict {
        match self.root.evaluate(property) {
            Ok(Value::Bool(true)) => Verdict::True,
            Ok(Value::Null) => Verdict::Unknown,
            Ok(_) => Verdict::False,
            Err(_) => Verdict::Failed,
        }
    }
}

impl FromStr for Sql {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parser::parse(text).map(|parsed| Self { root: parsed.root })
    }
}

/// Checks a condition. Also refuses text behind it, which brokers ignore.
///
/// # Errors
/// Fails at the first wrong place.
pub fn check(text: &str) -> Result<(), SyntaxError> {
    match parser::parse(text)?.ignored {
        None => Ok(()),
        Some(ignored) => Err(ignored),
    }
}

#[cfg(test)]
mod tests;
