//! Calls the function that serves a request's code.

use rocketmq_remoting::Command;
use rocketmq_remoting::code::{RequestCode as Code, ResponseCode};
use rocketmq_remoting::net::{Answer, CloseReason, Connection, Handler};
use tracing::{debug, info};

use super::lists::Units;
use super::state::{Answered, Refusal, State};
use super::{admin, leaving, registering, routing};

impl Handler for State {
    fn handle(&self, connection: &Connection, request: Command) -> Answer {
        let answer = match serve(self, connection.id(), &request) {
            Ok(answer) => answer,
            Err(refusal) => {
                debug!(code = %request.request_code(), peer = %connection.peer(), remark = refusal.remark, "refused");
                Command::response(refusal.code).with_remark(refusal.remark)
            }
        };
        if request.is_oneway() {
            Answer::None
        } else {
            Answer::Now(answer.answer(request.opaque, request.codec))
        }
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        let left = leaving::disconnected(self, connection.id());
        for member in left {
            info!(broker = member.address, %reason, "a broker's connection has closed");
        }
    }
}

fn serve(state: &State, connection: u64, request: &Command) -> Answered {
    match request.request_code() {
        Code::GET_ROUTEINFO_BY_TOPIC => routing::route(state, request),
        Code::GET_BROKER_CLUSTER_INFO => routing::cluster_info(state),
        Code::GET_BROKER_MEMBER_GROUP => routing::member_group(state, request),
        Code::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => routing::all_topics(state),
        Code::GET_TOPICS_BY_CLUSTER => routing::topics_of_cluster(state, request),
        Code::GET_SYSTEM_TOPIC_LIST_FROM_NS => routing::system_topics(state),
        Code::GET_UNIT_TOPIC_LIST => routing::unit_topics(state, Units::Own),
        Code::GET_HAS_UNIT_SUB_TOPIC_LIST => routing::unit_topics(state, Units::Subscribed),
        Code::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => routing::unit_topics(state, Units::SubscribedOnly),
        Code::REGISTER_BROKER => registering::register(state, connection, request),
        Code::QUERY_DATA_VERSION => registering::query_version(state, request),
        Code::BROKER_HEARTBEAT => registering::heartbeat(state, request),
        Code::REGISTER_TOPIC_IN_NAMESRV => registering::register_topic(state, request),
        Code::UNREGISTER_BROKER => leaving::unregister(state, request),
        Code::DELETE_TOPIC_IN_NAMESRV => admin::delete_topic(state, request),
        Code::WIPE_WRITE_PERM_OF_BROKER => admin::wipe_write_perm(state, request),
        Code::ADD_WRITE_PERM_OF_BROKER => admin::add_write_perm(state, request),
        Code::PUT_KV_CONFIG => admin::put_kv(state, request),
        Code::GET_KV_CONFIG => admin::get_kv(state, request),
        Code::DELETE_KV_CONFIG => admin::delete_kv(state, request),
        Code::GET_KVLIST_BY_NAMESPACE => admin::list_kv(state, request),
        Code::UPDATE_NAMESRV_CONFIG => admin::update_config(state, request),
        Code::GET_NAMESRV_CONFIG => admin::get_config(state),
        other => Err(unknown(other)),
    }
}

fn unknown(code: Code) -> Refusal {
    Refusal::new(
        ResponseCode::REQUEST_CODE_NOT_SUPPORTED,
        format!("a name server does not serve request code {code}"),
    )
}
