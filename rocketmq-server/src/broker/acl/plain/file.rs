//! One YAML file of access rules, read as Apache reads it and changed without losing what it does not know.

use std::io;
use std::path::{Path, PathBuf};

use rocketmq_remoting::body::{DataVersion, PlainAccessConfig};
use yaml_rust2::yaml::{Hash, Yaml};
use yaml_rust2::{YamlEmitter, YamlLoader};

use crate::broker::acl::AclError;
use crate::store::config_file::{self, Readers};

const TRUSTED: &str = "globalWhiteRemoteAddresses";
const ACCOUNTS: &str = "accounts";
const VERSION: &str = "dataVersion";
const ACCESS_KEY: &str = "accessKey";

/// A file's content.
#[derive(Debug)]
pub(crate) struct AclFile {
    path: PathBuf,
    root: Hash,
}

impl AclFile {
    /// Reads a file; one that is missing or blank has no rules.
    ///
    /// # Errors
    /// It cannot be read, or is not YAML with names at its top.
    pub(crate) fn read(path: &Path) -> Result<Self, AclError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(AclError::file(path, error)),
        };
        let documents = YamlLoader::load_from_str(&text).map_err(|error| AclError::file(path, error))?;
        let root = match documents.into_iter().next() {
            None | Some(Yaml::Null) => Hash::new(),
            Some(Yaml::Hash(root)) => root,
            Some(_) => return Err(AclError::file(path, "it should begin with `accounts:`")),
        };
        Ok(Self { path: path.to_owned(), root })
    }

    /// The addresses that need no key.
    pub(crate) fn trusted(&self) -> Vec<String> {
        self.list(TRUSTED).filter_map(text).collect()
    }

    /// The access keys.
    pub(crate) fn accounts(&self) -> Vec<PlainAccessConfig> {
        self.list(ACCOUNTS).filter_map(Yaml::as_hash).map(account).collect()
    }

    /// Counts the changes by tools.
    pub(crate) fn version(&self) -> DataVersion {
        let number =
            |name: &str| self.list(VERSION).next().and_then(|entry| entry[name].as_i64()).unwrap_or_default();
        DataVersion { counter: number("counter"), timestamp: number("timestamp"), ..DataVersion::default() }
    }

    /// Adds an access key, or changes what `config` says of one; what it leaves open stays.
    pub(crate) fn put_account(&mut self, config: &PlainAccessConfig) {
        let mut accounts = self.take_accounts();
        let at = accounts.iter().position(|entry| names(entry, &config.access_key));
        let old = at.map(|at| accounts.remove(at)).and_then(|entry| entry.into_hash());
        accounts.push(Yaml::Hash(merged(old.unwrap_or_default(), config)));
        self.set(ACCOUNTS, Yaml::Array(accounts));
    }

    /// Removes an access key; says whether it was there.
    pub(crate) fn remove_account(&mut self, access_key: &str) -> bool {
        let mut accounts = self.take_accounts();
        let before = accounts.len();
        accounts.retain(|entry| !names(entry, access_key));
        let removed = accounts.len() < before;
        self.set(ACCOUNTS, Yaml::Array(accounts));
        removed
    }

    /// Sets the addresses that need no key.
    pub(crate) fn set_trusted(&mut self, addresses: &[String]) {
        self.set(TRUSTED, strings(addresses));
    }

    /// Writes the file with the version after this one. Comments in it are lost, as with Apache.
    ///
    /// # Errors
    /// The disk refuses; the file is then as before.
    pub(crate) fn write(&mut self, now: i64) -> Result<(), AclError> {
        let version = self.version().next(now);
        let mut entry = Hash::new();
        entry.insert(key("counter"), Yaml::Integer(version.counter));
        entry.insert(key("timestamp"), Yaml::Integer(version.timestamp));
        self.set(VERSION, Yaml::Array(vec![Yaml::Hash(entry)]));
        let mut text = String::new();
        let root = Yaml::Hash(self.root.clone());
        YamlEmitter::new(&mut text).dump(&root).map_err(|error| AclError::file(&self.path, error))?;
        text.push('\n');
        config_file::save(&self.path, text.as_bytes(), Readers::Owner)
            .map_err(|error| AclError::file(&self.path, error))
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &Yaml> {
        self.root.get(&key(name)).and_then(Yaml::as_vec).into_iter().flatten()
    }

    fn take_accounts(&mut self) -> Vec<Yaml> {
        self.root.get(&key(ACCOUNTS)).and_then(Yaml::as_vec).cloned().unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: Yaml) {
        self.root.insert(key(name), value);
    }
}

fn key(name: &str) -> Yaml {
    Yaml::String(name.to_owned())
}

fn strings(texts: &[String]) -> Yaml {
    Yaml::Array(texts.iter().cloned().map(Yaml::String).collect())
}

fn names(entry: &Yaml, access_key: &str) -> bool {
    text(&entry[ACCESS_KEY]).as_deref() == Some(access_key)
}

