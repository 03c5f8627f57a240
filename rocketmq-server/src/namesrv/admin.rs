//! Serves requests of administrators: permissions, topics, key-value settings, the configuration.

use rocketmq_remoting::Command;
use rocketmq_remoting::Request;
use rocketmq_remoting::body::KvTable;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::route::{
    AddWritePermRequest, AddWritePermResponse, DeleteKvConfigRequest, DeleteTopicInNamesrvRequest,
    GetKvConfigRequest, GetKvConfigResponse, GetKvListRequest, PutKvConfigRequest, WipeWritePermRequest,
    WipeWritePermResponse,
};

use super::kv;
use super::state::{Answered, Refusal, State, body, done, header, rules};
use crate::broker::UpdateError;
use crate::config::NamesrvConfig;
use crate::net;

pub(super) fn delete_topic(state: &State, request: &Command) -> Answered {
    let asked = DeleteTopicInNamesrvRequest::from_ext(&request.ext)?;
    let cluster = asked.cluster_name.as_deref().filter(|name| !name.is_empty());
    state.table.write().delete_topic(&asked.topic, cluster);
    done()
}

pub(super) fn wipe_write_perm(state: &State, request: &Command) -> Answered {
    let asked = WipeWritePermRequest::from_ext(&request.ext)?;
    let wipe_topic_count = count(state.table.write().wipe_write_perm(&asked.broker_name));
    header(&WipeWritePermResponse { wipe_topic_count })
}

pub(super) fn add_write_perm(state: &State, request: &Command) -> Answered {
    let asked = AddWritePermRequest::from_ext(&request.ext)?;
    let add_topic_count = count(state.table.write().add_write_perm(&asked.broker_name));
    header(&AddWritePermResponse { add_topic_count })
}

fn count(topics: usize) -> i32 {
    i32::try_from(topics).unwrap_or(i32::MAX)
}

pub(super) fn put_kv(state: &State, request: &Command) -> Answered {
    let asked = PutKvConfigRequest::from_ext(&request.ext)?;
    state.kv.lock().put(asked.namespace, asked.key, asked.value)?;
    done()
}

pub(super) fn get_kv(state: &State, request: &Command) -> Answered {
    let asked = GetKvConfigRequest::from_ext(&request.ext)?;
    let value = state.kv.lock().get(&asked.namespace, &asked.key).map(str::to_owned);
    if value.is_none() {
        return Err(not_found(format!("no value for key {} in namespace {}", asked.key, asked.namespace)));
    }
    header(&GetKvConfigResponse { value })
}

pub(super) fn delete_kv(state: &State, request: &Command) -> Answered {
    let asked = DeleteKvConfigRequest::from_ext(&request.ext)?;
    state.kv.lock().delete(&asked.namespace, &asked.key)?;
    done()
}

pub(super) fn list_kv(state: &State, request: &Command) -> Answered {
    let asked = GetKvListRequest::from_ext(&request.ext)?;
    match state.kv.lock().namespace(&asked.namespace) {
        Some(table) => body(&KvTable { table: table.clone() }),
        None => Err(not_found(format!("no namespace {}", asked.namespace))),
    }
}

fn not_found(remark: String) -> Refusal {
    Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark)
}

pub(super) fn update_config(state: &State, request: &Command) -> Answered {
    let text = std::str::from_utf8(&request.body).map_err(|error| {
        Refusal::new(ResponseCode::SYSTEM_ERROR, format!("the body is not UTF-8: {error}"))
    })?;
    let mut config = state.config.write();
    let check = |changed: &NamesrvConfig| net::check(&changed.network);
    config.update(text, check).map_err(refuse_update)?;
    if let (None, Some(path)) = (&config.file, &config.config_path) {
        kv::replace(path, config.properties().as_bytes())?;
    }
    state.table.write().set_rules(rules(&config));
    done()
}

fn refuse_update(error: UpdateError) -> Refusal {
    let code = match error {
        UpdateError::BlackListed { .. } => ResponseCode::NO_PERMISSION,
        UpdateError::Unwritable { .. } => ResponseCode::SYSTEM_ERROR,
        _ => ResponseCode::INVALID_PARAMETER,
    };
    Refusal::new(code, error.to_string())
}

pub(super) fn get_config(state: &State) -> Answered {
    let text = state.config.read().properties();
    Ok(Command::response(ResponseCode::SUCCESS).with_body(text))
}
