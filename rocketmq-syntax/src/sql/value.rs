//! Values of expressions, and Java's comparisons of them.

use std::cmp::Ordering;

use super::number::{parse_double, parse_int, parse_long};

/// A value. A property is always `Text`; a comparison with a number reads it as a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Text(String),
}

/// Reports a failed evaluation, where Java throws: the message does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecidable;

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Long(_) | Self::Double(_))
    }
}

/// Compares two values for `=`, after a conversion to one type. For two types without a conversion `left` is less,
/// which is Java's answer.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Ordering, Undecidable> {
    use Value::{Bool, Double, Int, Long, Text};
    Ok(match (left, right) {
        (Bool(l), Bool(r)) => l.cmp(r),
        // Java casts the boolean to a string here, and the cast fails.
        (Bool(_), Text(_)) => return Err(Undecidable),
        (Text(l), Bool(r)) => l.eq_ignore_ascii_case("true").cmp(r),
        (Text(l), Text(r)) => compare_utf16(l, r),
        (Int(l), Int(r)) => l.cmp(r),
        (Int(l), Long(r)) => i64::from(*l).cmp(r),
        (Long(l), Int(r)) => l.cmp(&i64::from(*r)),
        (Long(l), Long(r)) => l.cmp(r),
        (Int(l), Double(r)) => compare_double(f64::from(*l), *r),
        (Double(l), Int(r)) => compare_double(*l, f64::from(*r)),
        (Long(l), Double(r)) => compare_double(*l as f64, *r),
        (Double(l), Long(r)) => compare_double(*l, *r as f64),
        (Double(l), Double(r)) => compare_double(*l, *r),
        (Int(l), Text(r)) => l.cmp(&parse_int(r)?),
        (Text(l), Int(r)) => parse_int(l)?.cmp(r),
        (Long(l), Text(r)) => l.cmp(&parse_long(r)?),
        (Text(l), Long(r)) => parse_long(l)?.cmp(r),
        (Double(l), Text(r)) => compare_double(*l, parse_double(r)?),
        (Text(l), Double(r)) => compare_double(parse_double(l)?, *r),
        _ => Ordering::Less,
    })
}

/// Compares two values for `<`, `<=`, `>` and `>=`. It compares two strings as numbers.
pub(super) fn compare_magnitude(left: &Value, right: &Value) -> Result<Ordering, Undecidable> {
    match (left, right) {
        (Value::Text(l), Value::Text(r)) => Ok(compare_double(parse_double(l)?, parse_double(r)?)),
        _ => compare(left, right),
    }
}

/// Compares like Java: NaN is above everything and equal to itself, and 0.0 is above -0.0.
fn compare_double(left: f64, right: f64) -> Ordering {
    match (left.is_nan(), right.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left.total_cmp(&right),
    }
}

fn compare_utf16(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_less_than_one_of_an_unrelated_type() {
        assert_eq!(compare(&Value::Int(5), &Value::Bool(true)), Ok(Ordering::Less));
        assert_eq!(compare(&Value::Bool(true), &Value::Int(5)), Ok(Ordering::Less));
        assert_eq!(compare(&Value::Bool(true), &Value::Text("true".into())), Err(Undecidable));
    }
}
