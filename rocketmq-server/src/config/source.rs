//! A configuration file as a list of keys and texts, whichever of the two syntaxes it is written in.

use std::ops::Range;
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
    /// Its place in the text: in TOML the value alone, in properties all of it, with the lines that continue it.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Toml,
    Properties,
}

/// Reads `text` as TOML when `path` ends in `.toml`, as Java properties when it ends in `.properties` or `.conf`.
/// Under any other name it is TOML if it reads as TOML: a properties file does not, unless both readings agree.
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, SyntaxError> {
    read(path, text).map(|(_, entries)| entries)
}

fn read(path: &Path, text: &str) -> Result<(Syntax, Vec<Entry>), SyntaxError> {
    let toml = || toml_entries(text).map(|entries| (Syntax::Toml, entries));
    let properties = || Ok((Syntax::Properties, property_entries(text)));
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml(),
        Some("properties" | "conf") => properties(),
        _ => toml().or_else(|_| properties()),
    }
}

/// The fault that makes a file unreadable, and its place.
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
        let (key, span) = (format!("{prefix}{}", key.get_ref()), value.span());
        match (scalar(value.get_ref()), value.get_ref()) {
            (Some(value), _) => entries.push(Entry { key, value, line, span }),
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
    let mut lines = lines(text).enumerate();
    while let Some((number, Range { start, mut end })) = lines.next() {
        let first = text[start..end].trim_start();
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while is_continued(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            end = next.end;
            logical.push_str(text[next].trim_start());
        }
        entries.push(property(&logical, number + 1, start..end));
    }
    entries
}

/// Returns the place of each line, without its end: a line feed, a carriage return, or both.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next.filter(|&start| start < text.len())?;
        let end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let newline = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        next = Some(end + newline);
        Some(start..end)
    })
}

/// The text of a configuration file with the value of `entry` in every setting that is the `same`, or with `entry` at its
/// end, or before the sections in which the end may lie. `None`: none of these reads as it should.
pub(super) fn remember(
    path: &Path,
    text: &str,
    entry: &Entry,
    same: impl Fn(&str, &str) -> bool,
) -> Option<String> {
    let (syntax, before) = read(path, text).ok()?;
    let is_meant = |known: &&Entry| same(&known.key, &entry.key);
    let reads_well = |text: &String| {
        let after = entries(path, text).unwrap_or_default();
        let others = |all: &[Entry]| -> Vec<_> {
            all.iter()
                .filter(|known| !is_meant(known))
                .map(|one| (one.key.clone(), one.value.clone()))
                .collect()
        };
        let mut meant = after.iter().filter(is_meant).peekable();
        meant.peek().is_some()
            && meant.all(|one| one.value == entry.value)
            && others(&before) == others(&after)
    };
    let meant: Vec<_> = before.iter().filter(is_meant).collect();
    let candidates = if meant.is_empty() {
        let line = syntax.line(&entry.key, &entry.value);
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        vec![format!("{text}{end}{line}\n"), format!("{line}\n{text}")]
    } else {
        vec![replaced(text, syntax, &meant, &entry.value)]
    };
    candidates.into_iter().find(reads_well)
}

fn replaced(text: &str, syntax: Syntax, places: &[&Entry], value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut places = places.to_vec();
    places.sort_by_key(|place| place.span.start);
    let end = places.iter().fold(0, |from, place| {
        out.push_str(&text[from..place.span.start]);
        out.push_str(&match syntax {
            Syntax::Toml => quoted(value),
            Syntax::Properties => syntax.line(&place.key, value),
        });
        place.span.end
    });
    out + &text[end..]
}

impl Syntax {
    fn line(self, key: &str, value: &str) -> String {
        match self {
            // Dots in the name would make it a table, which may be there already.
            Self::Toml if key.contains('.') => format!("{} = {}", quoted(key), quoted(value)),
            Self::Toml => format!("{key} = {}", quoted(value)),
            Self::Properties => format!("{key}={}", ascii(&value.replace('\\', "\\\\"), java_escape)),
        }
    }
}

fn quoted(text: &str) -> String {
    let escape = |c: char| format!("\\U{:08X}", u32::from(c));
    format!("\"{}\"", ascii(&text.replace('\\', "\\\\").replace('"', "\\\""), escape))
}

/// Escapes of Java stand for units of UTF-16.
fn java_escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
}

/// A text in which other characters than ASCII are escaped: the file may be in any encoding.
fn ascii(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect()
}

/// An odd number of backslashes at the end: the last one is not itself escaped.
fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

