//! Secrets that a file holds: `secret-key-file = "/run/secrets/rocketmq"` in place of `secret-key`.

use super::check::wrong_value;
use super::{Found, Sources};
use crate::config::entry::{Entry, normal};
use crate::config::keys::{self, Node};
use crate::error::{Mistake, MistakeKind};
use std::fs::File;
use std::io::Read;

/// The most bytes of a secret.
const MOST: u64 = 64 << 10;

impl Sources {
    /// Returns the entry of a key; of a secret perhaps the one that names its file. The later source counts.
    ///
    /// # Errors
    /// One source has the secret and a file for it.
    pub(super) fn entry(&self, path: &str) -> Result<Option<Named>, Mistake> {
        let path = normal(path);
        let Some(node) = secret(&path) else { return Ok(self.raw(&path).map(Named::Itself)) };
        let file = in_file(&path);
        for layer in [Sources::of_program, Sources::variable, Sources::of_files] {
            match (layer(self, &path), layer(self, &file)) {
                (None, None) => {}
                (Some(own), None) => return Ok(Some(Named::Itself(own))),
                (None, Some(file)) => return Ok(Some(Named::File(file, node))),
                (Some(own), Some(file)) => return Err(both(&own, &file)),
            }
        }
        Ok(None)
    }

    fn of_program(&self, path: &str) -> Option<Entry> {
        self.set.get(path).cloned()
    }

    fn of_files(&self, path: &str) -> Option<Entry> {
        self.files.get(path).cloned()
    }
}

/// The entry of a key, or of the file that holds its value, with the form of that value.
pub(super) enum Named {
    Itself(Entry),
    File(Entry, Node),
}

/// Returns the form of a secret; `None` for a path that leads elsewhere.
fn secret(path: &str) -> Option<Node> {
    let node = keys::follow(path.strip_prefix("rocketmq.")?.split('.')).ok()?.node;
    matches!(node, Node::Secret(_)).then_some(node)
}

/// Returns the key that names the file of a secret.
pub(crate) fn in_file(key: &str) -> String {
    format!("{key}-file")
}

/// Returns the other key of a secret: that of its file, or the reverse.
pub(super) fn rival(path: &str) -> Option<String> {
    match path.strip_suffix("-file") {
        Some(of) => secret(of).map(|_| of.to_owned()),
        None => secret(path).map(|_| in_file(path)),
    }
}

fn both(own: &Entry, file: &Entry) -> Mistake {
    let message = format!(
        "`{}` in {} and `{}` in {} exclude each other; keep one",
        own.written, own.origin, file.written, file.origin
    );
    Mistake::new(MistakeKind::WrongValue, message)
}

/// Reads the secret from the file that `found` names. The line's end is no part of it.
///
/// # Errors
/// A file that cannot be read, holds nothing, or holds more than a secret.
pub(crate) fn read(found: Found, node: Node) -> Result<Found, Mistake> {
    let Found { text: file, written, origin } = found;
    let wrong = |why: String| {
        let message = format!("`{written}` is \"{file}\" in {origin}, and that file {why}");
        Mistake::new(MistakeKind::File, message)
    };
    let mut text = String::new();
    let opened = File::open(file.trim()).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let read = opened.take(MOST + 1).read_to_string(&mut text);
    read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 > MOST {
        return Err(wrong(format!("has more than {MOST} bytes, too many for a secret")));
    }
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(wrong("is empty: write the secret into it".to_owned()));
    }
    match node.refuses(&text) {
        Some((takes, _)) => Err(wrong_value(&written, &text, true, &origin, &takes)),
        None => Ok(Found { text, written, origin }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;

    fn find(toml: &str, variables: &[(&str, &str)]) -> Result<Option<(String, String)>, String> {
        let (sources, mistakes) = Sources::from_toml(toml, variables);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        match sources.find("rocketmq.producer.secret-key") {
            Ok(found) => Ok(found.map(|found| (found.text, found.origin.to_string()))),
            Err(mistake) => Err(mistake.to_string()),
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_end_of_the_line() {
        let (_folder, path) = file("s3cret\n");
        let toml = format!("[rocketmq.producer]\nsecretKeyFile = '{path}'");
        let expected = ("s3cret".to_owned(), "application.toml:2".to_owned());
        assert_eq!(find(&toml, &[]), Ok(Some(expected)));
    }

    #[test]
    fn of_the_secret_and_its_file_the_later_source_counts() {
        let (_folder, path) = file("in file");
        let toml = "[rocketmq.producer]\nsecret-key = 'in toml'";
        let variable = [("ROCKETMQ_PRODUCER_SECRET_KEY_FILE", path.as_str())];
        assert_eq!(find(toml, &variable).unwrap().unwrap().0, "in file");
        let toml = format!("[rocketmq.producer]\nsecret-key-file = '{path}'");
        let variable = [("ROCKETMQ_PRODUCER_SECRET_KEY", "in variable")];
        assert_eq!(find(&toml, &variable).unwrap().unwrap().0, "in variable");
        let both = find(&format!("{toml}\nsecret-key = 'x'"), &[]).unwrap_err();
        assert!(both.contains("application.toml:3 and") && both.contains("exclude each other"), "{both}");
    }

    #[test]
    fn a_file_without_a_secret_is_named_and_its_content_is_not_shown() {
        let (_folder, empty) = file(" \n");
        let (_other, long) = file(&"hunter2".repeat(10_000));
        for (path, why) in [
            (empty.as_str(), "is empty"),
            (long.as_str(), "more than 65536 bytes"),
            ("/nowhere/none", "cannot be read"),
        ] {
            let told = find(&format!("[rocketmq.producer]\nsecret-key-file = '{path}'"), &[]).unwrap_err();
            assert!(told.contains(why) && told.contains("application.toml:2"), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn what_a_file_holds_is_checked_like_the_secret_itself() {
        let (_folder, path) = file("hunter2");
        let (sources, _) =
            Sources::from_toml(&format!("[rocketmq]\nsocks-proxy-config-file = '{path}'"), &[]);
        let told = sources.find("rocketmq.socks-proxy-config").unwrap_err().to_string();
        assert!(told.contains("(hidden)") && !told.contains("hunter2"), "{told}");
    }
}
