//! The variables: those of the process, and those of a file `.env` for the rest.

use crate::config::origin::Origin;
use crate::error::{Mistake, MistakeKind};
use std::collections::BTreeMap;
use std::path::Path;

/// A variable and the place where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// All variables, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(pub(super) BTreeMap<String, Variable>);

impl Variables {
    /// Takes variables of the process, or those that a program gives in their place.
    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variable = |(name, text): (String, String)| {
            (name.clone(), Variable { text, origin: Origin::Variable(name) })
        };
        Variables(variables.into_iter().map(variable).collect())
    }

    /// Adds the variables of a file that are not set already.
    pub(crate) fn or_file(mut self, file: &Path, mistakes: &mut Vec<Mistake>) -> Self {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the file of variables {} cannot be read: {error}", file.display());
                mistakes.push(Mistake::new(MistakeKind::File, message));
                return self;
            }
        };
        for (name, variable) in parse(file, &text, mistakes) {
            self.0.entry(name).or_insert(variable);
        }
        self
    }
}

/// Reads lines `NAME=value`. The last one of a name counts, as in a shell. Errors show no value, which may be a secret.
fn parse(file: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match assignment(line) {
            Ok((name, text)) => {
                let origin =
                    Origin::EnvFile { name: name.to_owned(), file: file.to_owned(), line: index + 1 };
                found.insert(name.to_owned(), Variable { text, origin });
            }
            Err(takes) => {
                let message =
                    format!("{}:{} is no variable; a line takes {takes}", file.display(), index + 1);
                mistakes.push(Mistake::new(MistakeKind::File, message));
            }
        }
    }
    found
}

fn assignment(line: &str) -> Result<(&str, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("`NAME=value`")?;
    let name = name.trim();
    let is_name =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if name.is_empty() || !is_name(name) {
        return Err("a name of letters, digits and `_` before the `=`");
    }
    Ok((name, value_of(value.trim())?))
}

/// Reads a value: `'as it is'`, `"with \n"`, or plain up to ` #`.
fn value_of(text: &str) -> Result<String, &'static str> {
    match text.chars().next() {
        Some('\'') => {
            let (value, rest) = text[1..].split_once('\'').ok_or(CLOSED)?;
            nothing_after(rest).map(|()| value.to_owned())
        }
        Some('"') => escaped(&text[1..]),
        _ => Ok(text.split(" #").next().unwrap_or_default().trim_end().to_owned()),
    }
}

const CLOSED: &str = "a closing quote on the line where the value begins";

fn escaped(text: &str) -> Result<String, &'static str> {
    let (mut value, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next().ok_or(CLOSED)? {
            '"' => return nothing_after(chars.as_str()).map(|()| value),
            '\\' => match chars.next().ok_or(CLOSED)? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

fn nothing_after(rest: &str) -> Result<(), &'static str> {
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(())
    } else {
        Err("nothing but a comment after the closing quote")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut mistakes = Vec::new();
        let found = parse(Path::new(".env"), text, &mut mistakes);
        let found = found.into_values().map(|it| (it.origin.to_string(), it.text)).collect();
        (found, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_form_of_a_value_is_read_with_its_line() {
        let (found, mistakes) = read(
            "\u{feff}# c\n\nA=plain # c\nexport B = 'as # $it is' # c\nC=\"a\\\"b\\\\c\\nd\"\nD=\nE=x#y\nA=last\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let expected = [
            ("the variable A in .env:8", "last"),
            ("the variable B in .env:4", "as # $it is"),
            ("the variable C in .env:5", "a\"b\\c\nd"),
            ("the variable D in .env:6", ""),
            ("the variable E in .env:7", "x#y"),
        ];
        assert_eq!(found, expected.map(|(place, text)| (place.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_line_that_is_no_variable_is_named_without_its_content() {
        let (found, mistakes) =
            read("hunter2\nA='hunter2\nB=\"hunter2\\\nC='x' hunter2\n=hunter2\nA B=hunter2");
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
        for (index, mistake) in mistakes.iter().enumerate() {
            assert!(mistake.starts_with(&format!(".env:{} is no variable", index + 1)), "{mistake}");
            assert!(!mistake.contains("hunter2"), "{mistake}");
        }
    }

    #[test]
    fn variables_of_the_process_go_before_those_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, "A=file\nB=file").unwrap();
        let mut mistakes = Vec::new();
        let own = Variables::of([("A".to_owned(), "own".to_owned())]);
        let both = own.or_file(&file, &mut mistakes).or_file(&folder.path().join("none"), &mut mistakes);
        assert_eq!((both.0["A"].text.as_str(), both.0["B"].text.as_str()), ("own", "file"));
        assert!(
            mistakes.len() == 1 && mistakes[0].to_string().contains("none cannot be read"),
            "{mistakes:?}"
        );
    }
}
