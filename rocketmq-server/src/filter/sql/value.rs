//! What expressions compute with, and how Java compares it.

use std::cmp::Ordering;

/// A value. Properties are always `Text`; a comparison with a number turns them into one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Text(String),
}

/// The evaluation failed, as where Java throws: the message does not match.
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

/// How `left` compares with `right` for `=`: after both were turned into one type. Types that cannot be turned into one
/// another count as less, which is what Java answers for them.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Ordering, Undecidable> {
    use Value::{Bool, Double, Int, Long, Text};
    Ok(match (left, right) {
        (Bool(l), Bool(r)) => l.cmp(r),
        // Java casts the boolean to a string here, which fails.
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

/// How `left` compares with `right` for `<`, `<=`, `>` and `>=`: two strings are compared as numbers.
pub(super) fn compare_magnitude(left: &Value, right: &Value) -> Result<Ordering, Undecidable> {
    match (left, right) {
        (Value::Text(l), Value::Text(r)) => Ok(compare_double(parse_double(l)?, parse_double(r)?)),
        _ => compare(left, right),
    }
}

/// Java's order of doubles: total, with NaN above everything and 0.0 above -0.0; every NaN is the same.
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

fn parse_int(text: &str) -> Result<i32, Undecidable> {
    text.parse().map_err(|_| Undecidable)
}

fn parse_long(text: &str) -> Result<i64, Undecidable> {
    text.parse().map_err(|_| Undecidable)
}

/// What `Double.valueOf` reads: surrounding blanks and control characters, a type suffix and hexadecimal are allowed, the
/// short names of infinity that Rust knows are not.
pub(super) fn parse_double(text: &str) -> Result<f64, Undecidable> {
    let text = text.trim_matches(|c| c <= ' ');
    let (negative, magnitude) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let value = match magnitude {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ if magnitude.starts_with("0x") || magnitude.starts_with("0X") => {
            parse_hexadecimal(&magnitude[2..])?
        }
        _ => parse_decimal(magnitude)?,
    };
    Ok(if negative { -value } else { value })
}

fn without_suffix(text: &str) -> &str {
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text)
}

fn parse_decimal(text: &str) -> Result<f64, Undecidable> {
    let text = without_suffix(text);
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    // A second sign would be read by Rust, since the first one has been taken off.
    if !plain || text.starts_with(['+', '-']) {
        return Err(Undecidable);
    }
    text.parse().map_err(|_| Undecidable)
}

/// `HEX[.HEX]pEXPONENT`, the exponent being that of two and required. Digits beyond what a double holds are cut off.
fn parse_hexadecimal(text: &str) -> Result<f64, Undecidable> {
    let (mantissa, exponent) = without_suffix(text).split_once(['p', 'P']).ok_or(Undecidable)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Undecidable);
    }
    let exponent: i32 = exponent.parse().map_err(|_| Undecidable)?;
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16).ok_or(Undecidable)?);
    }
    let scale =
        exponent.saturating_sub(i32::try_from(fraction.len()).map_err(|_| Undecidable)?.saturating_mul(4));
    Ok(value * 2.0_f64.powi(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_read_as_java_reads_them() {
        for (text, value) in [
            ("1e3", 1000.0),
            (" 5 ", 5.0),
            ("5d", 5.0),
            ("+.5F", 0.5),
            ("0x1.8p1", 3.0),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_double(text), Ok(value), "{text}");
        }
        for text in ["", "inf", "nan", "infinity", "--1", "5L", "0x1", "1_0", "five", "."] {
            assert_eq!(parse_double(text), Err(Undecidable), "{text}");
        }
        assert!(parse_double("NaN").is_ok_and(f64::is_nan));
    }

    #[test]
    fn types_without_a_common_one_count_as_less() {
        assert_eq!(compare(&Value::Int(5), &Value::Bool(true)), Ok(Ordering::Less));
        assert_eq!(compare(&Value::Bool(true), &Value::Int(5)), Ok(Ordering::Less));
        assert_eq!(compare(&Value::Bool(true), &Value::Text("true".into())), Err(Undecidable));
    }
}
