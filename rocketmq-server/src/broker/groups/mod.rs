//! Consumer groups and their configuration.

pub mod admin;
pub mod table;

use std::sync::Arc;

use rocketmq_remoting::Json;
use rocketmq_remoting::requests::group::{
    DeleteSubscriptionGroupRequest, GetAllProducerInfoRequest, GetAllSubscriptionGroupConfigRequest,
    GetConsumerConnectionListRequest, GetProducerConnectionListRequest, GetSubscriptionGroupConfigRequest,
    UpdateGroupForbiddenRequest, UpdateSubscriptionGroupListRequest, UpdateSubscriptionGroupRequest,
};
use table::GroupTable;

use super::acl::needs::{CREATE, DELETE, GET, Needs, UPDATE};
use super::clients::members::Members;
use super::dispatch::Requests;
use super::offsets::table::Offsets;

/// What the requests about groups work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub groups: Arc<GroupTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
}

/// The requests about groups.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<UpdateSubscriptionGroupRequest>(
        |_, Json(group)| CREATE.group(&group.group_name),
        admin::update,
    );
    on.request::<UpdateSubscriptionGroupListRequest>(
        |_, Json(body)| CREATE.groups(body.group_config_list.iter().map(|group| group.group_name.as_str())),
        admin::update_list,
    );
    on.request::<DeleteSubscriptionGroupRequest>(|header, _| DELETE.group(&header.group_name), admin::delete);
    on.request::<GetSubscriptionGroupConfigRequest>(|header, _| GET.group(&header.group), admin::get);
    on.request::<GetAllSubscriptionGroupConfigRequest>(|_, _| Needs::nothing(), admin::all);
    on.request::<UpdateGroupForbiddenRequest>(
        |header, _| UPDATE.topic(&header.topic).group(&header.group),
        admin::forbidden,
    );
    on.request::<GetConsumerConnectionListRequest>(
        |header, _| GET.group(&header.consumer_group),
        admin::consumer_connections,
    );
    on.request::<GetProducerConnectionListRequest>(|_, _| GET.cluster(), admin::producer_connections);
    on.request::<GetAllProducerInfoRequest>(|_, _| GET.cluster(), admin::all_producers);
}
