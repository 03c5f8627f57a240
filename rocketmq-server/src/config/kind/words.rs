//! Words of a fixed set, and logins.

use super::form::Kind;
use crate::broker::Login;

/// One word of a fixed set, each standing for a value.
pub(in crate::config) struct Words<T: 'static> {
    pub(in crate::config) words: &'static [(&'static str, T)],
    pub(in crate::config) expected: &'static str,
}

impl<T: Clone + PartialEq> Kind<T> for Words<T> {
    fn parse(&self, text: &str) -> Result<T, &'static str> {
        let known = self.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        known.map(|(_, value)| value.clone()).ok_or(self.expected)
    }

    fn show(&self, value: &T) -> String {
        self.words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word).to_owned()
    }
}

/// The one value that a setting may have here.
pub(in crate::config) const fn only(
    value: &'static [(&'static str, ())],
    expected: &'static str,
) -> Words<()> {
    Words { words: value, expected }
}

/// A user and its password as a JSON object. It is shown without the password.
pub(in crate::config) struct LoginJson {
    pub(in crate::config) user: &'static str,
    pub(in crate::config) password: &'static str,
    pub(in crate::config) expected: &'static str,
}

impl Kind<Option<Login>> for LoginJson {
    fn parse(&self, text: &str) -> Result<Option<Login>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        let object: serde_json::Value = serde_json::from_str(text).map_err(|_| self.expected)?;
        let field = |name: &str| {
            let text = object.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            if text.is_empty() { Err(self.expected) } else { Ok(text.to_owned()) }
        };
        Ok(Some(Login { user: field(self.user)?, password: field(self.password)? }))
    }

    fn show(&self, value: &Option<Login>) -> String {
        let shown = value
            .as_ref()
            .map(|login| serde_json::json!({ self.user: login.user, self.password: "******" }).to_string());
        shown.unwrap_or_default()
    }
}
