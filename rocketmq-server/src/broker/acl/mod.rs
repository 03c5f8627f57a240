//! Access control: the rules of 4.x in files ([`plain`]), or the users and permissions of 5.x ([`auth`]).
//!
//! Both judge a request by its [needs](needs::Needs), which each domain declares beside the handler.

mod auth;
mod control;
mod error;
pub(crate) mod needs;
mod pass;
mod plain;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use plain::admin::RuleFiles;

use super::log::Log;
use super::requests::Requests;

pub(crate) use control::{AccessControl, OpenError};
pub use error::AclError;
pub(crate) use pass::Pass;
pub use settings::{AclSettings, Login};

/// The requests of tools about access control. Those about the files of 4.x are unknown where these are not in force.
pub(crate) fn requests(on: &mut Requests<'_, ()>, acl: &AccessControl, log: &Log) {
    let AccessControl { plain, auth, .. } = acl;
    auth::admin::requests(&mut on.of(auth.clone()));
    if let Some(rules) = plain.clone() {
        let (clock, settings) = (log.clock.clone(), log.settings.clone());
        plain::admin::requests(&mut on.of(Arc::new(RuleFiles { rules, clock, settings })));
    }
}
