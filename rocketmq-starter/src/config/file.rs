//! A configuration file, taken apart: one line for each value, with the place where it stands.

use super::entry::is_ours;
use super::origin::Origin;
use crate::error::{Mistake, MistakeKind};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// One key of a file, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) segments: Vec<String>,
    pub(crate) value: LineValue,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineValue {
    /// A scalar; a list of scalars joined by `;`, as name servers are written in one text.
    Text(String),
    /// A table without any key.
    EmptyTable,
    /// A list that holds tables or lists.
    NoText,
}

/// Reads a file.
///
/// # Errors
/// One that cannot be read, or is not TOML.
pub(crate) fn read(file: &Path) -> Result<Vec<Line>, Mistake> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let message = format!("the configuration file {} cannot be read: {error}", file.display());
        Mistake::new(MistakeKind::File, message)
    })?;
    parse(file, &text)
}

/// Takes the text of a file apart.
///
/// # Errors
/// A text that is not TOML.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Vec<Line>, Mistake> {
    let table = DeTable::parse(text).map_err(|error| {
        let place = Origin::in_file(file, text, error.span().map_or(0, |span| span.start));
        let message = format!("{place} is not TOML: {}", error.message().trim());
        Mistake::new(MistakeKind::File, message)
    })?;
    let mut lines = Vec::new();
    let mut flat = Flat { file, text, lines: &mut lines };
    flat.table(&[], table.get_ref());
    Ok(lines)
}

struct Flat<'a> {
    file: &'a Path,
    text: &'a str,
    lines: &'a mut Vec<Line>,
}

impl Flat<'_> {
    fn table(&mut self, above: &[String], table: &DeTable<'_>) {
        for (key, value) in table {
            self.value(below(above, key.get_ref()), value.get_ref(), key.span().start);
        }
    }

    /// Takes a value apart. `at`: the place of its key.
    fn value(&mut self, segments: Vec<String>, value: &DeValue<'_>, at: usize) {
        let text = match value {
            DeValue::Table(table) if table.is_empty() => LineValue::EmptyTable,
            DeValue::Table(table) => return self.table(&segments, table),
            DeValue::Array(members) if !is_ours(&segments[0]) => {
                // The members for types of the application's own, and one text for placeholders.
                for (index, member) in members.iter().enumerate() {
                    let segments = below(&segments, &index.to_string());
                    self.value(segments, member.get_ref(), member.span().start);
                }
                LineValue::Text(text_of(value).unwrap_or_default())
            }
            value => text_of(value).map_or(LineValue::NoText, LineValue::Text),
        };
        let origin = Origin::in_file(self.file, self.text, at);
        self.lines.push(Line { segments, value: text, origin });
    }
}

fn below(above: &[String], name: &str) -> Vec<String> {
    let mut segments = above.to_vec();
    segments.push(name.to_owned());
    segments
}

fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.to_string(),
        }),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| text_of(item.get_ref())).collect();
            texts.map(|texts| texts.join(";"))
        }
        DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, LineValue, String)> {
        let lines = parse(Path::new("a.toml"), text).expect("TOML");
        lines.into_iter().map(|line| (line.segments.join("."), line.value, line.origin.to_string())).collect()
    }

    #[test]
    fn each_value_has_its_key_and_its_line() {
        let text = "# c\n[a]\nb = 'x'\n[rocketmq.c]\nd = [1, 0x10]\ne = {}\nf = [{}]\n[g]\nh.i = true\nj = 2026-01-31T12:00:00Z\nk = 1.50";
        let value = |text: &str| LineValue::Text(text.to_owned());
        let mut found = lines(text);
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [
            ("a.b", value("x"), "a.toml:3"),
            ("g.h.i", value("true"), "a.toml:9"),
            ("g.j", value("2026-01-31T12:00:00Z"), "a.toml:10"),
            ("g.k", value("1.50"), "a.toml:11"),
            ("rocketmq.c.d", value("1;16"), "a.toml:5"),
            ("rocketmq.c.e", LineValue::EmptyTable, "a.toml:6"),
            ("rocketmq.c.f", LineValue::NoText, "a.toml:7"),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(key, value, place)| (key.to_owned(), value, place.to_owned()))
            .collect();
        assert_eq!(found, expected);
        assert!(lines("").is_empty());
    }

    #[test]
    fn a_list_of_the_application_keeps_its_members() {
        let value = |text: &str| LineValue::Text(text.to_owned());
        let mut found = lines("a = ['x;y', 'z']\n[[b]]\nc = 1\n[[b]]\nc = []");
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [
            ("a", value("x;y;z"), "a.toml:1"),
            ("a.0", value("x;y"), "a.toml:1"),
            ("a.1", value("z"), "a.toml:1"),
            ("b", value(""), "a.toml:2"),
            ("b.0.c", value("1"), "a.toml:3"),
            ("b.1.c", value(""), "a.toml:5"),
        ];
        let expected = expected.map(|(key, value, place)| (key.to_owned(), value, place.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_line() {
        let mistake = parse(Path::new("a.toml"), "[a]\nb = 1\nc = = 2").unwrap_err();
        assert!(mistake.to_string().starts_with("a.toml:3 is not TOML: "), "{mistake}");
        let missing = read(Path::new("/nowhere/none.toml")).unwrap_err();
        assert!(missing.to_string().contains("none.toml cannot be read"), "{missing}");
    }
}
