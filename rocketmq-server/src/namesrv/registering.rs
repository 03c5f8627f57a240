//! Registers brokers and takes their heartbeats.

use bytes::Bytes;
use rocketmq_remoting::Json;
use rocketmq_remoting::body::{KvTable, RegisterBrokerBody};
use rocketmq_remoting::requests::route::{
    BrokerHeartbeatRequest, QueryDataVersionRequest, QueryDataVersionResponse, RegisterBrokerRequest,
    RegisterBrokerResponse, RegisterTopicRequest,
};
use tracing::info;

use super::kv::ORDER_TOPICS;
use super::routes::{Master, Member, Registration, TopicQueues};
use super::state::State;
use crate::exchange::{Asked, Refusal, Response};

/// Most bytes of an inflated registration: enough for hundreds of thousands of topics.
const MAX_INFLATED: usize = 64 * 1024 * 1024;

pub(super) fn register(
    state: &State,
    asked: Asked<'_, RegisterBrokerRequest>,
) -> Response<RegisterBrokerRequest> {
    check_crc(asked.header.body_crc32, &asked.body)?;
    let registration = registration(asked)?;
    let (name, address) = (registration.broker_name.clone(), registration.address.clone());
    let mut table = state.table.write();
    let new = !table.is_live(&registration.member());
    let master = table.register(registration, state.passed_ms());
    drop(table);
    let master = master.map_err(Refusal::system)?;
    if new {
        info!(broker = name, address, "a broker has registered");
    }
    Ok(welcome(state, master))
}

fn check_crc(declared: i32, body: &Bytes) -> Result<(), Refusal> {
    let actual = (crc32fast::hash(body) & 0x7FFF_FFFF).cast_signed();
    if declared != 0 && declared != actual {
        return Err(Refusal::system(format_args!(
            "crc32 not match: the header says {declared}, the body has {actual}"
        )));
    }
    Ok(())
}

fn registration(asked: Asked<'_, RegisterBrokerRequest>) -> Result<Registration, Refusal> {
    let (connection, zone) = (asked.connection.id(), asked.zone().map(str::to_owned));
    let body = RegisterBrokerBody::decode(&asked.body, asked.version(), MAX_INFLATED)?;
    let header = asked.header;
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
        zone,
        acting_master: header.enable_acting_master,
        timeout_ms: header.heartbeat_timeout_millis,
        version: wrapper.data_version,
        topics: topics.collect(),
        mappings: wrapper.topic_queue_mapping_info_map.unwrap_or_default().into_values().collect(),
        connection,
    })
}

fn welcome(state: &State, master: Option<Master>) -> (RegisterBrokerResponse, Option<Json<KvTable>>) {
    let told = master.map_or_else(RegisterBrokerResponse::default, |master| RegisterBrokerResponse {
        master_addr: Some(master.address),
        ha_server_addr: Some(master.ha_address),
    });
    let told_order = state.config.read().live.return_order_topics;
    let kv = state.kv.lock();
    let ordered = kv.namespace(ORDER_TOPICS).filter(|_| told_order);
    (told, ordered.map(|ordered| Json(KvTable { table: ordered.clone() })))
}

/// Tells a broker if its topics changed since its last registration. If they did not, the question counts as a
/// heartbeat.
pub(super) fn query_version(
    state: &State,
    asked: Asked<'_, QueryDataVersionRequest>,
) -> Response<QueryDataVersionRequest> {
    let (asked, Json(theirs)) = (asked.header, asked.body);
    let member = Member { cluster: asked.cluster_name, address: asked.broker_addr };
    let mut table = state.table.write();
    let ours = table.version_of(&member).cloned();
    let changed = ours.as_ref() != Some(&theirs);
    if !changed {
        table.touch(&member, state.passed_ms());
    }
    Ok((QueryDataVersionResponse { changed }, ours.map(Json)))
}

pub(super) fn heartbeat(
    state: &State,
    asked: Asked<'_, BrokerHeartbeatRequest>,
) -> Response<BrokerHeartbeatRequest> {
    let beat = asked.header;
    let member = Member { cluster: beat.cluster_name, address: beat.broker_addr };
    state.table.write().touch(&member, state.passed_ms());
    Ok(())
}

pub(super) fn register_topic(
    state: &State,
    asked: Asked<'_, RegisterTopicRequest>,
) -> Response<RegisterTopicRequest> {
    if let Some(Json(route)) = asked.body {
        state.table.write().add_topic(&asked.header.topic, route.queue_datas);
    }
    Ok(())
}
