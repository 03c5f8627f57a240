//! Settings that tools change while the broker runs (`mqadmin updateBrokerConfig`), and how its file remembers them.

use std::fs;
use std::path::Path;

use tracing::{info, warn};

use super::broker::BrokerConfig;
use super::source::{Entry, property_entries, remember};
use crate::broker::UpdateError;
use crate::store::config_file::{self, Readers};

impl BrokerConfig {
    /// Takes what a tool sent, in properties syntax, and remembers it in the file the broker was started with.
    ///
    /// # Errors
    /// A protected key, one that nobody knows, a value of the wrong type, a file that cannot be written; `self` is as it
    /// was then.
    pub fn update(&mut self, properties: &str) -> Result<(), UpdateError> {
        let entries = property_entries(properties);
        check_one_line(&entries)?;
        self.check_black_list(&entries)?;
        let mut changed = self.clone();
        let notes = changed.apply(properties).map_err(|error| UpdateError::Invalid(error.to_string()))?;
        if let Some(unknown) = notes.unknown.first() {
            return Err(UpdateError::Invalid(unknown.to_string()));
        }
        notes.warnings().iter().for_each(|warning| warn!("{warning}"));
        let waits = entries.iter().find(|entry| Self::waits_for_restart(&entry.key));
        match (&self.file, waits) {
            (None, Some(entry)) => return Err(UpdateError::NeedsRestart { key: entry.key.clone() }),
            (None, None) => {}
            (Some(file), _) => keep(file, &entries)?,
        }
        if let Some(entry) = waits {
            warn!(key = entry.key, "this setting takes effect at the next start");
        }
        // Values may be secrets.
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        info!(?keys, "the configuration has been changed");
        *self = changed;
        Ok(())
    }

    fn check_black_list(&self, entries: &[Entry]) -> Result<(), UpdateError> {
        let listed = |key: &str| self.settings.live.black_list.split(';').any(|name| same_setting(name, key));
        match entries.iter().find(|entry| listed(&entry.key)) {
            Some(entry) => Err(UpdateError::BlackListed { key: entry.key.clone() }),
            None => Ok(()),
        }
    }
}

/// A line break in a value would be another setting in the file.
fn check_one_line(entries: &[Entry]) -> Result<(), UpdateError> {
    let broken = |text: &str| text.chars().any(char::is_control);
    match entries.iter().find(|entry| broken(&entry.key) || broken(&entry.value)) {
        Some(entry) => Err(UpdateError::Invalid(format!(
            "`{}` holds a control character: settings are single lines of text",
            entry.key.escape_debug()
        ))),
        None => Ok(()),
    }
}

/// Whether two spellings name one setting.
fn same_setting(a: &str, b: &str) -> bool {
    a == b || BrokerConfig::canonical(a).is_some_and(|name| Some(name) == BrokerConfig::canonical(b))
}

fn keep(file: &Path, entries: &[Entry]) -> Result<(), UpdateError> {
    let unwritable = |reason| UpdateError::Unwritable { path: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| unwritable(error.to_string()))?;
    let text = entries.iter().try_fold(text, |text, entry| {
        remember(file, &text, entry, same_setting)
            .ok_or_else(|| unwritable(format!("there is no safe place for `{}`; set it by hand", entry.key)))
    })?;
    // The name may be a link, which must go on pointing there.
    let place = fs::canonicalize(file).map_err(|error| unwritable(error.to_string()))?;
    config_file::save(&place, text.as_bytes(), Readers::AsBefore)
        .map_err(|error| unwritable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(name: &str, text: &str) -> (tempfile::TempDir, BrokerConfig) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let mut config = BrokerConfig::in_folder(folder.path());
        config.load(&path).unwrap();
        (folder, config)
    }

    #[test]
    fn a_change_is_remembered_beside_what_the_file_says_already() {
        let text = "# ours\nbrokerName=b\nmapedFileSizeCommitLog=1048576\n";
        let (folder, mut config) = from_file("b.conf", text);
        config.update("mappedFileSizeCommitLog=2097152\nmaxMsgsNumBatch=65\n").unwrap();
        let kept = fs::read_to_string(folder.path().join("b.conf")).unwrap();
        assert_eq!(kept, "# ours\nbrokerName=b\nmapedFileSizeCommitLog=2097152\nmaxMsgsNumBatch=65\n");
        assert!(config.properties().contains("maxMsgsNumBatch=65\n"));
    }

    #[test]
    fn a_toml_file_stays_one() {
        let (folder, mut config) = from_file("b.toml", "maxMsgsNumBatch = 64\nbrokerName = \"b\"\n");
        config.update("maxMsgsNumBatch=65").unwrap();
        let kept = fs::read_to_string(folder.path().join("b.toml")).unwrap();
        assert_eq!(kept, "maxMsgsNumBatch = \"65\"\nbrokerName = \"b\"\n");
        let mut read = BrokerConfig::in_folder(folder.path());
        read.load(&folder.path().join("b.toml")).unwrap();
        assert_eq!(read.settings.live.max_query_messages, 65);
    }

    #[cfg(unix)]
    #[test]
    fn a_changed_file_has_the_readers_and_the_place_it_had() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, _) = from_file("real.conf", "maxMsgsNumBatch=64\n");
        let (real, link) = (folder.path().join("real.conf"), folder.path().join("b.conf"));
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut config = BrokerConfig::in_folder(folder.path());
        config.load(&link).unwrap();
        config.update("maxMsgsNumBatch=65").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "maxMsgsNumBatch=65\n");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_login_that_cannot_be_read_is_not_repeated() {
        let mut config = BrokerConfig::in_folder("s");
        for key in ["initAuthenticationUser", "innerClientAuthenticationCredentials"] {
            let told = config
                .update(&format!("{key}={{\"username\":\"u\",\"pasword\":\"hush-hush\"}}"))
                .unwrap_err();
            assert!(told.to_string().contains(&format!("`{key}` is \"******\", but must be JSON")), "{told}");
            assert!(!format!("{told:?}").contains("hush-hush"), "{told:?}");
        }
    }

    #[test]
    fn a_black_list_holds_for_every_spelling() {
        let mut config = BrokerConfig::in_folder("s");
        config.settings.live.black_list = "mappedFileSizeCommitLog;maxMsgsNumBatch".into();
        for change in ["mappedFileSizeCommitLog=1", "mapedFileSizeCommitLog=1", "maxMsgsNumBatch=65"] {
            let said = config.update(change).unwrap_err().to_string();
            assert!(said.starts_with("Can not update config in black list."), "{change}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        let mut config = BrokerConfig::in_folder("s");
        let mut refused = |text: &str| config.update(text).unwrap_err().to_string();
        assert!(refused("brokerConfigPath=/x").starts_with("Can not update config in black list."));
        assert!(refused("maxMsgsNumBach=1").contains("did you mean `maxMsgsNumBatch`?"));
        assert!(refused("maxMsgsNumBatch=words").contains("`maxMsgsNumBatch` is \"words\""));
        assert!(refused("brokerName=c").contains("`brokerName` takes effect at a restart"));
        assert!(refused("brokerName=c\\naclEnable=false").contains("`brokerName` holds a control character"));
    }
}
