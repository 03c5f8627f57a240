//! A configuration file as a list of keys and texts, whichever of the two syntaxes it is written in.

use std::path::Path;

use toml::de::{DeTable, DeValue};

/// The family of settings that has dots in its names, which are tables to TOML.
const DOTTED: &str = "tls";

/// One `key = value` of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads `text` as TOML when `path` ends in `.toml`, as Java properties when it ends in `.properties` or `.conf`.
/// Under any other name it is TOML if it reads as TOML: a properties file does not, unless both readings agree.
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, SyntaxError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml_entries(text),
        Some("properties" | "conf") => Ok(property_entries(text)),
        _ => toml_entries(text).or_else(|_| Ok(property_entries(text))),
    }
}

/// What makes a file unreadable, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) what: String,
}

fn toml_entries(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let table = DeTable::parse(text).map_err(|error| SyntaxError {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        what: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    flatten("", table.get_ref(), text, &mut entries)?;
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn flatten(
    prefix: &str,
    table: &DeTable<'_>,
    text: &str,
    entries: &mut Vec<Entry>,
) -> Result<(), SyntaxError> {
    for (key, value) in table {
        let line = line_at(text, key.span().start);
        let key = format!("{prefix}{}", key.get_ref());
        match (scalar(value.get_ref()), value.get_ref()) {
            (Some(value), _) => entries.push(Entry { key, value, line }),
            (None, DeValue::Table(inner)) if key.split('.').next() == Some(DOTTED) => {
                flatten(&format!("{key}."), inner, text, entries)?;
            }
            _ => {
                let what =
                    format!("`{key}` is a section or a nested value; only those of `{DOTTED}` are nested");
                return Err(SyntaxError { line, what });
            }
        }
    }
    Ok(())
}

/// Lists become what Apache's lists are: texts joined by semicolons.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| scalar(item.get_ref())).collect();
            items.map(|items| items.join(";"))
        }
        DeValue::Table(_) => None,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// Reads Java's properties syntax: comments, continued lines, three kinds of separator, escapes.
pub(super) fn property_entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, first)) = lines.next() {
        let first = first.trim_start();
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while is_continued(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start());
        }
        entries.push(property(&logical, number + 1));
    }
    entries
}

/// The text of a configuration file with `entry` in the place of its first setting that is the `same`, or at its end.
pub(super) fn remember(path: &Path, text: &str, entry: &Entry, same: impl Fn(&str, &str) -> bool) -> String {
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let line = if is_toml {
        format!("{} = \"{}\"", entry.key, entry.value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{}={}", entry.key, entry.value.replace('\\', "\\\\"))
    };
    let known = entries(path, text).unwrap_or_default();
    let at = known.iter().find(|known| same(&known.key, &entry.key)).map(|known| known.line);
    let mut lines: Vec<&str> = text.lines().collect();
    match at {
        Some(number) => lines[number - 1] = &line,
        None => lines.push(&line),
    }
    lines.join("\n") + "\n"
}

/// An odd number of backslashes at the end: the last one is not itself escaped.
fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

fn property(line: &str, number: usize) -> Entry {
    let (key, value) = line.split_at(key_end(line));
    let value = value.trim_start();
    let value = value.strip_prefix(['=', ':']).unwrap_or(value);
    // Apache trims texts but not numbers, and silently drops `listenPort=10911 `; here both are trimmed.
    Entry { key: unescape(key), value: unescape(value.trim()), line: number }
}

fn key_end(line: &str) -> usize {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' => return at,
            _ if c.is_whitespace() => return at,
            _ => {}
        }
    }
    line.len()
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(escape(&mut rest)),
            _ => out.push(c),
        }
    }
    out
}

fn escape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        'f' => Some('\u{c}'),
        'u' => {
            let digits: String = rest.by_ref().take(4).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(entries: &[Entry]) -> Vec<(&str, &str, usize)> {
        entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.line)).collect()
    }

    #[test]
    fn properties_are_read_as_java_reads_them() {
        let text = "# a comment\n! another\n\nlistenPort=10911 \nbrokerName : broker-a\nregionId  eu\n\
                    messageDelayLevel=1s 5s \\\n    10s\npath=C:\\\\data\\u0041\nempty=\n";
        assert_eq!(
            pairs(&property_entries(text)),
            [
                ("listenPort", "10911", 4),
                ("brokerName", "broker-a", 5),
                ("regionId", "eu", 6),
                ("messageDelayLevel", "1s 5s 10s", 7),
                ("path", "C:\\dataA", 9),
                ("empty", "", 10),
            ]
        );
    }

    #[test]
    fn toml_keeps_its_lines_and_joins_lists() {
        let text = "# ours\nlistenPort = 10911\nnamesrvAddr = [\"a:1\", \"b:2\"]\ntraceOn = false\n";
        let entries = entries(Path::new("broker.toml"), text).unwrap();
        assert_eq!(
            pairs(&entries),
            [("listenPort", "10911", 2), ("namesrvAddr", "a:1;b:2", 3), ("traceOn", "false", 4)]
        );
    }

    #[test]
    fn the_settings_of_tls_may_be_a_section() {
        let text = "listenPort = 1\ntls.enable = true\n[tls.server]\nmode = \"enforcing\"\nneed.client.auth = \"none\"\n";
        let entries = entries(Path::new("broker.toml"), text).unwrap();
        assert_eq!(
            pairs(&entries),
            [
                ("listenPort", "1", 1),
                ("tls.enable", "true", 2),
                ("tls.server.mode", "enforcing", 4),
                ("tls.server.need.client.auth", "none", 5),
            ]
        );
    }

    #[test]
    fn a_name_that_says_nothing_lets_the_content_decide() {
        let toml = entries(Path::new("broker"), "brokerName = \"a\"").unwrap();
        let properties = entries(Path::new("broker"), "brokerName = a").unwrap();
        assert_eq!(toml, properties);
    }

    #[test]
    fn broken_toml_and_sections_name_their_line() {
        let broken = entries(Path::new("b.toml"), "a = 1\nb = \n").unwrap_err();
        assert_eq!(broken.line, 2);
        let section = entries(Path::new("b.toml"), "a = 1\n[broker]\nb = 2\n").unwrap_err();
        assert_eq!(section.line, 2);
        assert!(section.what.contains("`broker`"), "{}", section.what);
    }

    #[test]
    fn hostile_properties_do_not_panic() {
        for text in ["\\", "\\u12", "a=\\uD800x", "=", ":", "\\\\\\\n", "a\\=b=c"] {
            property_entries(text);
        }
        assert_eq!(pairs(&property_entries("a\\=b=c")), [("a=b", "c", 1)]);
    }
}
