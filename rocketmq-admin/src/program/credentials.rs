//! The credentials of Apache's tools: `conf/tools.yml`.

use std::path::{Path, PathBuf};

use rocketmq_client::Credentials;
use yaml_rust2::YamlLoader;

use crate::failure::Failure;

/// Reads the credentials of `$ROCKETMQ_HOME/conf/tools.yml`, if there is such a file.
pub(super) fn of_this_machine() -> Result<Option<Credentials>, Failure> {
    let Ok(home) = std::env::var("ROCKETMQ_HOME") else { return Ok(None) };
    read(&PathBuf::from(home).join("conf/tools.yml"))
}

fn read(file: &Path) -> Result<Option<Credentials>, Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", file.display()))),
    };
    let wrong = |why: String| Failure::usage(format!("{}: {why}", file.display()));
    let documents = YamlLoader::load_from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let value = |key: &str| documents.first().and_then(|document| document[key].as_str()).unwrap_or_default();
    match (value("accessKey"), value("secretKey")) {
        ("", "") => Ok(None),
        ("", _) => Err(wrong("accessKey is missing beside secretKey".into())),
        (_, "") => Err(wrong("secretKey is missing beside accessKey".into())),
        (key, secret) => Ok(Some(Credentials::new(key, secret))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<bool, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tools.yml");
        std::fs::write(&file, text).unwrap();
        read(&file).map(|found| found.is_some()).map_err(|failure| failure.text)
    }

    #[test]
    fn both_keys_are_needed() {
        assert_eq!(
            read_text("accessKey: rocketmq2\nsecretKey: 12345678\n").map_err(drop),
            Err(()),
            "a number is no text"
        );
        assert_eq!(read_text("accessKey: rocketmq2\nsecretKey: \"12345678\"\n"), Ok(true));
        assert_eq!(read_text(""), Ok(false));
        assert!(read_text("accessKey: a\n").unwrap_err().ends_with("secretKey is missing beside accessKey"));
        assert!(read_text("a: [").is_err());
        assert!(read(Path::new("/nowhere/tools.yml")).is_ok_and(|found| found.is_none()));
    }
}
