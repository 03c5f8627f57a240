//! Consumer groups and their configuration.

pub(crate) mod admin;
mod parts;
pub(crate) mod table;

pub(crate) use parts::Parts;

use rocketmq_remoting::Json;
use rocketmq_remoting::requests::group::{
    DeleteSubscriptionGroupRequest, GetAllProducerInfoRequest, GetAllSubscriptionGroupConfigRequest,
    GetConsumerConnectionListRequest, GetProducerConnectionListRequest, GetSubscriptionGroupConfigRequest,
    UpdateGroupForbiddenRequest, UpdateSubscriptionGroupListRequest, UpdateSubscriptionGroupRequest,
};

use super::acl::needs::{CREATE, DELETE, GET, Needs, UPDATE};
use super::requests::Requests;
use crate::exchange::on_disk;

/// The requests about groups.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<UpdateSubscriptionGroupRequest>(
        |_, Json(group)| CREATE.group(&group.group_name),
        on_disk(admin::update),
    );
    on.request::<UpdateSubscriptionGroupListRequest>(
        |_, Json(body)| CREATE.groups(body.group_config_list.iter().map(|group| group.group_name.as_str())),
        on_disk(admin::update_list),
    );
    on.request::<DeleteSubscriptionGroupRequest>(
        |header, _| DELETE.group(&header.group_name),
        on_disk(admin::delete),
    );
    on.request::<GetSubscriptionGroupConfigRequest>(|header, _| GET.group(&header.group), admin::get);
    on.request::<GetAllSubscriptionGroupConfigRequest>(|_, _| Needs::nothing(), admin::all);
    on.request::<UpdateGroupForbiddenRequest>(
        |header, _| UPDATE.topic(&header.topic).group(&header.group),
        on_disk(admin::forbidden),
    );
    on.request::<GetConsumerConnectionListRequest>(
        |header, _| GET.group(&header.consumer_group),
        admin::consumer_connections,
    );
    on.request::<GetProducerConnectionListRequest>(|_, _| GET.cluster(), admin::producer_connections);
    on.request::<GetAllProducerInfoRequest>(|_, _| GET.cluster(), admin::all_producers);
}
