//! The folder of the files: `conf/acl/**/*.yml` and `conf/plain_acl.yml`. A key belongs to the first file that has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rocketmq_remoting::body::{DataVersion, PlainAccessConfig, PlainAclConfig};

use super::address::Addresses;
use super::file::AclFile;
use super::permission::{Permission, name_and_word};
use super::rules::{Account, Rules};
use crate::broker::acl::AclError;

/// The files below one home, and how they were when they were last read.
#[derive(Debug)]
pub(crate) struct Folder {
    main: PathBuf,
    more: PathBuf,
    seen: Vec<Stamp>,
}

/// The content of all files together.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub rules: Rules,
    pub config: PlainAclConfig,
    /// By the file's path.
    pub versions: BTreeMap<String, DataVersion>,
    /// The version of `plain_acl.yml`.
    pub main_version: DataVersion,
}

type Stamp = (PathBuf, Option<SystemTime>, u64);

impl Loaded {
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl Folder {
    pub(crate) fn new(home: &Path) -> Self {
        let conf = home.join("conf");
        Self { main: conf.join("plain_acl.yml"), more: conf.join("acl"), seen: Vec::new() }
    }

    /// The file that new keys go to.
    pub(crate) fn main_file(&self) -> &Path {
        &self.main
    }

    /// Returns true if a file has come, gone or changed since [`load`](Self::load).
    pub(crate) fn has_changed(&self) -> bool {
        self.stamps() != self.seen
    }

    /// Reads every file.
    ///
    /// # Errors
    /// Names the file that cannot be read, or whose content cannot be a rule. The file counts as read all the same, so that it is
    /// read again only when it has changed.
    pub(crate) fn load(&mut self) -> Result<Loaded, AclError> {
        self.seen = self.stamps();
        let mut loaded = Loaded::default();
        for path in self.files() {
            let file = AclFile::read(&path)?;
            take(&mut loaded, &file).map_err(|problem| AclError::file(&path, problem))?;
            loaded.versions.insert(path.display().to_string(), file.version());
            if path == self.main {
                loaded.main_version = file.version();
            }
        }
        Ok(loaded)
    }

    /// Adds a key to the main file, or changes it where it is.
    pub(crate) fn update(&mut self, config: &PlainAccessConfig, now: i64) -> Result<(), AclError> {
        Account::new(config).and_then(|_| check_words(config)).map_err(AclError::Refused)?;
        let mut file =
            AclFile::read(&self.file_of(&config.access_key)?.unwrap_or_else(|| self.main.clone()))?;
        file.put_account(config);
        file.write(now)
    }

    /// Removes a key; says whether there was one.
    pub(crate) fn delete(&mut self, access_key: &str, now: i64) -> Result<bool, AclError> {
        let Some(path) = self.file_of(access_key)? else { return Ok(false) };
        let mut file = AclFile::read(&path)?;
        file.remove_account(access_key);
        file.write(now).map(|()| true)
    }

    /// Sets the addresses that need no key, in the main file or in the one given, which must be one of these files.
    pub(crate) fn set_trusted(
        &mut self,
        addresses: &[String],
        file: Option<&Path>,
        now: i64,
    ) -> Result<(), AclError> {
        if let Some(bad) = addresses.iter().find(|address| Addresses::parse(address).is_none()) {
            return Err(AclError::Refused(format!("Netaddress examine Exception netaddress is {bad}")));
        }
        let path = file.unwrap_or(&self.main);
        if path != self.main && !self.files().iter().any(|known| known == path) {
            let problem = format!("{} is not a file of access rules of this broker", path.display());
            return Err(AclError::Refused(problem));
        }
        let mut file = AclFile::read(path)?;
        file.set_trusted(addresses);
        file.write(now)
    }

    fn file_of(&self, access_key: &str) -> Result<Option<PathBuf>, AclError> {
        for path in self.files() {
            if AclFile::read(&path)?.accounts().iter().any(|account| account.access_key == access_key) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.more, &mut files);
        files.sort();
        files.extend(self.main.exists().then(|| self.main.clone()));
        files
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: PathBuf| {
            let meta = std::fs::metadata(&path).ok();
            let changed = meta.as_ref().and_then(|meta| meta.modified().ok());
            (path, changed, meta.map_or(0, |meta| meta.len()))
        };
        self.files().into_iter().map(stamp).collect()
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml") {
            files.push(path);
        }
    }
}

