//! Users of 5.x: a name, a password, and whether they are above all permissions.

use std::fmt;

use rocketmq_remoting::body::UserInfo;

use crate::broker::acl::settings::Login;

/// One user. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub password: String,
    /// Needs no permissions.
    pub is_super: bool,
    pub enabled: bool,
}

impl User {
    /// A user above all permissions.
    pub(crate) fn above_all(login: &Login) -> Self {
        Self { password: login.password.clone(), is_super: true, enabled: true }
    }

    /// A new user as a tool describes it; normal and enabled unless it says otherwise. `None`: no password.
    pub(crate) fn new(info: &UserInfo) -> Option<Self> {
        let password = given(&info.password)?;
        Some(Self {
            password,
            is_super: is_super(info).unwrap_or(false),
            enabled: is_enabled(info).unwrap_or(true),
        })
    }

    /// Takes over what `info` says; what it leaves open stays.
    pub(crate) fn update(&mut self, info: &UserInfo) {
        self.password = given(&info.password).unwrap_or_else(|| std::mem::take(&mut self.password));
        self.is_super = is_super(info).unwrap_or(self.is_super);
        self.enabled = is_enabled(info).unwrap_or(self.enabled);
    }

    /// As tools read it, the password in clear as with Apache.
    pub(crate) fn show(&self, name: &str) -> UserInfo {
        UserInfo {
            password: Some(self.password.clone()),
            user_status: Some(if self.enabled { "enable" } else { "disable" }.into()),
            user_type: Some(if self.is_super { "Super" } else { "Normal" }.into()),
            username: Some(name.into()),
        }
    }
}

/// Returns true if `info` asks for a user above all permissions.
pub(crate) fn is_super(info: &UserInfo) -> Option<bool> {
    one_of(info.user_type.as_deref(), "Super", "Normal")
}

fn is_enabled(info: &UserInfo) -> Option<bool> {
    one_of(info.user_status.as_deref(), "enable", "disable")
}

fn one_of(word: Option<&str>, yes: &str, no: &str) -> Option<bool> {
    let word = word?;
    if word.eq_ignore_ascii_case(yes) { Some(true) } else { word.eq_ignore_ascii_case(no).then_some(false) }
}

fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.trim().is_empty())
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("is_super", &self.is_super)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}
