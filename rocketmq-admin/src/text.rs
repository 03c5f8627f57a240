//! Texts as Apache's tools write them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::failure::Failure;

/// The beginning of a name, for a column of `width`.
pub(crate) fn front(name: &str, width: usize) -> String {
    name.chars().take(width).collect()
}

/// A time as `yyyy-MM-dd HH:mm:ss`, in the zone of this machine.
pub(crate) fn seconds(ms: i64) -> String {
    format(ms, "%Y-%m-%d %H:%M:%S")
}

/// A time as `yyyy-MM-dd HH:mm:ss,SSS`, in the zone of this machine.
pub(crate) fn milliseconds(ms: i64) -> String {
    format!("{},{:03}", seconds(ms), ms.rem_euclid(1000))
}

fn format(ms: i64, form: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime(form).to_string(),
        // Beyond the year 9999.
        Err(_) => ms.to_string(),
    }
}

/// Reads the settings that a server answers with, as Java's properties.
pub(crate) fn properties(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (unescape(key), unescape(value)))
        .collect()
}

fn unescape(text: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.extend(chars.next()),
            _ => plain.push(char),
        }
    }
    plain
}

/// Writes one setting as Java's properties.
///
/// # Errors
/// Key or value would change the meaning of the line.
pub(crate) fn property(key: &str, value: &str) -> Result<String, Failure> {
    let breaks = |text: &str| text.contains(['\n', '\r']);
    if key.is_empty() || key.contains(['=', ':', ' ', '#', '!', '\\']) || breaks(key) || breaks(value) {
        let text = format!("{key:?} with the value {value:?} is no setting");
        return Err(Failure::usage(text).with_remedy("write a key without blanks, and a value on one line"));
    }
    Ok(format!("{key}={}\n", value.replace('\\', "\\\\")))
}

/// A number as Java's `Double.toString` writes it.
pub(crate) struct Java(pub(crate) f64);

impl fmt::Display for Java {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        match size == 0.0 || !size.is_finite() || (1e-3..1e7).contains(&size) {
            true => write!(f, "{:?}", self.0),
            false => write!(f, "{}", scientific(self.0)),
        }
    }
}

fn scientific(number: f64) -> String {
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
        _ => text,
    }
}

/// JSON with each member on a line of its own, as fastjson indents it: by tabs, and empty brackets around a blank line.
pub(crate) fn indent(json: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) =
        (String::with_capacity(2 * json.len()), 0usize, false, false);
    for char in json.chars() {
        match char {
            _ if quoted => quoted = char != '"' || escaped,
            '"' => quoted = true,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
            }
            _ => {}
        }
        escaped = quoted && char == '\\' && !escaped;
        out.push(char);
        match char {
            _ if quoted => {}
            '{' | '[' => {
                depth += 1;
                new_line(&mut out, depth);
            }
            ',' => new_line(&mut out, depth),
            _ => {}
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_fastjson_does() {
        assert_eq!(
            indent(r#"{"a":{0:"x"},"b":{},"c":[1,2]}"#),
            "{\n\t\"a\":{\n\t\t0:\"x\"\n\t},\n\t\"b\":{\n\t\t\n\t},\n\t\"c\":[\n\t\t1,\n\t\t2\n\t]\n}"
        );
        assert_eq!(indent(r#"["a,{\"]","\\"]"#), "[\n\t\"a,{\\\"]\",\n\t\"\\\\\"\n]");
        assert_eq!(indent(""), "");
        assert_eq!(indent("}"), "\n}");
    }

    #[test]
    fn numbers_are_written_as_java_does() {
        let written = [0.0, 1.0, 0.25, 0.0001, 1.5e9, 1e10, f64::NAN].map(|number| Java(number).to_string());
        assert_eq!(written, ["0.0", "1.0", "0.25", "1.0E-4", "1.5E9", "1.0E10", "NaN"]);
    }

    #[test]
    fn times_have_milliseconds() {
        assert!(milliseconds(1_700_000_000_123).ends_with(",123"));
        assert_eq!(milliseconds(1_700_000_000_123).len(), "2023-11-14 22:13:20,123".len());
        assert_eq!(seconds(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn settings_are_properties() {
        let read = properties("a=1\n#c=2\n\n b=C\\:\\\\x=y\nnothing\ne=");
        let expected =
            [("a", "1"), ("b", "C:\\x=y"), ("e", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read, BTreeMap::from(expected));
    }

    #[test]
    fn a_setting_is_one_line() {
        let text = property("path", "C:\\x=y").unwrap();
        assert_eq!(properties(&text), BTreeMap::from([("path".into(), "C:\\x=y".into())]));
        for (key, value) in
            [("", "1"), ("a=b", "1"), ("a b", "1"), ("a\nb", "1"), ("a", "1\nb=2"), ("#a", "1")]
        {
            assert!(property(key, value).is_err(), "{key:?} {value:?}");
        }
    }

    #[test]
    fn names_are_cut_at_their_column() {
        assert_eq!(
            (front("orders", 3), front("orders", 20), front("", 3)),
            ("ord".into(), "orders".into(), String::new())
        );
    }
}
