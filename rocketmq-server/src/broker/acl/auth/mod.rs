//! Access control of 5.x: users and their permissions, kept by the broker and changed by tools.

pub(crate) mod admin;
mod policy;
mod resource;
mod users;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use parking_lot::RwLock;
use policy::{Acl, Verdict};
use resource::kind_name;
use rocketmq_remoting::body::{AclInfo, UserInfo};
use rocketmq_remoting::{Command, signature};
use users::User;

use super::needs::Need;
use super::pass::Pass;
use super::settings::{AclSettings, Login};
use crate::broker::persist::table_file::TableFile;
use crate::exchange::Refusal;
use crate::store::StoreError;

/// Users and their permissions.
#[derive(Debug)]
pub(crate) struct Auth {
    settings: AclSettings,
    tables: RwLock<Tables>,
    users_file: TableFile,
    acls_file: TableFile,
}

#[derive(Debug, Default)]
struct Tables {
    users: BTreeMap<String, User>,
    acls: BTreeMap<String, Acl>,
}

fn users_file(store_root: &Path) -> TableFile {
    TableFile::secret(store_root, "users.json")
}

impl Auth {
    /// Reads the tables below `store_root` and makes the configured super users that are missing.
    ///
    /// # Errors
    /// A table cannot be read or written.
    pub(crate) fn open(settings: &AclSettings, store_root: &Path) -> Result<Self, StoreError> {
        let (users_file, acls_file) = (users_file(store_root), TableFile::secret(store_root, "acls.json"));
        let users: BTreeMap<String, UserInfo> = users_file.load()?;
        let acls: BTreeMap<String, AclInfo> = acls_file.load()?;
        let tables = Tables {
            users: users.into_iter().filter_map(|(name, info)| Some((name, User::new(&info)?))).collect(),
            acls: acls.into_iter().filter_map(|(name, info)| Some((name, Acl::read(&info).ok()?))).collect(),
        };
        let tables = RwLock::new(tables);
        let auth = Self { settings: settings.clone(), tables, users_file, acls_file };
        [&settings.first_user, &settings.own_login]
            .into_iter()
            .flatten()
            .try_for_each(|login| auth.ensure(login))?;
        Ok(auth)
    }

    /// Returns true if the broker of this store has users already.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(crate) fn keeps_users(store_root: &Path) -> Result<bool, StoreError> {
        let users: BTreeMap<String, UserInfo> = users_file(store_root).load()?;
        Ok(!users.is_empty())
    }

    /// A user that is there keeps its password.
    fn ensure(&self, login: &Login) -> Result<(), StoreError> {
        if self.tables.read().users.contains_key(&login.user) {
            return Ok(());
        }
        self.tables.write().users.insert(login.user.clone(), User::above_all(login));
        self.save_users()
    }

    /// Returns true if anybody can log in.
    pub(crate) fn has_users(&self) -> bool {
        !self.tables.read().users.is_empty()
    }

    /// Finds out which user asks. The user must be known. The request is judged unless the user is above all permissions.
    ///
    /// # Errors
    /// Code 16: no such user, or the signature is wrong.
    pub(crate) fn admit(&self, command: &Command) -> Result<Pass, Refusal> {
        let settings = &self.settings;
        if settings.authentication && !settings.authentication_whitelist.contains(&command.code) {
            self.authenticate(command).map_err(Refusal::forbidden)?;
        }
        let judged = settings.authorization && !settings.authorization_whitelist.contains(&command.code);
        Ok(if judged && !self.is_super(user_of(command)) { Pass::Judged } else { Pass::Free })
    }

    fn authenticate(&self, command: &Command) -> Result<(), String> {
        let name =
            Some(user_of(command)).filter(|name| !name.is_empty()).ok_or("username cannot be null.")?;
        let tables = self.tables.read();
        let user = tables.users.get(name).ok_or_else(|| format!("User:{name} is not found."))?;
        if !user.enabled {
            return Err(format!("User:{name} is disabled."));
        }
        signature::verify(command, &user.password)
            .then_some(())
            .ok_or_else(|| "check signature failed.".into())
    }

    fn is_super(&self, name: &str) -> bool {
        self.tables.read().users.get(name).is_some_and(|user| user.is_super)
    }

    /// Refuses what the user who sends `command` has no permission for.
    ///
    /// # Errors
    /// The words of the refusal.
    pub(crate) fn permits(&self, command: &Command, needs: &[Need], from: IpAddr) -> Result<(), String> {
        if needs.is_empty() {
            return Ok(());
        }
        let name = user_of(command);
        let tables = self.tables.read();
        if !tables.users.contains_key(name) {
            return Err(format!("User:{name} not found."));
        }
        let acl = tables.acls.get(name);
        needs.iter().try_for_each(|need| judge(acl, name, need, from))
    }

    fn save_users(&self) -> Result<(), StoreError> {
        self.users_file.save(|| {
            let tables = self.tables.read();
            tables
                .users
                .iter()
                .map(|(name, user)| (name.clone(), user.show(name)))
                .collect::<BTreeMap<_, _>>()
        })
    }

    fn save_acls(&self) -> Result<(), StoreError> {
        self.acls_file.save(|| {
            let tables = self.tables.read();
            let shown = tables.acls.iter().map(|(name, acl)| (name.clone(), acl.show(&subject(name), "")));
            shown.collect::<BTreeMap<_, _>>()
        })
    }
}

fn user_of(command: &Command) -> &str {
    command.ext.get(signature::ACCESS_KEY).unwrap_or_default()
}

fn judge(acl: Option<&Acl>, user: &str, need: &Need, from: IpAddr) -> Result<(), String> {
    let why = match acl.map_or(Verdict::Unmentioned, |acl| acl.judge(need, from)) {
        Verdict::Allowed => return Ok(()),
        Verdict::Denied => "the decision is deny.",
        Verdict::Unmentioned => "no matched policies.",
    };
    let (kind, name) = (kind_name(need.kind), &need.name);
    Err(format!("User:{user} has no permission to access {kind}:{name} from {from}, {why}"))
}

fn subject(user: &str) -> String {
    format!("User:{user}")
}
