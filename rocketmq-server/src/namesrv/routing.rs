//! Answers requests for routes, brokers and topics.

use rocketmq_remoting::Command;
use rocketmq_remoting::Request;
use rocketmq_remoting::body::{BrokerMemberGroupBody, TopicList};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::fastjson::{self, Dialect};
use rocketmq_remoting::requests::route::{
    GetBrokerMemberGroupRequest, GetRouteInfoRequest, GetTopicsByClusterRequest,
};
use rocketmq_remoting::route::TopicRoute;
use rocketmq_remoting::version;

use super::kv::ORDER_TOPICS;
use super::lists::Units;
use super::state::{Answered, Refusal, State, body};
use super::zone::keep_zone;

/// Names of the header fields of clients that want the brokers of one zone only.
const ZONE_MODE: &str = "__ZONE_MODE";
pub(super) const ZONE_NAME: &str = "__ZONE_NAME";

pub(super) fn route(state: &State, request: &Command) -> Answered {
    let asked = GetRouteInfoRequest::from_ext(&request.ext)?;
    check_ready(state)?;
    let route = state.table.read().route(&asked.topic);
    let mut route = route.ok_or_else(|| no_route(&asked.topic))?;
    if state.config.read().live.order_messages {
        route.order_topic_conf = state.kv.lock().get(ORDER_TOPICS, &asked.topic).map(str::to_owned);
    }
    if let Some(zone) = wanted_zone(request) {
        keep_zone(&mut route, zone);
    }
    let standard = request.version >= version::V4_9_4 || asked.accept_standard_json_only == Some(true);
    Ok(Command::response(ResponseCode::SUCCESS).with_body(encode(&route, standard)?))
}

/// Encodes a route. Old clients (C++, early Java) read integer keys only without quotes, other clients only with them.
fn encode(route: &TopicRoute, standard: bool) -> Result<Vec<u8>, Refusal> {
    let dialect = if standard { Dialect::Standard } else { Dialect::Java };
    Ok(fastjson::to_vec_in(dialect, route)?)
}

fn check_ready(state: &State) -> Result<(), Refusal> {
    let config = state.config.read();
    let wait_ms = i64::try_from(config.live.wait_for_service.as_millis()).unwrap_or(i64::MAX);
    if config.live.need_wait_for_service && state.now_ms().saturating_sub(state.started_ms) < wait_ms {
        return Err(Refusal::new(ResponseCode::SYSTEM_ERROR, "name server not ready"));
    }
    Ok(())
}

fn no_route(topic: &str) -> Refusal {
    Refusal::new(
        ResponseCode::TOPIC_NOT_EXIST,
        format!(
            "No topic route info in name server for the topic: {topic}\nCreate the topic, or check that a broker \
             which creates topics by itself is registered here."
        ),
    )
}

fn wanted_zone(request: &Command) -> Option<&str> {
    let on = request.ext.get(ZONE_MODE)?.eq_ignore_ascii_case("true");
    request.ext.get(ZONE_NAME).filter(|zone| on && !zone.trim().is_empty())
}

pub(super) fn cluster_info(state: &State) -> Answered {
    body(&state.table.read().cluster_info())
}

pub(super) fn member_group(state: &State, request: &Command) -> Answered {
    let asked = GetBrokerMemberGroupRequest::from_ext(&request.ext)?;
    let broker_member_group = state.table.read().member_group(&asked.cluster_name, &asked.broker_name);
    body(&BrokerMemberGroupBody { broker_member_group })
}

pub(super) fn all_topics(state: &State) -> Answered {
    check_enabled(state.config.read().live.all_topic_list, "enableAllTopicList")?;
    topics(state.table.read().all_topics(), None)
}

pub(super) fn topics_of_cluster(state: &State, request: &Command) -> Answered {
    check_enabled(state.config.read().live.topic_list, "enableTopicList")?;
    let asked = GetTopicsByClusterRequest::from_ext(&request.ext)?;
    topics(state.table.read().topics_of_cluster(&asked.cluster), None)
}

pub(super) fn system_topics(state: &State) -> Answered {
    let (names, broker) = state.table.read().system_topics();
    topics(names, broker)
}

pub(super) fn unit_topics(state: &State, units: Units) -> Answered {
    check_enabled(state.config.read().live.topic_list, "enableTopicList")?;
    topics(state.table.read().unit_topics(units), None)
}

fn check_enabled(on: bool, key: &str) -> Result<(), Refusal> {
    if on {
        return Ok(());
    }
    Err(Refusal::new(ResponseCode::SYSTEM_ERROR, format!("disable: `{key}` is off on this name server")))
}

fn topics(topic_list: Vec<String>, broker_addr: Option<String>) -> Answered {
    body(&TopicList { topic_list, broker_addr })
}
