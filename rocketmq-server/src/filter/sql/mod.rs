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
//! use rocketmq_server::filter::sql::Sql;
//!
//! let sql: Sql = "amount BETWEEN 5 AND 7 AND region IN ('east', 'west')".parse()?;
//! let property = |name: &str| match name { "amount" => Some("6"), "region" => Some("east"), _ => None };
//! assert!(sql.matches(&property));
//! # Ok::<(), rocketmq_server::filter::sql::SqlError>(())
//! ```

mod expression;
mod number;
mod parser;
mod token;
mod value;

use std::fmt;
use std::str::FromStr;

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
    type Err = SqlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parser::parse(text).map(|root| Self { root })
    }
}

/// Reports an expression that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    at: usize,
    what: String,
}

impl SqlError {
    fn new(at: usize, what: String) -> Self {
        Self { at, what }
    }

    /// Returns the position in the text near the fault, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (near byte {} of the expression)", self.what, self.at)
    }
}

impl std::error::Error for SqlError {}

#[cfg(test)]
mod tests;
