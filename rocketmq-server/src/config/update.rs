//! Settings that tools change while a program runs (`mqadmin updateBrokerConfig`), and how its file remembers them.

use std::fs;
use std::path::Path;

use tracing::{info, warn};

use super::apache::ApacheKey;
use super::error::shown;
use super::key::Keys;
use super::notes::InertKey;
use super::source::{Entry, property_entries, remember};
use super::text::FileText;
use crate::broker::UpdateError;
use crate::store::config_file::{self, Readers};

/// The place of a change, for error texts.
const PLACE: &str = "the request";
/// Longer than all settings together.
const LONGEST_CHANGE: usize = 64 << 10;

/// The rules for a change, beside those of the keys.
pub(super) struct Rules<'a, C> {
    /// Keys that may not be changed, joined by semicolons.
    pub(super) black_list: &'a str,
    /// The file that the program was started with, which remembers the change.
    pub(super) file: Option<&'a Path>,
    /// Says what would keep the program from starting with these settings.
    pub(super) check: &'a dyn Fn(&C) -> Result<(), String>,
}

impl<C: Clone> Keys<C> {
    /// The configuration with what a tool sent, in properties syntax. It is in the file when this returns.
    ///
    /// # Errors
    /// A protected key, one that nobody knows or that has no effect, a value that does not fit, settings that contradict
    /// each other, a file that cannot be written. Nothing has changed then.
    pub(super) fn updated(&self, config: &C, text: &str, rules: &Rules<'_, C>) -> Result<C, UpdateError> {
        if text.len() > LONGEST_CHANGE {
            let told = format!("the change has {} bytes, the limit is {LONGEST_CHANGE}", text.len());
            return Err(UpdateError::Invalid(told));
        }
        let entries = property_entries(text);
        check_one_line(&entries)?;
        self.check_black_list(&entries, rules.black_list)?;
        self.check_effect(&entries)?;
        let mut changed = config.clone();
        let applied = self.apply_text(PLACE, text, &mut changed);
        applied.map_err(|error| UpdateError::Invalid(error.to_string()))?;
        (rules.check)(&changed).map_err(UpdateError::Invalid)?;
        self.remember(&entries, config, &changed, rules.file)?;
        // Values may be secrets.
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        info!(?keys, "the configuration has been changed");
        Ok(changed)
    }

