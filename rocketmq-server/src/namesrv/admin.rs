//! Serves requests of administrators: permissions, topics, key-value settings, the configuration.

use std::io;

use rocketmq_remoting::Json;
use rocketmq_remoting::body::KvTable;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::route::{
    AddWritePermRequest, AddWritePermResponse, DeleteKvConfigRequest, DeleteTopicInNamesrvRequest,
    GetKvConfigRequest, GetKvConfigResponse, GetKvListRequest, GetNamesrvConfigRequest, PutKvConfigRequest,
    UpdateNamesrvConfigRequest, WipeWritePermRequest, WipeWritePermResponse,
};

use super::kv;
use super::state::{State, rules};
use crate::broker::UpdateError;
use crate::config::NamesrvConfig;
use crate::exchange::{Asked, Refusal, Response};
use crate::net;

pub(super) fn delete_topic(
    state: &State,
    asked: Asked<'_, DeleteTopicInNamesrvRequest>,
) -> Response<DeleteTopicInNamesrvRequest> {
    let asked = asked.header;
    let cluster = asked.cluster_name.as_deref().filter(|name| !name.is_empty());
    state.table.write().delete_topic(&asked.topic, cluster);
    Ok(())
}

pub(super) fn wipe_write_perm(
    state: &State,
    asked: Asked<'_, WipeWritePermRequest>,
) -> Response<WipeWritePermRequest> {
    let asked = asked.header;
    let wipe_topic_count = count(state.table.write().wipe_write_perm(&asked.broker_name));
    Ok(WipeWritePermResponse { wipe_topic_count })
}

pub(super) fn add_write_perm(
    state: &State,
    asked: Asked<'_, AddWritePermRequest>,
) -> Response<AddWritePermRequest> {
    let asked = asked.header;
    let add_topic_count = count(state.table.write().add_write_perm(&asked.broker_name));
    Ok(AddWritePermResponse { add_topic_count })
}

fn count(topics: usize) -> i32 {
    i32::try_from(topics).unwrap_or(i32::MAX)
}

pub(super) fn put_kv(state: &State, asked: Asked<'_, PutKvConfigRequest>) -> Response<PutKvConfigRequest> {
    let asked = asked.header;
    state.kv.lock().put(asked.namespace, asked.key, asked.value).map_err(unwritten)
}

pub(super) fn get_kv(state: &State, asked: Asked<'_, GetKvConfigRequest>) -> Response<GetKvConfigRequest> {
    let asked = asked.header;
    let value = state.kv.lock().get(&asked.namespace, &asked.key).map(str::to_owned);
    if value.is_none() {
        return Err(not_found(format!("no value for key {} in namespace {}", asked.key, asked.namespace)));
    }
    Ok(GetKvConfigResponse { value })
}

pub(super) fn delete_kv(
    state: &State,
    asked: Asked<'_, DeleteKvConfigRequest>,
) -> Response<DeleteKvConfigRequest> {
    let asked = asked.header;
    state.kv.lock().delete(&asked.namespace, &asked.key).map_err(unwritten)
}

pub(super) fn list_kv(state: &State, asked: Asked<'_, GetKvListRequest>) -> Response<GetKvListRequest> {
    let asked = asked.header;
    match state.kv.lock().namespace(&asked.namespace) {
        Some(table) => Ok(Json(KvTable { table: table.clone() })),
        None => Err(not_found(format!("no namespace {}", asked.namespace))),
    }
}

fn not_found(remark: String) -> Refusal {
    Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark)
}

pub(super) fn update_config(
    state: &State,
    asked: Asked<'_, UpdateNamesrvConfigRequest>,
) -> Response<UpdateNamesrvConfigRequest> {
    let mut config = state.config.write();
    let check = |changed: &NamesrvConfig| net::check(&changed.network);
    config.update(&asked.body, check).map_err(refuse_update)?;
    if let (None, Some(path)) = (&config.file, &config.config_path) {
        kv::replace(path, config.properties().as_bytes()).map_err(unwritten)?;
    }
    state.table.write().set_rules(rules(&config));
    Ok(())
}

fn refuse_update(error: UpdateError) -> Refusal {
    let code = match error {
        UpdateError::BlackListed { .. } => ResponseCode::NO_PERMISSION,
        UpdateError::Unwritable { .. } => ResponseCode::SYSTEM_ERROR,
        _ => ResponseCode::INVALID_PARAMETER,
    };
    Refusal::new(code, error.to_string())
}

fn unwritten(error: io::Error) -> Refusal {
    Refusal::system(format_args!("cannot write the configuration: {error}"))
}

pub(super) fn get_config(
    state: &State,
    _: Asked<'_, GetNamesrvConfigRequest>,
) -> Response<GetNamesrvConfigRequest> {
    Ok(state.config.read().properties())
}
