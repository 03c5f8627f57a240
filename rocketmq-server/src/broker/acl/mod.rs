//! Who may do what: the rules of 4.x in files ([`plain`]), or the users and permissions of 5.x ([`auth`]).
//!
//! Both judge the same: what a request [needs](needs::Needs), which is declared beside its handler.

mod auth;
pub mod needs;
mod plain;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth::Auth;
use needs::{Needs, Owners};
use plain::admin::RuleFiles;
use plain::{Asker, PlainAcl};
use rocketmq_remoting::Command;

use super::dispatch::Requests;
use super::log::placement::restore;
use super::names::is_diversion;
use super::restart::Domains;
use super::settings::Fixed;
use crate::exchange::Refusal;
use crate::store::{Store, StoreError};

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
    plain: Option<Arc<PlainAcl>>,
    auth: Arc<Auth>,
    cluster: String,
}

/// What is known of an asker before its request is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It may do anything.
    Free,
    /// It may do what its permissions say.
    Judged,
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
        let auth = Auth::open(acl, &settings.store.root)?;
        if acl.authentication && !auth.has_users() {
            return Err(AclError::NoUsers.into());
        }
        Ok(Self { plain: plain.map(Arc::new), auth: Arc::new(auth), cluster: settings.cluster.clone() })
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

    /// Finds out who asks, before the request is read. Nobody who is not known makes the broker read bodies or the log.
    ///
    /// # Errors
    /// The asker is nobody who is known: code 1 by the rules of 4.x, code 16 by those of 5.x, as Apache's versions answer.
    pub fn admit(&self, from: IpAddr, command: &Command) -> Result<Pass, Refusal> {
        let Some(plain) = &self.plain else {
            return self.auth.admit(command);
        };
        if plain.trusts(from) {
            return Ok(Pass::Free);
        }
        Ok(match plain.identify(from, command).map_err(exception)? {
            Asker::Trusted => Pass::Free,
            Asker::Account => Pass::Judged,
        })
    }

    /// Refuses what the known asker of `command` may not do.
    ///
    /// # Errors
    /// The refusal, with the codes of [`admit`](Self::admit).
    pub fn judge(
        &self,
        from: IpAddr,
        command: &Command,
        needs: Needs,
        owners: &impl Owners,
    ) -> Result<(), Refusal> {
        let needs = needs.resolve(&self.cluster, owners);
        match &self.plain {
            Some(plain) => needs.and_then(|needs| plain.judge(command, &needs)).map_err(exception),
            None => {
                let context = |problem| format!("parse authorization context error. {problem}");
                let permitted =
                    needs.map_err(context).and_then(|needs| self.auth.permits(command, &needs, from));
                permitted.map_err(Refusal::forbidden)
            }
        }
    }

    /// Whether there are files that may change.
    pub fn has_files(&self) -> bool {
        self.plain.is_some()
    }

    /// Takes over what has changed in the files of rules.
    pub fn reload(&self) {
        self.plain.iter().for_each(|plain| plain.reload());
    }
}

/// The requests of tools about access control. Those about the files of 4.x are unknown where these are not in force.
pub fn requests(on: &mut Requests<'_, ()>, domains: &Domains) {
    let AccessControl { plain, auth, .. } = &*domains.acl;
    auth::admin::requests(&mut on.of(auth.clone()));
    if let Some(rules) = plain.clone() {
        let (clock, settings) = (domains.admin.log.clock.clone(), domains.admin.settings.clone());
        plain::admin::requests(&mut on.of(Arc::new(RuleFiles { rules, clock, settings })));
    }
}

fn exception(problem: String) -> Refusal {
    Refusal::system(format_args!("{EXCEPTION}{problem}"))
}

impl Owners for Store {
    /// A diverted message belongs where it will go.
    fn topic_at(&self, offset: i64) -> Option<String> {
        let record = self.read_queued(offset)?;
        Some(if is_diversion(&record.topic) { restore(record)?.topic } else { record.topic })
    }
}

/// The folder that holds the files of 4.x.
fn home(settings: &Fixed) -> &Path {
    settings.acl.home.as_deref().unwrap_or(&settings.store.root)
}