fn property(line: &str, number: usize, span: Range<usize>) -> Entry {
    let (key, value) = line.split_at(key_end(line));
    let value = value.trim_start();
    let value = value.strip_prefix(['=', ':']).unwrap_or(value);
    // Apache trims texts but not numbers, and silently drops `listenPort=10911 `; here both are trimmed.
    Entry { key: unescape(key), value: unescape(value.trim()), line: number, span }
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

/// Two escapes may stand for one character.
fn unescape(text: &str) -> String {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => units.extend(escape(&mut rest)),
            _ => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
        }
    }
    String::from_utf16_lossy(&units)
}

fn escape(rest: &mut std::str::Chars<'_>) -> Vec<u16> {
    let Some(escaped) = rest.next() else { return Vec::new() };
    let c = match escaped {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\u{c}',
        'u' => {
            let digits: String = rest.by_ref().take(4).collect();
            return u16::from_str_radix(&digits, 16).into_iter().collect();
        }
        other => other,
    };
    c.encode_utf16(&mut [0; 2]).to_vec()
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
        assert_eq!(pairs(&toml), pairs(&properties));
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
    fn lines_end_as_on_any_system() {
        assert_eq!(pairs(&property_entries("a=1\rb=2\r\nc=3\n\rd=4")).len(), 4);
        assert_eq!(pairs(&property_entries("#\ra=1\r")), [("a", "1", 2)]);
        assert_eq!(property_entries("\r\n"), []);
    }

    #[test]
    fn other_characters_than_ascii_are_written_as_escapes_and_read_back() {
        for name in ["b.conf", "b.toml"] {
            let kept = remember(Path::new(name), "", &entry("region", "中文 😀 \\"), |a, b| a == b);
            let kept = kept.unwrap();
            assert!(kept.is_ascii(), "{kept}");
            assert_eq!(entries(Path::new(name), &kept).unwrap()[0].value, "中文 😀 \\");
        }
    }

    fn entry(key: &str, value: &str) -> Entry {
        Entry { key: key.into(), value: value.into(), line: 1, span: 0..0 }
    }

    #[test]
    fn hostile_properties_do_not_panic() {
        for text in ["\\", "\\u12", "a=\\uD800x", "=", ":", "\\\\\\\n", "a\\=b=c"] {
            property_entries(text);
        }
        assert_eq!(pairs(&property_entries("a\\=b=c")), [("a=b", "c", 1)]);
    }

    fn remembered(name: &str, text: &str, setting: &str) -> Option<String> {
        let entry = &property_entries(setting)[0];
        remember(Path::new(name), text, entry, |a, b| a == b || (a == "port" && b == "listenPort"))
    }

    #[test]
    fn a_setting_of_toml_is_replaced_wherever_and_however_long_it_is() {
        let text =
            "namesrvAddr = [\n  \"a:1\", # one\n  \"b:2\",\n]\n[tls.server]\nmode = \"disabled\" # for now\n";
        let kept = remembered("b.toml", text, "namesrvAddr=c:3").unwrap();
        assert_eq!(kept, "namesrvAddr = \"c:3\"\n[tls.server]\nmode = \"disabled\" # for now\n");
        let kept = remembered("b.toml", &kept, "tls.server.mode=enforcing").unwrap();
        assert_eq!(kept, "namesrvAddr = \"c:3\"\n[tls.server]\nmode = \"enforcing\" # for now\n");
    }

    #[test]
    fn a_new_setting_does_not_fall_into_a_section() {
        let text = "[tls.server]\nmode = \"disabled\"\n";
        assert_eq!(remembered("b.toml", text, "brokerId=1").unwrap(), format!("brokerId = \"1\"\n{text}"));
        assert_eq!(
            remembered("b.toml", text, "tls.server.certPath=c.pem").unwrap(),
            format!("\"tls.server.certPath\" = \"c.pem\"\n{text}")
        );
        assert_eq!(remembered("broker", "a = 1", "b=2").unwrap(), "a = 1\nb = \"2\"\n", "read as TOML");
    }

    #[test]
    fn a_property_is_replaced_with_its_continuations_and_its_doubles() {
        let text = "a=1 \\\n  2\r\nlistenPort=1\nb=3\nport=2\n";
        assert_eq!(remembered("b.conf", text, "a=4").unwrap(), "a=4\r\nlistenPort=1\nb=3\nport=2\n");
        assert_eq!(
            remembered("b.conf", text, "listenPort=5").unwrap(),
            "a=1 \\\n  2\r\nlistenPort=5\nb=3\nport=5\n"
        );
        assert_eq!(remembered("b.conf", "a=1\\", "b=C:\\\\x").unwrap(), "b=C:\\\\x\na=1\\");
    }

    #[test]
    fn what_would_read_differently_is_not_written() {
        assert_eq!(remembered("b.conf", "a=1\n", "b=\\ 2"), None, "a blank in front is lost");
        assert_eq!(remembered("b.toml", "a = \n", "b=2"), None, "the file is broken");
    }
}