/// Keys and secrets made of digits are texts all the same.
fn text(yaml: &Yaml) -> Option<String> {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    }
}

fn account(entry: &Hash) -> PlainAccessConfig {
    let field = |name| entry.get(&key(name));
    let one = |name| field(name).and_then(text);
    let many = |name| field(name).and_then(Yaml::as_vec).into_iter().flatten().filter_map(text).collect();
    PlainAccessConfig {
        access_key: one(ACCESS_KEY).unwrap_or_default(),
        admin: one("admin").is_some_and(|word| word == "true"),
        default_group_perm: one("defaultGroupPerm"),
        default_topic_perm: one("defaultTopicPerm"),
        group_perms: many("groupPerms"),
        secret_key: one("secretKey"),
        topic_perms: many("topicPerms"),
        white_remote_address: one("whiteRemoteAddress"),
    }
}

fn merged(mut entry: Hash, config: &PlainAccessConfig) -> Hash {
    let mut set = |name: &str, value: Option<Yaml>| {
        if let Some(value) = value {
            entry.insert(key(name), value);
        }
    };
    let word = |text: &Option<String>| text.clone().filter(|text| !text.is_empty()).map(Yaml::String);
    let perms = |texts: &Vec<String>| (!texts.is_empty()).then(|| strings(texts));
    set(ACCESS_KEY, Some(Yaml::String(config.access_key.clone())));
    set("secretKey", word(&config.secret_key));
    set("whiteRemoteAddress", config.white_remote_address.clone().map(Yaml::String));
    set("admin", Some(Yaml::Boolean(config.admin)));
    set("defaultTopicPerm", word(&config.default_topic_perm));
    set("defaultGroupPerm", word(&config.default_group_perm));
    set("topicPerms", perms(&config.topic_perms));
    set("groupPerms", perms(&config.group_perms));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "globalWhiteRemoteAddresses:\n- 10.10.103.*\naccounts:\n- accessKey: RocketMQ\n  secretKey: 12345678\n  \
        whiteRemoteAddress:\n  admin: false\n  defaultTopicPerm: DENY\n  topicPerms:\n  - topicA=DENY\n  - topicB=PUB|SUB\n  note: kept\n";

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain_acl.yml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_as_apache_ships_it() {
        let (_folder, path) = file(TEXT);
        let file = AclFile::read(&path).unwrap();
        assert_eq!(file.trusted(), ["10.10.103.*"]);
        let account = &file.accounts()[0];
        assert_eq!(
            (account.access_key.as_str(), account.secret_key.as_deref()),
            ("RocketMQ", Some("12345678"))
        );
        assert_eq!((account.admin, account.white_remote_address.as_deref()), (false, None));
        assert_eq!(account.topic_perms, ["topicA=DENY", "topicB=PUB|SUB"]);
        assert_eq!(file.version(), DataVersion::default());
    }

    #[test]
    fn changes_keep_what_they_do_not_name_and_count_up() {
        let (_folder, path) = file(TEXT);
        let mut file = AclFile::read(&path).unwrap();
        file.put_account(&PlainAccessConfig {
            access_key: "RocketMQ".into(),
            admin: true,
            ..PlainAccessConfig::default()
        });
        file.put_account(&PlainAccessConfig {
            access_key: "12345670".into(),
            ..PlainAccessConfig::default()
        });
        file.set_trusted(&["*".into()]);
        file.write(7).unwrap();
        file.write(9).unwrap();
        let mut file = AclFile::read(&path).unwrap();
        assert_eq!(
            file.accounts().iter().map(|account| account.access_key.as_str()).collect::<Vec<_>>(),
            ["RocketMQ", "12345670"]
        );
        let account = &file.accounts()[0];
        assert_eq!((account.admin, account.secret_key.as_deref()), (true, Some("12345678")));
        assert_eq!(account.topic_perms.len(), 2);
        assert_eq!(
            (file.trusted(), file.version().counter, file.version().timestamp),
            (vec!["*".to_owned()], 2, 9)
        );
        assert!(std::fs::read_to_string(&path).unwrap().contains("note: kept"));
        assert!(file.remove_account("RocketMQ") && !file.remove_account("RocketMQ"));
        assert_eq!(file.accounts().len(), 1);
    }

    #[test]
    fn nothing_is_no_rules_and_nonsense_is_an_error_that_names_the_file() {
        let (folder, path) = file("");
        assert!(AclFile::read(&path).unwrap().accounts().is_empty());
        assert!(AclFile::read(&folder.path().join("missing.yml")).unwrap().accounts().is_empty());
        for text in ["- a\n- b\n", "accounts: [", "just words"] {
            std::fs::write(&path, text).unwrap();
            assert!(AclFile::read(&path).unwrap_err().to_string().contains("plain_acl.yml"), "{text}");
        }
    }
}
