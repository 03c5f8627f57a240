//! The settings of access control. Names and defaults are Apache's.

use std::fmt;
use std::path::PathBuf;

use super::AclError;

/// Settings of access control. Everything is open by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AclSettings {
    /// `aclEnable`, false: the rules of 4.x, read from files.
    pub plain: bool,
    /// `rocketmqHome`: its `conf/plain_acl.yml` and `conf/acl/` hold the rules of 4.x. None: the store's folder.
    pub home: Option<PathBuf>,
    /// `authenticationEnabled`, false: the users of 5.x, kept by the broker.
    pub authentication: bool,
    /// `authorizationEnabled`, false: what these users may do.
    pub authorization: bool,
    /// `authenticationWhitelist`: request codes that need no user.
    pub authentication_whitelist: Vec<i32>,
    /// `authorizationWhitelist`: request codes that every user may use.
    pub authorization_whitelist: Vec<i32>,
    /// `initAuthenticationUser`: a super user that is made when it is missing.
    pub first_user: Option<Login>,
    /// `innerClientAuthenticationCredentials`: how this broker presents itself to others; a super user here too.
    pub own_login: Option<Login>,
}

impl AclSettings {
    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// Both kinds at once, or permissions without users.
    pub(super) fn check(&self) -> Result<(), AclError> {
        match self {
            Self { plain: true, authentication: true, .. } => Err(AclError::Both),
            Self { authorization: true, authentication: false, .. } => Err(AclError::NoAuthentication),
            _ => Ok(()),
        }
    }
}

/// A user's name and password. `Debug` shows the name only.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The access key.
    pub user: String,
    /// The secret key.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}
