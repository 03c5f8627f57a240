//! Users and permissions.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

/// A user of 5.x. The password travels in clear in both directions; `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserInfo {
    pub password: Option<String>,
    /// `enable` or `disable`.
    pub user_status: Option<String>,
    /// `Normal` or `Super`.
    pub user_type: Option<String>,
    pub username: Option<String>,
}

/// The permissions of one subject (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AclInfo {
    pub policies: Vec<PolicyInfo>,
    /// A user, as `User:name`.
    pub subject: Option<String>,
}

/// The permissions of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyInfo {
    pub entries: Vec<PolicyEntryInfo>,
    /// `Custom` or `Default`.
    pub policy_type: Option<String>,
}

/// One permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyEntryInfo {
    /// `Pub`, `Sub`, `Create` and others.
    pub actions: Vec<String>,
    /// `Allow` or `Deny`.
    pub decision: Option<String>,
    /// `Topic:name`, `Group:name` or `Cluster:name`; a `*` at the end stands for any rest.
    pub resource: Option<String>,
    pub source_ips: Option<Vec<String>>,
}

/// The file of permissions on 4.9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlainAclConfig {
    pub global_white_addrs: Vec<String>,
    pub plain_access_configs: Vec<PlainAccessConfig>,
}

/// An access key of 4.9. `Debug` hides the secret key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlainAccessConfig {
    pub access_key: String,
    pub admin: bool,
    pub default_group_perm: Option<String>,
    pub default_topic_perm: Option<String>,
    /// Entries such as `group=SUB`.
    pub group_perms: Vec<String>,
    pub secret_key: Option<String>,
    /// Entries such as `topic=PUB|SUB`.
    pub topic_perms: Vec<String>,
    pub white_remote_address: Option<String>,
}

impl std::fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserInfo")
            .field("username", &self.username)
            .field("user_type", &self.user_type)
            .field("user_status", &self.user_status)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PlainAccessConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainAccessConfig")
            .field("access_key", &self.access_key)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn captured_users_and_permissions() {
        let user = r#"{"password":"12345678","userStatus":"enable","userType":"Normal","username":"bob"}"#;
        let read: UserInfo = fastjson::from_slice(user.as_bytes()).unwrap();
        assert_eq!(fastjson::to_vec(&read).unwrap(), user.as_bytes());
        assert!(!format!("{read:?}").contains("12345678"));
        let acl = r#"{"policies":[{"entries":[{"actions":["Pub"],"decision":"Allow","resource":"Topic:TA"}],"policyType":"Custom"}],"subject":"User:bob"}"#;
        let read: AclInfo = fastjson::from_slice(acl.as_bytes()).unwrap();
        assert_eq!(fastjson::to_vec(&read).unwrap(), acl.as_bytes());
    }
}
