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
use crate::exchange::on_disk;

/// The requests about topics.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<UpdateTopicRequest>(|header, _| CREATE.topic(&header.topic), on_disk(admin::update));
    on.request::<UpdateTopicListRequest>(
        |_, Json(body)| CREATE.topics(body.topic_config_list.iter().map(|topic| topic.topic_name.as_str())),
        on_disk(admin::update_list),
    );
    on.request::<DeleteTopicRequest>(|header, _| DELETE.topic(&header.topic), on_disk(admin::delete));
    on.request::<GetTopicConfigRequest>(|header, _| GET.topic(&header.topic), admin::get);
    on.request::<GetAllTopicConfigRequest>(|_, _| Needs::nothing(), admin::all);
    on.request::<GetTopicStatsInfoRequest>(|header, _| GET.topic(&header.topic), on_disk(admin::stats));
    on.request::<GetSystemTopicListFromBrokerRequest>(|_, _| Needs::nothing(), admin::system_topics);
    on.request::<CleanUnusedTopicRequest>(|_, _| UPDATE.cluster(), on_disk(admin::clean_unused));
}
