//! The files of access rules as tools of 4.9 read and change them (50 to 54).

use std::path::Path;
use std::sync::Arc;

use rocketmq_remoting::body::PlainAccessConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::admin::{
    DeletePlainAclRequest, GetPlainAclConfigRequest, GetPlainAclVersionRequest, PlainAclVersionResponse,
    UpdateGlobalWhiteAddrsRequest, UpdatePlainAclRequest,
};
use rocketmq_remoting::{Json, fastjson};

use super::PlainAcl;
use crate::broker::acl::needs::{Needs, UPDATE};
use crate::broker::requests::Requests;
use crate::broker::settings::Current;
use crate::clock::Clock;
use crate::exchange::{Asked, Refusal, Response, on_disk};

/// Codes of 4.9, which other answers have now.
const UPDATE_FAILED: ResponseCode = ResponseCode(209);
const DELETE_FAILED: ResponseCode = ResponseCode(210);
const TRUST_FAILED: ResponseCode = ResponseCode(211);

/// The parts of these requests.
#[derive(Debug)]
pub(crate) struct RuleFiles {
    pub rules: Arc<PlainAcl>,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Current>,
}

/// The requests about the files.
pub(crate) fn requests(on: &mut Requests<'_, RuleFiles>) {
    on.request::<UpdatePlainAclRequest>(|_, _| UPDATE.cluster(), on_disk(update));
    on.request::<DeletePlainAclRequest>(|_, _| UPDATE.cluster(), on_disk(delete));
    on.request::<UpdateGlobalWhiteAddrsRequest>(|_, _| UPDATE.cluster(), on_disk(set_trusted));
    on.request::<GetPlainAclVersionRequest>(|_, _| Needs::nothing(), version);
    // Its answer holds every secret key.
    on.request::<GetPlainAclConfigRequest>(|_, _| UPDATE.cluster(), config);
}

/// UPDATE_AND_CREATE_ACL_CONFIG (50).
pub(crate) fn update(
    files: &RuleFiles,
    asked: Asked<'_, UpdatePlainAclRequest>,
) -> Response<UpdatePlainAclRequest> {
    let request = asked.header;
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
    files
        .rules
        .update(&config, files.clock.now_ms())
        .map_err(|error| Refusal::new(UPDATE_FAILED, error.to_string()))?;
    Ok(())
}

/// DELETE_ACL_CONFIG (51).
pub(crate) fn delete(
    files: &RuleFiles,
    asked: Asked<'_, DeletePlainAclRequest>,
) -> Response<DeletePlainAclRequest> {
    let key = asked.header.access_key;
    match files.rules.delete(&key, files.clock.now_ms()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let remark =
                format!("The accesskey[{key}] corresponding to accessConfig has been deleted failed.");
            Err(Refusal::new(DELETE_FAILED, remark))
        }
        Err(error) => Err(Refusal::new(DELETE_FAILED, error.to_string())),
    }
}

/// UPDATE_GLOBAL_WHITE_ADDRS_CONFIG (53).
pub(crate) fn set_trusted(
    files: &RuleFiles,
    asked: Asked<'_, UpdateGlobalWhiteAddrsRequest>,
) -> Response<UpdateGlobalWhiteAddrsRequest> {
    let UpdateGlobalWhiteAddrsRequest { global_white_addrs, acl_file_full_path } = &asked.header;
    let file = acl_file_full_path.as_deref().filter(|path| !path.is_empty()).map(Path::new);
    files
        .rules
        .set_trusted(&split(Some(global_white_addrs)), file, files.clock.now_ms())
        .map_err(|error| Refusal::new(TRUST_FAILED, error.to_string()))?;
    Ok(())
}

/// GET_BROKER_CLUSTER_ACL_INFO (52).
pub(crate) fn version(
    files: &RuleFiles,
    _: Asked<'_, GetPlainAclVersionRequest>,
) -> Response<GetPlainAclVersionRequest> {
    let loaded = files.rules.loaded.read();
    Ok(PlainAclVersionResponse {
        broker_name: files.settings.fixed.broker_name.clone(),
        broker_addr: files.settings.address.to_string(),
        cluster_name: files.settings.fixed.cluster.clone(),
        version: Some(fastjson::to_text(&loaded.main_version)?),
        all_acl_file_version: Some(fastjson::to_text(&loaded.versions)?),
    })
}

/// GET_BROKER_CLUSTER_ACL_CONFIG (54).
pub(crate) fn config(
    files: &RuleFiles,
    _: Asked<'_, GetPlainAclConfigRequest>,
) -> Response<GetPlainAclConfigRequest> {
    Ok(Json(files.rules.config()))
}

fn split(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
