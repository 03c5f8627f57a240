//! Judges requests: by the files of 4.x, or by the users of 5.x.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rocketmq_remoting::Command;

use super::auth::Auth;
use super::error::AclError;
use super::needs::{Needs, Owners};
use super::pass::Pass;
use super::plain::{Asker, PlainAcl};
use crate::broker::log::placement::restore;
use crate::broker::names::is_diversion;
use crate::broker::settings::Fixed;
use crate::exchange::Refusal;
use crate::store::{Store, StoreError};

/// The beginning by which clients recognise a refusal by the rules of 4.x.
const EXCEPTION: &str = "org.apache.rocketmq.acl.common.AclException: ";

/// The access control of one broker.
#[derive(Debug)]
pub(crate) struct AccessControl {
    pub(super) plain: Option<Arc<PlainAcl>>,
    pub(super) auth: Arc<Auth>,
    cluster: String,
}

/// Names the reason for which [`AccessControl::open`] fails.
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
    pub(crate) fn open(settings: &Fixed) -> Result<Self, OpenError> {
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
    pub(crate) fn could_open(settings: &Fixed) -> Result<(), OpenError> {
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

    /// Finds out who asks, before the request is read: a stranger must not make the broker read bodies or the log.
    ///
    /// # Errors
    /// The asker is unknown: code 1 by the rules of 4.x, code 16 by those of 5.x, as Apache's versions answer.
    pub(crate) fn admit(&self, from: IpAddr, command: &Command) -> Result<Pass, Refusal> {
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
    pub(crate) fn judge(
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

    /// Returns true if there are files that may change.
    pub(crate) fn has_files(&self) -> bool {
        self.plain.is_some()
    }

    /// Takes over what has changed in the files of rules.
    pub(crate) fn reload(&self) {
        self.plain.iter().for_each(|plain| plain.reload());
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
