//! Users and permissions: 5.x brokers keep them themselves, 4.9 brokers in a file.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{AclInfo, PlainAclConfig, UserInfo};
use crate::payload::Json;

/// Adds a user; the body is a [`UserInfo`](crate::body::UserInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateUserRequest {
    pub username: String,
}

/// Changes a user; the body is a [`UserInfo`](crate::body::UserInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUserRequest {
    pub username: String,
}

/// Removes a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteUserRequest {
    pub username: String,
}

/// Asks for a user. Answered without a body when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetUserRequest {
    pub username: String,
}

/// Asks for the users whose name holds the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListUserRequest {
    pub filter: Option<String>,
}

/// Adds permissions; the body is an [`AclInfo`](crate::body::AclInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAclRequest {
    pub subject: String,
}

/// Changes permissions; the body is an [`AclInfo`](crate::body::AclInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAclRequest {
    pub subject: String,
}

/// Removes permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteAclRequest {
    pub subject: String,
    pub policy_type: Option<String>,
    pub resource: Option<String>,
}

/// Asks for a subject's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAclRequest {
    pub subject: String,
}

/// Asks for the permissions that hold the filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAclRequest {
    pub subject_filter: Option<String>,
    pub resource_filter: Option<String>,
}

/// 4.9: adds or changes an access key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePlainAclRequest {
    pub access_key: String,
    pub secret_key: Option<String>,
    pub white_remote_address: Option<String>,
    #[serde(default)]
    pub admin: bool,
    pub default_topic_perm: Option<String>,
    pub default_group_perm: Option<String>,
    /// `topic=PUB|SUB`, joined by commas.
    pub topic_perms: Option<String>,
    /// `group=SUB`, joined by commas.
    pub group_perms: Option<String>,
}

/// 4.9: removes an access key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletePlainAclRequest {
    pub access_key: String,
}

/// 4.9: the addresses that need no key, joined by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateGlobalWhiteAddrsRequest {
    pub global_white_addrs: String,
}

/// 4.9: asks for the version of the file. Not answered at all while ACL is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetPlainAclVersionRequest {}

/// 4.9: the version of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainAclVersionResponse {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    /// A [`DataVersion`](crate::body::DataVersion) as JSON.
    pub version: Option<String>,
    pub all_acl_file_version: Option<String>,
}

/// 4.9: asks for the file; the body is a [`PlainAclConfig`](crate::body::PlainAclConfig). Not answered at all while ACL is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetPlainAclConfigRequest {}

headers!(PlainAclVersionResponse);

exchanges! {
    CreateUserRequest = AUTH_CREATE_USER, Json<UserInfo> => ();
    UpdateUserRequest = AUTH_UPDATE_USER, Json<UserInfo> => ();
    DeleteUserRequest = AUTH_DELETE_USER => ();
    GetUserRequest = AUTH_GET_USER => Option<Json<UserInfo>>;
    ListUserRequest = AUTH_LIST_USER => Option<Json<Vec<UserInfo>>>;
    CreateAclRequest = AUTH_CREATE_ACL, Json<AclInfo> => ();
    UpdateAclRequest = AUTH_UPDATE_ACL, Json<AclInfo> => ();
    DeleteAclRequest = AUTH_DELETE_ACL => ();
    GetAclRequest = AUTH_GET_ACL => Option<Json<AclInfo>>;
    ListAclRequest = AUTH_LIST_ACL => Option<Json<Vec<AclInfo>>>;
    UpdatePlainAclRequest = UPDATE_AND_CREATE_ACL_CONFIG => ();
    DeletePlainAclRequest = DELETE_ACL_CONFIG => ();
    UpdateGlobalWhiteAddrsRequest = UPDATE_GLOBAL_WHITE_ADDRS_CONFIG => ();
    GetPlainAclVersionRequest = GET_BROKER_CLUSTER_ACL_INFO => PlainAclVersionResponse;
    GetPlainAclConfigRequest = GET_BROKER_CLUSTER_ACL_CONFIG => Json<PlainAclConfig>;
}
