//! The faults of access rules.

use std::fmt;
use std::path::{Path, PathBuf};

/// Names the reason for which access control cannot begin as configured, or for which a change of its files is refused.
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
        /// The fault.
        problem: String,
    },
    /// A tool asks for a rule that cannot be one.
    #[error("{0}")]
    Refused(String),
}

impl AclError {
    pub(super) fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}
