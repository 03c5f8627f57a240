//! Answers requests for routes, brokers and topics.

use rocketmq_remoting::body::{BrokerMemberGroupBody, TopicList};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::fastjson::Dialect;
use rocketmq_remoting::requests::route::{
    GetAllTopicListRequest, GetBrokerMemberGroupRequest, GetClusterInfoRequest,
    GetHasUnitSubTopicListRequest, GetHasUnitSubUnunitTopicListRequest, GetRouteInfoRequest,
    GetSystemTopicListFromNsRequest, GetTopicsByClusterRequest, GetUnitTopicListRequest,
};
use rocketmq_remoting::route::RouteAnswer;
use rocketmq_remoting::{Json, version};

use super::kv::ORDER_TOPICS;
use super::lists::Units;
use super::state::State;
use super::zone::keep_zone;
use crate::exchange::{Asked, Refusal, Response};

pub(super) fn route(state: &State, asked: Asked<'_, GetRouteInfoRequest>) -> Response<GetRouteInfoRequest> {
    let topic = &asked.header.topic;
    check_ready(state)?;
    let route = state.table.read().route(topic);
    let mut route = route.ok_or_else(|| no_route(topic))?;
    if state.config.read().live.order_messages {
        route.order_topic_conf = state.kv.lock().get(ORDER_TOPICS, topic).map(str::to_owned);
    }
    if let Some(zone) = asked.own_zone_only() {
        keep_zone(&mut route, zone);
    }
    let standard = asked.version() >= version::V4_9_4 || asked.header.accept_standard_json_only == Some(true);
    // Old clients (C++, early Java) read integer keys only without quotes, other clients only with them.
    let dialect = if standard { Dialect::Standard } else { Dialect::Java };
    Ok(RouteAnswer { route, dialect })
}

fn check_ready(state: &State) -> Result<(), Refusal> {
    let config = state.config.read();
    let wait_ms = i64::try_from(config.live.wait_for_service.as_millis()).unwrap_or(i64::MAX);
    if config.live.need_wait_for_service && state.passed_ms().saturating_sub(state.started_ms) < wait_ms {
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

pub(super) fn cluster_info(
    state: &State,
    _: Asked<'_, GetClusterInfoRequest>,
) -> Response<GetClusterInfoRequest> {
    Ok(Json(state.table.read().cluster_info()))
}

pub(super) fn member_group(
    state: &State,
    asked: Asked<'_, GetBrokerMemberGroupRequest>,
) -> Response<GetBrokerMemberGroupRequest> {
    let GetBrokerMemberGroupRequest { cluster_name, broker_name } = &asked.header;
    let broker_member_group = state.table.read().member_group(cluster_name, broker_name);
    Ok(Json(BrokerMemberGroupBody { broker_member_group }))
}

pub(super) fn all_topics(
    state: &State,
    _: Asked<'_, GetAllTopicListRequest>,
) -> Response<GetAllTopicListRequest> {
    check_enabled(state.config.read().live.all_topic_list, "enableAllTopicList")?;
    Ok(topics(state.table.read().all_topics()))
}

pub(super) fn topics_of_cluster(
    state: &State,
    asked: Asked<'_, GetTopicsByClusterRequest>,
) -> Response<GetTopicsByClusterRequest> {
    check_enabled(state.config.read().live.topic_list, "enableTopicList")?;
    Ok(topics(state.table.read().topics_of_cluster(&asked.header.cluster)))
}

pub(super) fn system_topics(
    state: &State,
    _: Asked<'_, GetSystemTopicListFromNsRequest>,
) -> Response<GetSystemTopicListFromNsRequest> {
    let (topic_list, broker_addr) = state.table.read().system_topics();
    Ok(Json(TopicList { topic_list, broker_addr }))
}

pub(super) fn unit_topics(
    state: &State,
    _: Asked<'_, GetUnitTopicListRequest>,
) -> Response<GetUnitTopicListRequest> {
    of_units(state, Units::Own)
}

/// Lists the topics that units subscribe to.
pub(super) fn subscribed_topics(
    state: &State,
    _: Asked<'_, GetHasUnitSubTopicListRequest>,
) -> Response<GetHasUnitSubTopicListRequest> {
    of_units(state, Units::Subscribed)
}

/// Lists the topics that units subscribe to and that are of no unit.
pub(super) fn only_subscribed_topics(
    state: &State,
    _: Asked<'_, GetHasUnitSubUnunitTopicListRequest>,
) -> Response<GetHasUnitSubUnunitTopicListRequest> {
    of_units(state, Units::SubscribedOnly)
}

fn of_units(state: &State, units: Units) -> Result<Json<TopicList>, Refusal> {
    check_enabled(state.config.read().live.topic_list, "enableTopicList")?;
    Ok(topics(state.table.read().unit_topics(units)))
}

fn check_enabled(on: bool, key: &str) -> Result<(), Refusal> {
    if on {
        return Ok(());
    }
    Err(Refusal::new(ResponseCode::SYSTEM_ERROR, format!("disable: `{key}` is off on this name server")))
}

fn topics(topic_list: Vec<String>) -> Json<TopicList> {
    Json(TopicList { topic_list, broker_addr: None })
}
