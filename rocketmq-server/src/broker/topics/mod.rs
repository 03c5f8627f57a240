//! Topics and their configuration.

pub(crate) mod admin;
mod parts;
pub(crate) mod table;

pub(crate) use parts::Parts;

use rocketmq_remoting::Json;
use rocketmq_remoting::requests::broker::CleanUnusedTopicRequest;
use rocketmq_remoting::requests::topic::{
    DeleteTopicRequest, GetAllTopicConfigRequest, GetSystemTopicListFromBrokerRequest, GetTopicConfigRequest,
    GetTopicStatsInfoRequest, UpdateTopicListRequest, UpdateTopicRequest,
};

use super::acl::needs::{CREATE, DELETE, GET, Needs, UPDATE};
use super::requests::Requests;

/// The requests about topics.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<UpdateTopicRequest>(|header, _| CREATE.topic(&header.topic), admin::update);
    on.request::<UpdateTopicListRequest>(
        |_, Json(body)| CREATE.topics(body.topic_config_list.iter().map(|topic| topic.topic_name.as_str())),
        admin::update_list,
    );
    on.request::<DeleteTopicRequest>(|header, _| DELETE.topic(&header.topic), admin::delete);
    on.request::<GetTopicConfigRequest>(|header, _| GET.topic(&header.topic), admin::get);
    on.request::<GetAllTopicConfigRequest>(|_, _| Needs::nothing(), admin::all);
    on.request::<GetTopicStatsInfoRequest>(|header, _| GET.topic(&header.topic), admin::stats);
    on.request::<GetSystemTopicListFromBrokerRequest>(|_, _| Needs::nothing(), admin::system_topics);
    on.request::<CleanUnusedTopicRequest>(|_, _| UPDATE.cluster(), admin::clean_unused);
}