    fn check_black_list(&self, entries: &[Entry], black_list: &str) -> Result<(), UpdateError> {
        let listed = |key: &str| black_list.split(';').any(|name| self.is_same(name.trim(), key));
        match entries.iter().find(|entry| listed(&entry.key)) {
            Some(entry) => Err(UpdateError::BlackListed { key: entry.key.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses what would change nothing: the tool would report success.
    fn check_effect(&self, entries: &[Entry]) -> Result<(), UpdateError> {
        let Some(entry) = entries.iter().find(|entry| self.find(&entry.key).is_none()) else { return Ok(()) };
        let told = match ApacheKey::find(&entry.key) {
            Some(known) if known.grants(&entry.value) => return Ok(()),
            Some(known) => InertKey { key: entry.key.clone(), reason: known.reason }.to_string(),
            None => self.unknown(entry, PLACE.into()).to_string(),
        };
        Err(UpdateError::Invalid(told))
    }

    fn remember(
        &self,
        entries: &[Entry],
        before: &C,
        after: &C,
        file: Option<&Path>,
    ) -> Result<(), UpdateError> {
        let waits = entries.iter().find(|entry| self.waits(&entry.key, before, after));
        match (file, waits) {
            (None, Some(entry)) => return Err(UpdateError::NeedsRestart { key: entry.key.clone() }),
            (None, None) => {}
            (Some(file), _) => self.keep(file, entries, after)?,
        }
        if let Some(entry) = waits {
            warn!(key = entry.key, "this setting takes effect at the next start");
        }
        Ok(())
    }

    /// Returns true if the change of a setting takes effect at the next start only.
    fn waits(&self, key: &str, before: &C, after: &C) -> bool {
        let key = self.find(key).filter(|key| !key.live);
        key.is_some_and(|key| key.secret || (key.show)(before) != (key.show)(after))
    }

    fn keep(&self, file: &Path, entries: &[Entry], config: &C) -> Result<(), UpdateError> {
        let unwritable = |reason| UpdateError::Unwritable { path: file.display().to_string(), reason };
        let read = FileText::read(file).map_err(|error| unwritable(error.to_string()))?;
        let text = entries.iter().try_fold(read.text.clone(), |text, entry| {
            let entry = Entry { value: self.kept(entry, config), ..entry.clone() };
            remember(file, &text, &entry, |a, b| self.is_same(a, b)).ok_or_else(|| {
                unwritable(format!("there is no safe place for `{}`; set it by hand", entry.key))
            })
        })?;
        // The name may be a link, which must go on pointing there.
        let place = fs::canonicalize(file).map_err(|error| unwritable(error.to_string()))?;
        config_file::save(&place, &read.encode(&text), Readers::AsBefore)
            .map_err(|error| unwritable(error.to_string()))
    }

    /// The value as the file keeps it: as it was understood, such as a path that no longer depends on a folder.
    fn kept(&self, entry: &Entry, config: &C) -> String {
        let shown = self.find(&entry.key).filter(|key| !key.secret).map(|key| (key.show)(config));
        shown.unwrap_or_else(|| entry.value.clone())
    }
}

/// A line break in a value would be another setting in the file.
fn check_one_line(entries: &[Entry]) -> Result<(), UpdateError> {
    let broken = |text: &str| text.chars().any(char::is_control);
    match entries.iter().find(|entry| broken(&entry.key) || broken(&entry.value)) {
        Some(entry) => Err(UpdateError::Invalid(format!(
            "`{}` holds a control character: settings are single lines of text",
            shown(&entry.key)
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BrokerConfig;

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
        config.update("mappedFileSizeCommitLog=2097152\nmaxMsgsNumBatch=65\n", |_| Ok(())).unwrap();
        let kept = fs::read_to_string(folder.path().join("b.conf")).unwrap();
        assert_eq!(kept, "# ours\nbrokerName=b\nmapedFileSizeCommitLog=2097152\nmaxMsgsNumBatch=65\n");
        assert!(config.properties().contains("maxMsgsNumBatch=65\n"));
    }

    #[test]
    fn a_toml_file_stays_one() {
        let (folder, mut config) = from_file("b.toml", "maxMsgsNumBatch = 64\nbrokerName = \"b\"\n");
        config.update("maxMsgsNumBatch=65", |_| Ok(())).unwrap();
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
        config.update("maxMsgsNumBatch=65", |_| Ok(())).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "maxMsgsNumBatch=65\n");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_login_that_cannot_be_read_is_not_repeated() {
        let mut config = BrokerConfig::in_folder("s");
        for key in ["initAuthenticationUser", "innerClientAuthenticationCredentials"] {
            let told = config
                .update(&format!("{key}={{\"username\":\"u\",\"pasword\":\"hush-hush\"}}"), |_| Ok(()))
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
            let said = config.update(change, |_| Ok(())).unwrap_err().to_string();
            assert!(said.starts_with("Can not update config in black list."), "{change}: {said}");
        }
    }

    fn refusal(config: &mut BrokerConfig, change: &str) -> String {
        let before = config.properties();
        let told = config.update(change, |_| Ok(())).expect_err(change).to_string();
        assert_eq!(config.properties(), before, "{change}");
        told
    }

    #[test]
    fn a_setting_with_which_the_broker_would_not_start_is_refused_now() {
        let (folder, mut config) = from_file("b.conf", "brokerName=b\n");
        for (change, told) in [
            ("messageDelayLevel=", "`messageDelayLevel` is \"\", but must be delays"),
            ("mappedFileSizeCommitLog=1", "from 65536 to"),
            ("mappedFileSizeConsumeQueue=0", "from 20 to"),
            ("brokerPermission=999", "from 0 to 7"),
            ("reviveQueueNum=0", "from 1 to 65536"),
            ("defaultTopicQueueNums=2147483647", "from 1 to 65536"),
            ("flushConsumerOffsetInterval=0", "milliseconds from 1"),
            ("transactionCheckInterval=0", "milliseconds from 1"),
            ("maxTransferCountOnMessageInMemory=0", "from 1 to"),
            ("diskMaxUsedSpaceRatio=101", "a percentage from 1 to 100"),
            ("popFromRetryProbability=101", "from 0 to 100"),
            ("deleteWhen=", "hours of the day"),
            ("brokerName=", "a name of 1 to 127 bytes"),
            ("brokerName=../../etc", "without slashes"),
            ("brokerIP1=10.0.0.1 10911", "a host name or an IP address"),
            ("storePathRootDir=", "must be a path"),
            ("authorizationEnabled=true", "`authenticationEnabled`"),
            ("authenticationEnabled=true", "initAuthenticationUser"),
            ("aclEnable=true", "rocketmqHome"),
            ("brokerRole=SLAVE", "does not replicate"),
            ("enableDLegerCommitLog=true", "must be false: this broker does not replicate"),
        ] {
            let said = refusal(&mut config, change);
            assert!(said.contains(told), "{change}: {said}");
        }
        assert_eq!(fs::read_to_string(folder.path().join("b.conf")).unwrap(), "brokerName=b\n");
    }

    #[test]
    fn the_size_of_log_files_stays_as_it_is_while_there_are_some() {
        let (folder, mut config) = from_file("b.conf", "mappedFileSizeCommitLog=65536\n");
        fs::create_dir(folder.path().join("commitlog")).unwrap();
        for start in [0, 65536] {
            fs::write(folder.path().join(format!("commitlog/{start:020}")), vec![0; 65536]).unwrap();
        }
        let said = refusal(&mut config, "mappedFileSizeCommitLog=131072");
        assert!(said.contains("it begins at 65536 and has 65536 bytes"), "{said}");
    }

    #[test]
    fn what_would_change_nothing_is_refused_with_the_reason() {
        let mut config = BrokerConfig::in_folder("s");
        let said = refusal(&mut config, "sendMessageThreadPoolNums=64");
        assert!(
            said.starts_with("`sendMessageThreadPoolNums` has no effect: requests are handled"),
            "{said}"
        );
        assert_eq!(
            refusal(&mut config, "maxMsgsNumBach=1"),
            "the request: unknown setting `maxMsgsNumBach`; did you mean `maxMsgsNumBatch`?"
        );
        config.update("slaveReadEnable=false", |_| Ok(())).unwrap();
    }

    #[test]
    fn long_names_and_long_changes_cost_nothing() {
        let mut config = BrokerConfig::in_folder("s");
        for length in [129, 60_000] {
            let said = refusal(&mut config, &format!("{}=1", "k".repeat(length)));
            assert!(said.ends_with(&format!("kkk… ({length} bytes)`")) && said.len() < 200, "{said}");
        }
        let said = refusal(&mut config, &format!("{}=1", "k".repeat(2_000_000)));
        assert_eq!(said, "the change has 2000002 bytes, the limit is 65536");
        let said = refusal(&mut config, &format!("maxMsgsNumBatch={}", "9".repeat(1000)));
        assert!(said.contains("… (1000 bytes)\", but must be"), "{said}");
    }

    #[test]
    fn a_path_is_remembered_as_what_it_means_now() {
        let (folder, mut config) = from_file("b.conf", "brokerName=b\n");
        config.update("storePathCommitLog=log", |_| Ok(())).unwrap();
        let here = std::env::current_dir().unwrap();
        let kept = fs::read_to_string(folder.path().join("b.conf")).unwrap();
        assert_eq!(kept, format!("brokerName=b\nstorePathCommitLog={}\n", here.join("log").display()));
    }

    #[test]
    fn a_file_with_comments_of_another_encoding_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.conf");
        fs::write(&path, b"\xEF\xBB\xBF# \xD6\xD0\xCE\xC4\nbrokerName=b\n").unwrap();
        let mut config = BrokerConfig::in_folder(folder.path());
        config.load(&path).unwrap();
        config.update("maxMsgsNumBatch=65\nregionId=\u{4e2d}", |_| Ok(())).unwrap();
        let kept = fs::read(&path).unwrap();
        let expected =
            b"\xEF\xBB\xBF# \xD6\xD0\xCE\xC4\nbrokerName=b\nmaxMsgsNumBatch=65\nregionId=\\u4E2D\n";
        assert_eq!(kept, expected);
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        let mut config = BrokerConfig::in_folder("s");
        let mut refused = |text: &str| config.update(text, |_| Ok(())).unwrap_err().to_string();
        assert!(refused("brokerConfigPath=/x").starts_with("Can not update config in black list."));
        assert!(refused("maxMsgsNumBach=1").contains("did you mean `maxMsgsNumBatch`?"));
        assert!(refused("maxMsgsNumBatch=words").contains("`maxMsgsNumBatch` is \"words\""));
        assert!(refused("brokerName=c").contains("`brokerName` takes effect at a restart"));
        assert!(refused("brokerName=c\\naclEnable=false").contains("`brokerName` holds a control character"));
    }
}
