//! The tree of an expression, and its evaluation to true, false or unknown.

use std::cmp::Ordering;

use super::value::{Undecidable, Value, compare, compare_magnitude};

/// The part of a string that a LIKE compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Contains,
    StartsWith,
    EndsWith,
}

/// The four comparisons of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magnitude {
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

impl Magnitude {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
        }
    }
}

/// A node of the tree. The parser has checked the types of its children.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Constant(Value),
    Property(String),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    /// A property in place of a condition. It is true only for a boolean, and no property is one.
    Cast(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Equal(Box<Expression>, Box<Expression>),
    Compare(Magnitude, Box<Expression>, Box<Expression>),
    In {
        name: String,
        values: Vec<String>,
        not: bool,
    },
    Like {
        part: Part,
        value: Box<Expression>,
        search: String,
        not: bool,
    },
}

impl Expression {
    /// Returns true if the node yields a condition.
    pub fn is_condition(&self) -> bool {
        match self {
            Self::Constant(value) => matches!(value, Value::Bool(_) | Value::Null),
            Self::Property(_) | Self::Negate(_) => false,
            _ => true,
        }
    }

    pub fn evaluate<'a>(&self, property: &dyn Fn(&str) -> Option<&'a str>) -> Result<Value, Undecidable> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Property(name) => {
                Ok(property(name).map_or(Value::Null, |text| Value::Text(text.to_owned())))
            }
            Self::Negate(inner) => Ok(negate(inner.evaluate(property)?)),
            Self::Not(inner) => Ok(truth(inner.truth(property)?.map(|value| !value))),
            Self::Cast(inner) => Ok(match inner.evaluate(property)? {
                Value::Null => Value::Null,
                value => Value::Bool(value == Value::Bool(true)),
            }),
            Self::And(all) => decide(all, false, property),
            Self::Or(all) => decide(all, true, property),
            Self::Equal(left, right) => equal(&left.evaluate(property)?, &right.evaluate(property)?),
            Self::Compare(magnitude, left, right) => {
                let left = left.evaluate(property)?;
                if left.is_null() {
                    return Ok(Value::Null);
                }
                let right = right.evaluate(property)?;
                if right.is_null() {
                    return Ok(Value::Null);
                }
                Ok(Value::Bool(magnitude.holds(compare_magnitude(&left, &right)?)))
            }
            Self::In { name, values, not } => Ok(match property(name) {
                None => Value::Null,
                Some(text) => Value::Bool(values.iter().any(|value| value == text) != *not),
            }),
            Self::Like { part, value, search, not } => {
                Ok(Value::Bool(like(*part, &value.evaluate(property)?, search, *not)))
            }
        }
    }

    /// Returns the value of the node's condition; `None` means unknown.
    fn truth<'a>(&self, property: &dyn Fn(&str) -> Option<&'a str>) -> Result<Option<bool>, Undecidable> {
        match self.evaluate(property)? {
            Value::Bool(value) => Ok(Some(value)),
            Value::Null => Ok(None),
            _ => Err(Undecidable),
        }
    }
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

/// Evaluates AND and OR. An operand of the value `deciding` decides the whole, and the operands after it are not
/// evaluated.
fn decide<'a>(
    operands: &[Expression],
    deciding: bool,
    property: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<Value, Undecidable> {
    let mut whole = Some(!deciding);
    for operand in operands {
        match operand.truth(property)? {
            Some(value) if value == deciding => return Ok(Value::Bool(deciding)),
            Some(_) => {}
            None => whole = None,
        }
    }
    Ok(truth(whole))
}

/// Treats two unknown values as equal, as `IS NULL` needs. Two absent properties are therefore equal too.
fn equal(left: &Value, right: &Value) -> Result<Value, Undecidable> {
    Ok(match (left.is_null(), right.is_null()) {
        (true, true) => Value::Bool(true),
        (true, false) => Value::Null,
        (false, true) => Value::Bool(false),
        (false, false) => Value::Bool(compare(left, right)?.is_eq()),
    })
}

fn negate(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Int(number.wrapping_neg()),
        Value::Long(number) => Value::Long(number.wrapping_neg()),
        Value::Double(number) => Value::Double(-number),
        _ => Value::Null,
    }
}

/// Returns false for an empty pattern, for an absent value and for a value that is no string, in the plain and in the
/// negated form.
fn like(part: Part, value: &Value, search: &str, not: bool) -> bool {
    let Value::Text(text) = value else { return false };
    if search.is_empty() {
        return false;
    }
    let found = match part {
        Part::Contains => text.contains(search),
        Part::StartsWith => text.starts_with(search),
        Part::EndsWith => text.ends_with(search),
    };
    found != not
}