fn take(loaded: &mut Loaded, file: &AclFile) -> Result<(), String> {
    for address in file.trusted() {
        let addresses = Addresses::parse(&address)
            .ok_or_else(|| format!("Netaddress examine Exception netaddress is {address}"))?;
        loaded.rules.trust(addresses);
        loaded.config.global_white_addrs.push(address);
    }
    for config in file.accounts() {
        if loaded.rules.add(Account::new(&config)?) {
            loaded.config.plain_access_configs.push(config);
        } else {
            tracing::warn!(
                accessKey = config.access_key,
                "an access key that another file has too is left out"
            );
        }
    }
    Ok(())
}

/// Refuses a word that nobody knows. In a file such a word denies; a tool may not write it.
fn check_words(config: &PlainAccessConfig) -> Result<(), String> {
    let bad = config
        .topic_perms
        .iter()
        .chain(&config.group_perms)
        .find(|entry| name_and_word(entry).is_none_or(|(_, word)| Permission::parse(word).is_none()));
    match bad {
        None => Ok(()),
        Some(entry) => Err(format!(
            "Parse resource permission error for {entry}.\nThe expected permissions are 'SUB' or 'PUB' or 'SUB|PUB' or 'PUB|SUB'."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "accounts:\n- accessKey: main-key\n  secretKey: 12345678\n";
    const MORE: &str = "accounts:\n- accessKey: more-key\n  secretKey: 12345678\n- accessKey: main-key\n  secretKey: 87654321\n";

    fn folder() -> (tempfile::TempDir, Folder) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("conf/acl/deep")).unwrap();
        std::fs::write(home.path().join("conf/plain_acl.yml"), MAIN).unwrap();
        std::fs::write(home.path().join("conf/acl/deep/more.yaml"), MORE).unwrap();
        let folder = Folder::new(home.path());
        (home, folder)
    }

    fn keys(loaded: &Loaded) -> Vec<(&str, &str)> {
        let configs = loaded.config.plain_access_configs.iter();
        configs.map(|config| (config.access_key.as_str(), config.secret_key.as_deref().unwrap())).collect()
    }

    #[test]
    fn every_file_counts_and_the_first_that_has_a_key_has_it() {
        let (_home, mut folder) = folder();
        assert_eq!(keys(&folder.load().unwrap()), [("more-key", "12345678"), ("main-key", "87654321")]);
    }

    #[test]
    fn a_file_that_comes_goes_or_changes_is_noticed() {
        let (home, mut folder) = folder();
        assert!(folder.has_changed());
        folder.load().unwrap();
        assert!(!folder.has_changed());
        std::fs::write(home.path().join("conf/acl/new.yml"), "").unwrap();
        assert!(folder.has_changed());
        folder.load().unwrap();
        std::fs::write(home.path().join("conf/plain_acl.yml"), "accounts:\n- accessKey: short\n").unwrap();
        assert!(folder.has_changed());
        let error = folder.load().unwrap_err().to_string();
        assert!(error.contains("plain_acl.yml") && error.contains("short"), "{error}");
        assert!(!folder.has_changed(), "it is not tried again before it changes");
    }

    #[test]
    fn keys_are_changed_where_they_are_and_new_ones_go_to_the_main_file() {
        let (home, mut folder) = folder();
        let config = |key: &str, perms: &str| PlainAccessConfig {
            access_key: key.into(),
            secret_key: Some("abcdefgh".into()),
            topic_perms: vec![perms.into()],
            ..PlainAccessConfig::default()
        };
        folder.update(&config("more-key", "t=PUB"), 1).unwrap();
        folder.update(&config("new-key", "t=SUB"), 2).unwrap();
        assert!(matches!(folder.update(&config("new-key", "t=READ"), 3), Err(AclError::Refused(_))));
        assert!(folder.delete("main-key", 4).unwrap() && !folder.delete("nobody", 5).unwrap());
        let loaded = folder.load().unwrap();
        assert_eq!(
            keys(&loaded),
            [("more-key", "abcdefgh"), ("main-key", "12345678"), ("new-key", "abcdefgh")]
        );
        assert_eq!(loaded.main_version.counter, 1);
        let outside = home.path().join("elsewhere.yml");
        assert!(folder.set_trusted(&["*".into()], Some(&outside), 6).is_err() && !outside.exists());
        folder.set_trusted(&["10.0.0.1".into()], None, 7).unwrap();
        assert_eq!(folder.load().unwrap().config.global_white_addrs, ["10.0.0.1"]);
    }
}
