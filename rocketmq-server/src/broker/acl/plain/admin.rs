//! The files of access rules as tools of 4.9 read and change them (50 to 54).

use std::path::Path;

use rocketmq_remoting::body::PlainAccessConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::admin::{
    DeletePlainAclRequest, PlainAclVersionResponse, UpdateGlobalWhiteAddrsRequest, UpdatePlainAclRequest,
};
use rocketmq_remoting::{Command, Request};

use super::PlainAcl;
use crate::broker::answer::{Refusal, Reply, json, ok, ok_header, ok_json};
use crate::broker::core::Core;

/// Codes of 4.9, which other answers have now.
const UPDATE_FAILED: ResponseCode = ResponseCode(209);
const DELETE_FAILED: ResponseCode = ResponseCode(210);
const TRUST_FAILED: ResponseCode = ResponseCode(211);

/// UPDATE_AND_CREATE_ACL_CONFIG (50).
pub fn update(core: &Core, acl: &PlainAcl, command: &Command) -> Reply {
    let request = UpdatePlainAclRequest::from_ext(&command.ext)?;
    let config = PlainAccessConfig {
        access_key: request.access_key,
        admin: request.admin,
        default_group_perm: request.default_group_perm,
        default_topic_perm: request.default_topic_perm,
        group_perms: split(request.group_perms.as_deref()),
        secret_key: request.secret_key,
        topic_perms: split(request.topic_perms.as_deref()),
        white_remote_address: request.white_remote_address,
    };
    acl.update(&config, core.now()).map_err(|error| Refusal::new(UPDATE_FAILED, error.to_string()))?;
    Ok(ok())
}

/// DELETE_ACL_CONFIG (51).
pub fn delete(core: &Core, acl: &PlainAcl, command: &Command) -> Reply {
    let key = DeletePlainAclRequest::from_ext(&command.ext)?.access_key;
    match acl.delete(&key, core.now()) {
        Ok(true) => Ok(ok()),
        Ok(false) => {
            let remark =
                format!("The accesskey[{key}] corresponding to accessConfig has been deleted failed.");
            Err(Refusal::new(DELETE_FAILED, remark))
        }
        Err(error) => Err(Refusal::new(DELETE_FAILED, error.to_string())),
    }
}

/// UPDATE_GLOBAL_WHITE_ADDRS_CONFIG (53).
pub fn set_trusted(core: &Core, acl: &PlainAcl, command: &Command) -> Reply {
    let addresses = UpdateGlobalWhiteAddrsRequest::from_ext(&command.ext)?.global_white_addrs;
    let file = command.ext.get("aclFileFullPath").filter(|path| !path.is_empty()).map(Path::new);
    acl.set_trusted(&split(Some(&addresses)), file, core.now())
        .map_err(|error| Refusal::new(TRUST_FAILED, error.to_string()))?;
    Ok(ok())
}

/// GET_BROKER_CLUSTER_ACL_INFO (52).
pub fn version(core: &Core, acl: &PlainAcl) -> Reply {
    let text = |json: Vec<u8>| String::from_utf8_lossy(&json).into_owned();
    let loaded = acl.loaded.read();
    ok_header(&PlainAclVersionResponse {
        broker_name: core.settings.broker_name.clone(),
        broker_addr: core.address.to_string(),
        cluster_name: core.settings.cluster.clone(),
        version: Some(text(json(&loaded.main_version)?)),
        all_acl_file_version: Some(text(json(&loaded.versions)?)),
    })
}

/// GET_BROKER_CLUSTER_ACL_CONFIG (54).
pub fn config(acl: &PlainAcl) -> Reply {
    ok_json(&acl.config())
}

fn split(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
