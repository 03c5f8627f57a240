//! The rules of 4.x: access keys in YAML files, each with what it may send to and receive from.

mod address;
pub(crate) mod admin;
mod file;
mod folder;
mod permission;
mod rules;

use std::net::IpAddr;
use std::path::Path;

use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::Command;
use rocketmq_remoting::body::{PlainAccessConfig, PlainAclConfig};

use super::AclError;
use super::needs::Need;
use folder::{Folder, Loaded};
pub(crate) use rules::Asker;

/// The rules in force, and the files they came from.
#[derive(Debug)]
pub(crate) struct PlainAcl {
    folder: Mutex<Folder>,
    loaded: RwLock<Loaded>,
}

impl PlainAcl {
    /// Reads the rules below `home`.
    ///
    /// # Errors
    /// There are none, or a file holds what cannot be a rule.
    pub(crate) fn open(home: &Path) -> Result<Self, AclError> {
        let mut folder = Folder::new(home);
        let loaded = folder.load()?;
        if loaded.is_empty() {
            return Err(AclError::NoRules { path: folder.main_file().to_owned() });
        }
        Ok(Self { folder: Mutex::new(folder), loaded: RwLock::new(loaded) })
    }

    /// Finds out who sends `command` from this address.
    ///
    /// # Errors
    /// Nobody who is known.
    pub(crate) fn identify(&self, from: IpAddr, command: &Command) -> Result<Asker, String> {
        self.loaded.read().rules.identify(from, command)
    }

    /// Judges `command`, whose sender is known. The error is the reason of the refusal.
    pub(crate) fn judge(&self, command: &Command, needs: &[Need]) -> Result<(), String> {
        self.loaded.read().rules.judge(command, needs)
    }

    /// Returns true if every request from this address is served.
    pub(crate) fn trusts(&self, from: IpAddr) -> bool {
        self.loaded.read().rules.trusts(from)
    }

    /// Takes over changes on disk. If a file cannot be read, the rules stay as they are.
    pub(crate) fn reload(&self) {
        let mut folder = self.folder.lock();
        if !folder.has_changed() {
            return;
        }
        match folder.load() {
            Ok(loaded) => {
                tracing::info!(keys = loaded.rules.len(), "access rules read again");
                *self.loaded.write() = loaded;
            }
            Err(error) => tracing::error!(%error, "the access rules stay as they were"),
        }
    }

    /// Adds an access key or changes one.
    fn update(&self, config: &PlainAccessConfig, now: i64) -> Result<(), AclError> {
        self.edit(|folder| folder.update(config, now))
    }

    /// Removes an access key; says whether there was one.
    fn delete(&self, access_key: &str, now: i64) -> Result<bool, AclError> {
        self.edit(|folder| folder.delete(access_key, now))
    }

    /// Sets the addresses that need no key.
    fn set_trusted(&self, addresses: &[String], file: Option<&Path>, now: i64) -> Result<(), AclError> {
        self.edit(|folder| folder.set_trusted(addresses, file, now))
    }

    /// Changes files, then the rules to what the files say.
    fn edit<T>(&self, change: impl FnOnce(&mut Folder) -> Result<T, AclError>) -> Result<T, AclError> {
        let mut folder = self.folder.lock();
        let result = change(&mut folder)?;
        *self.loaded.write() = folder.load()?;
        Ok(result)
    }

    /// Everything the files say.
    fn config(&self) -> PlainAclConfig {
        self.loaded.read().config.clone()
    }
}
