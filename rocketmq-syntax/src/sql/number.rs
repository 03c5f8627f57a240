//! Reads numbers from texts as Java does.

use std::borrow::Cow;

use super::value::Undecidable;

/// The zero of each script with digits, in ascending order; the other nine digits follow each zero.
const ZEROS: [char; 37] = [
    '\u{30}', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}',
    '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}',
    '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}',
    '\u{aa50}', '\u{abf0}', '\u{ff10}',
];

/// Reads a number like Java's `Integer.valueOf`.
pub(super) fn parse_int(text: &str) -> Result<i32, Undecidable> {
    in_ascii(text).parse().map_err(|_| Undecidable)
}

/// Reads a number like Java's `Long.valueOf`.
pub(super) fn parse_long(text: &str) -> Result<i64, Undecidable> {
    in_ascii(text).parse().map_err(|_| Undecidable)
}

/// Replaces the digits of every script with those of ASCII. Java looks at single UTF-16 units, so digits beyond the
/// first plane do not count.
fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.chars().map(ascii_digit).collect() }
}

fn ascii_digit(c: char) -> char {
    let zero = ZEROS.iter().rev().find(|zero| **zero <= c);
    let value = zero.map_or(u32::MAX, |zero| u32::from(c) - u32::from(*zero));
    char::from_digit(value, 10).unwrap_or(c)
}

/// Reads a number like Java's `Double.valueOf`. Allows surrounding blanks and control characters, a type suffix, and
/// hexadecimal numbers. Refuses short names of infinity, which Rust accepts.
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
    // The caller has removed one sign. Rust would accept a second one.
    if !plain || text.starts_with(['+', '-']) {
        return Err(Undecidable);
    }
    text.parse().map_err(|_| Undecidable)
}

/// Reads `HEX[.HEX]pEXPONENT`. The exponent is one of two, and is required.
fn parse_hexadecimal(text: &str) -> Result<f64, Undecidable> {
    let (digits, exponent) = without_suffix(text).split_once(['p', 'P']).ok_or(Undecidable)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Undecidable);
    }
    let (mut mantissa, mut point) = (0_u64, -4 * i64::try_from(fraction.len()).map_err(|_| Undecidable)?);
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16).ok_or(Undecidable)?);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            // A digit that no longer fits only decides the rounding.
            mantissa |= u64::from(digit != 0);
            point += 4;
        }
    }
    Ok(scaled(mantissa, point.saturating_add(parse_exponent(exponent)?)))
}

/// Reads an exponent of any size. Java accepts even those that fit no integer.
fn parse_exponent(text: &str) -> Result<i64, Undecidable> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Undecidable);
    }
    let magnitude = digits.parse().unwrap_or(i64::MAX);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Returns `mantissa` times 2 to the power of `exponent`. Multiplies in steps whose powers fit a double.
fn scaled(mantissa: u64, exponent: i64) -> f64 {
    let (mut value, mut left) = (mantissa as f64, exponent.clamp(-3000, 3000) as i32);
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        value *= 2.0_f64.powi(step);
        left -= step;
    }
    value
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
            ("0x1p-1074", 5e-324),
            ("0x1p99999999999", f64::INFINITY),
            ("0x0p99999999999", 0.0),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080000001p0", 1.0 + f64::EPSILON),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_double(text), Ok(value), "{text}");
        }
        for text in
            ["", "inf", "nan", "infinity", "--1", "5L", "0x1", "0x1p", "0x1p+", "0x1p1_0", "1_0", "five", "."]
        {
            assert_eq!(parse_double(text), Err(Undecidable), "{text}");
        }
        assert!(parse_double("NaN").is_ok_and(f64::is_nan));
    }

    #[test]
    fn integers_are_read_in_the_digits_of_any_script() {
        assert_eq!(parse_int("-\u{663}\u{ff15}"), Ok(-35));
        assert_eq!(parse_int("+٩"), Ok(9));
        for text in ["\u{1d7cf}", "½", "二", "- 3", "", "+", "\u{ff0d}3"] {
            assert_eq!(parse_long(text), Err(Undecidable), "{text}");
        }
    }
}
