//! Users and permissions. 5.x brokers keep them in tables of their own, 4.9 brokers in a file.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{AclInfo, PlainAclConfig, UserInfo};
use crate::payload::Json;

/// Creates a user (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateUserRequest {
    pub username: String,
}

/// Changes a user (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUserRequest {
    pub username: String,
}

/// Deletes a user (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteUserRequest {
    pub username: String,
}

/// Asks for a user (5.x). Without such a user the response has no body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetUserRequest {
    pub username: String,
}

/// Asks for the users whose names contain the filter (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListUserRequest {
    pub filter: Option<String>,
}

/// Creates permissions of a subject (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAclRequest {
    pub subject: String,
}

/// Changes permissions of a subject (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAclRequest {
    pub subject: String,
}

/// Deletes permissions of a subject (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteAclRequest {
    pub subject: String,
    pub policy_type: Option<String>,
    pub resource: Option<String>,
}

/// Asks for the permissions of a subject (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAclRequest {
    pub subject: String,
}

/// Asks for the permissions whose subjects and resources contain the filters (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAclRequest {
    pub subject_filter: Option<String>,
    pub resource_filter: Option<String>,
}

/// Creates or changes an access key (4.9).
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
    /// Entries such as `topic=PUB|SUB`, separated by commas.
    pub topic_perms: Option<String>,
    /// Entries such as `group=SUB`, separated by commas.
    pub group_perms: Option<String>,
}

/// Deletes an access key (4.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletePlainAclRequest {
    pub access_key: String,
}

/// Sets the addresses that need no access key, separated by commas (4.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateGlobalWhiteAddrsRequest {
    pub global_white_addrs: String,
    /// The file to write them to; absent means the main file.
    pub acl_file_full_path: Option<String>,
}

/// Asks for the version of the file (4.9). A broker without access control sends no response at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetPlainAclVersionRequest {}

/// The version of the file (4.9).
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

/// Asks for the file (4.9). A broker without access control sends no response at all.
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
