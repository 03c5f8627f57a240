//! Registers brokers and takes their heartbeats.

use bytes::Bytes;
use rocketmq_remoting::Command;
use rocketmq_remoting::Request;
use rocketmq_remoting::body::{DataVersion, KvTable, RegisterBrokerBody};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::requests::route::{
    BrokerHeartbeatRequest, QueryDataVersionRequest, QueryDataVersionResponse, RegisterBrokerRequest,
    RegisterBrokerResponse, RegisterTopicRequest,
};
use rocketmq_remoting::route::TopicRoute;
use tracing::info;

use super::kv::ORDER_TOPICS;
use super::routes::{Master, Member, Registration, TopicQueues};
use super::routing::ZONE_NAME;
use super::state::{Answered, Refusal, State, done, header, json};

/// Most bytes of an inflated registration: enough for hundreds of thousands of topics.
const MAX_INFLATED: usize = 64 * 1024 * 1024;

pub(super) fn register(state: &State, connection: u64, request: &Command) -> Answered {
    let header = RegisterBrokerRequest::from_ext(&request.ext)?;
    check_crc(header.body_crc32, &request.body)?;
    let registration = registration(header, connection, request)?;
    let (name, address) = (registration.broker_name.clone(), registration.address.clone());
    let mut table = state.table.write();
    let new = !table.is_live(&registration.member());
    let master = table.register(registration, state.now_ms());
    drop(table);
    let master = master.map_err(|error| Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string()))?;
    if new {
        info!(broker = name, address, "a broker has registered");
    }
    welcome(state, master)
}

fn check_crc(declared: i32, body: &Bytes) -> Result<(), Refusal> {
    let actual = (crc32fast::hash(body) & 0x7FFF_FFFF).cast_signed();
    if declared != 0 && declared != actual {
        return Err(Refusal::new(
            ResponseCode::SYSTEM_ERROR,
            format!("crc32 not match: the header says {declared}, the body has {actual}"),
        ));
    }
    Ok(())
}

fn registration(
    header: RegisterBrokerRequest,
    connection: u64,
    request: &Command,
) -> Result<Registration, Refusal> {
    let body = RegisterBrokerBody::decode(&request.body, request.version, MAX_INFLATED)?;
    let wrapper = body.topic_config_serialize_wrapper;
    let topics = wrapper.topic_config_table.into_values().map(|config| TopicQueues {
        topic: config.topic_name,
        read_queues: config.read_queue_nums,
        write_queues: config.write_queue_nums,
        perm: config.perm,
        sys_flag: config.topic_sys_flag,
    });
    Ok(Registration {
        cluster: header.cluster_name,
        broker_name: header.broker_name,
        broker_id: header.broker_id,
        address: header.broker_addr,
        ha_address: header.ha_server_addr,
        zone: request.ext.get(ZONE_NAME).map(str::to_owned),
        acting_master: header.enable_acting_master,
        timeout_ms: header.heartbeat_timeout_millis,
        version: wrapper.data_version,
        topics: topics.collect(),
        mappings: wrapper.topic_queue_mapping_info_map.unwrap_or_default().into_values().collect(),
        connection,
    })
}

fn welcome(state: &State, master: Option<Master>) -> Answered {
    let told = master.map_or_else(RegisterBrokerResponse::default, |master| RegisterBrokerResponse {
        master_addr: Some(master.address),
        ha_server_addr: Some(master.ha_address),
    });
    let answer = header(&told)?;
    if !state.config.read().live.return_order_topics {
        return Ok(answer);
    }
    match state.kv.lock().namespace(ORDER_TOPICS) {
        Some(ordered) => Ok(answer.with_body(json(&KvTable { table: ordered.clone() })?)),
        None => Ok(answer),
    }
}

/// Tells a broker if its topics changed since its last registration. If they did not, the question counts as a
/// heartbeat.
pub(super) fn query_version(state: &State, request: &Command) -> Answered {
    let asked = QueryDataVersionRequest::from_ext(&request.ext)?;
    let theirs: DataVersion = fastjson::from_slice(&request.body)?;
    let member = Member { cluster: asked.cluster_name, address: asked.broker_addr };
    let mut table = state.table.write();
    let ours = table.version_of(&member).cloned();
    let changed = ours.as_ref() != Some(&theirs);
    if !changed {
        table.touch(&member, state.now_ms());
    }
    let answer = header(&QueryDataVersionResponse { changed })?;
    match ours {
        Some(ours) => Ok(answer.with_body(json(&ours)?)),
        None => Ok(answer),
    }
}

pub(super) fn heartbeat(state: &State, request: &Command) -> Answered {
    let beat = BrokerHeartbeatRequest::from_ext(&request.ext)?;
    let member = Member { cluster: beat.cluster_name, address: beat.broker_addr };
    state.table.write().touch(&member, state.now_ms());
    done()
}

pub(super) fn register_topic(state: &State, request: &Command) -> Answered {
    let asked = RegisterTopicRequest::from_ext(&request.ext)?;
    if !request.body.is_empty() {
        let route: TopicRoute = fastjson::from_slice(&request.body)?;
        state.table.write().add_topic(&asked.topic, route.queue_datas);
    }
    done()
}
