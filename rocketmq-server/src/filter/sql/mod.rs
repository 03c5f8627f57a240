//! SQL92 expressions over message properties, exactly as Apache RocketMQ 5.4.0 parses and evaluates them.
//!
//! That includes what surprises: the longest valid beginning of the text counts and the rest is ignored (`a > 4 b` is
//! `a > 4`), two absent properties are equal, `a > 5` does not match `a = "5.5"`, and `NOT a > 9` is refused because NOT
//! binds to `a`. Expressions are checked against Apache's own classes by `tests/interop_filter.rs`.
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

/// What came out of an evaluation, in SQL's three values; `Failed` where Java throws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message matches.
    True,
    /// It does not.
    False,
    /// Unknown, for want of a property: it does not match.
    Unknown,
    /// A property could not be read as the number it is compared with: it does not match.
    Failed,
}

impl Sql {
    /// Whether a message with these properties matches. Only a verdict of `True` does.
    pub fn matches<'a>(&self, property: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.verdict(property) == Verdict::True
    }

    /// The verdict on a message with these properties.
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

/// An expression was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    at: usize,
    what: String,
}

impl SqlError {
    fn new(at: usize, what: String) -> Self {
        Self { at, what }
    }

    /// The byte of the text near which it happened.
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
