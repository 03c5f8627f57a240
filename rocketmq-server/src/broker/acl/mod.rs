//! Who may do what: the rules of 4.x in files ([`plain`]), or the users and permissions of 5.x ([`auth`]).
//!
//! Both ask the same of a request, which [`needs`] finds out. A request is checked before any handler sees it.

mod auth;
mod needs;
mod plain;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rocketmq_remoting::Command;
use rocketmq_remoting::code::RequestCode as Code;

use super::answer::{Refusal, Reply};
use super::core::Core;
use super::log::placement::unpark;
use super::names::is_parking;
use super::settings::Fixed;
use crate::store::{Store, StoreError};
use auth::Auth;
use needs::{Owners, needs};
use plain::{Asker, PlainAcl};
pub use settings::{AclSettings, Login};

/// How clients recognise a refusal by the rules of 4.x.
const EXCEPTION: &str = "org.apache.rocketmq.acl.common.AclException: ";

/// Why access control cannot be had as configured, or a change of its files is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AclError {
    /// Both kinds at once.
    #[error(
        "`aclEnable` and `authenticationEnabled` are both true: choose the files of 4.x or the users of 5.x"
    )]
    Both,
    /// Permissions for users that nobody checks.
    #[error(
        "`authorizationEnabled` is true without `authenticationEnabled`: anyone could claim to be any user"
    )]
    NoAuthentication,
    /// Nobody could ever log in.
    #[error(
        "`authenticationEnabled` is true, but there is no user: name the first one in `initAuthenticationUser`"
    )]
    NoUsers,
    /// No file, or none with a rule.
    #[error("`aclEnable` is true, but {} has no access key: write one there, or set `rocketmqHome`", path.display())]
    NoRules {
        /// The file where rules are looked for last.
        path: PathBuf,
    },
    /// A file of rules that cannot be read, used or written.
    #[error("the access rules in {}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What a tool asks for cannot be a rule.
    #[error("{0}")]
    Refused(String),
}

impl AclError {
    fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// The access control of one broker.
#[derive(Debug)]
pub struct AccessControl {
    plain: Option<PlainAcl>,
    auth: Auth,
    cluster: String,
}

/// Why [`AccessControl::open`] fails.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Acl(#[from] AclError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessControl {
    /// Reads rules, users and permissions.
    ///
    /// # Errors
    /// The settings contradict each other, or a file cannot be used.
    pub fn open(settings: &Fixed) -> Result<Self, OpenError> {
        let acl = &settings.acl;
        acl.check()?;
        let plain = acl.plain.then(|| PlainAcl::open(home(settings))).transpose()?;
        let auth = Auth::open(acl, &settings.cluster, &settings.store.root)?;
        if acl.authentication && !auth.has_users() {
            return Err(AclError::NoUsers.into());
        }
        Ok(Self { plain, auth, cluster: settings.cluster.clone() })
    }

    /// Says what would keep access control from being opened with these settings. Changes nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn could_open(settings: &Fixed) -> Result<(), OpenError> {
        let acl = &settings.acl;
        acl.check()?;
        if acl.plain {
            PlainAcl::open(home(settings))?;
        }
        let names_a_user = acl.first_user.is_some() || acl.own_login.is_some();
        if acl.authentication && !names_a_user && !Auth::keeps_users(&settings.store.root)? {
            return Err(AclError::NoUsers.into());
        }
        Ok(())
    }

    /// Refuses what the peer at `from` may not ask for.
    ///
    /// # Errors
    /// The refusal: code 1 by the rules of 4.x, code 16 by those of 5.x, as Apache's versions answer; and code 3 for a request
    /// that no rule is about, so that one forgotten in the table of needs is closed and not open to all.
    pub fn check(&self, from: IpAddr, command: &Command, owners: &impl Owners) -> Result<(), Refusal> {
        let Some(plain) = &self.plain else {
            return self.auth.check(from, command, owners);
        };
        if plain.trusts(from) {
            return Ok(());
        }
        self.check_plain(plain, from, command, owners)
    }

    /// Finding out what a request needs may read the log, which nobody causes who is not known.
    fn check_plain(
        &self,
        plain: &PlainAcl,
        from: IpAddr,
        command: &Command,
        owners: &impl Owners,
    ) -> Result<(), Refusal> {
        match plain.identify(from, command).map_err(exception)? {
            Asker::Trusted => Ok(()),
            Asker::Account => {
                let needs = needs(command, &self.cluster, owners).map_err(exception)?;
                let needs = needs.ok_or_else(|| Refusal::unsupported(command.request_code()))?;
                plain.judge(command, &needs).map_err(exception)
            }
        }
    }

    /// Whether there are files that may change.
    pub fn has_files(&self) -> bool {
        self.plain.is_some()
    }

    /// Takes over what has changed in the files of rules.
    pub fn reload(&self) {
        self.plain.iter().for_each(PlainAcl::reload);
    }
}

fn exception(problem: String) -> Refusal {
    Refusal::system(format_args!("{EXCEPTION}{problem}"))
}

impl Owners for Store {
    /// A message that is parked belongs where it will go.
    fn topic_at(&self, offset: i64) -> Option<String> {
        let record = self.read_queued(offset)?;
        Some(if is_parking(&record.topic) { unpark(record)?.topic } else { record.topic })
    }
}

/// What tools ask about access control; `None` for every other request.
pub fn administer(core: &Core, command: &Command) -> Option<Reply> {
    let auth = &core.acl.auth;
    Some(match command.request_code() {
        Code::AUTH_CREATE_USER => auth::admin::create_user(auth, command),
        Code::AUTH_UPDATE_USER => auth::admin::update_user(auth, command),
        Code::AUTH_DELETE_USER => auth::admin::delete_user(auth, command),
        Code::AUTH_GET_USER => auth::admin::get_user(auth, command),
        Code::AUTH_LIST_USER => auth::admin::list_users(auth, command),
        Code::AUTH_CREATE_ACL => auth::admin::create_acl(auth, command),
        Code::AUTH_UPDATE_ACL => auth::admin::update_acl(auth, command),
        Code::AUTH_DELETE_ACL => auth::admin::delete_acl(auth, command),
        Code::AUTH_GET_ACL => auth::admin::get_acl(auth, command),
        Code::AUTH_LIST_ACL => auth::admin::list_acls(auth, command),
        code => {
            return core.acl.plain.as_ref().and_then(|plain| administer_files(core, plain, code, command));
        }
    })
}

fn administer_files(core: &Core, plain: &PlainAcl, code: Code, command: &Command) -> Option<Reply> {
    Some(match code {
        Code::UPDATE_AND_CREATE_ACL_CONFIG => plain::admin::update(core, plain, command),
        Code::DELETE_ACL_CONFIG => plain::admin::delete(core, plain, command),
        Code::UPDATE_GLOBAL_WHITE_ADDRS_CONFIG => plain::admin::set_trusted(core, plain, command),
        Code::GET_BROKER_CLUSTER_ACL_INFO => plain::admin::version(core, plain),
        Code::GET_BROKER_CLUSTER_ACL_CONFIG => plain::admin::config(plain),
        _ => return None,
    })
}

/// The folder that holds the files of 4.x.
fn home(settings: &Fixed) -> &Path {
    settings.acl.home.as_deref().unwrap_or(&settings.store.root)
}
