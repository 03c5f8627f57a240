//! Requests of tools about the broker as a whole.

pub(crate) mod absent;
pub(crate) mod broker;
mod parts;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

use rocketmq_remoting::requests::broker::{
    CleanExpiredConsumeQueueRequest, DeleteExpiredCommitLogRequest, GetBrokerConfigRequest,
    GetBrokerHaStatusRequest, GetBrokerRuntimeInfoRequest, UpdateBrokerConfigRequest,
    ViewBrokerStatsDataRequest,
};

use super::acl::needs::{GET, Needs, UPDATE};
use super::requests::Requests;
use crate::exchange::on_disk;

/// The requests about the broker as a whole.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<GetBrokerRuntimeInfoRequest>(|_, _| Needs::nothing(), on_disk(broker::runtime_info));
    on.request::<GetBrokerConfigRequest>(|_, _| GET.cluster(), broker::get_config);
    on.request::<UpdateBrokerConfigRequest>(|_, _| UPDATE.cluster(), on_disk(broker::update_config));
    on.request::<CleanExpiredConsumeQueueRequest>(|_, _| UPDATE.cluster(), on_disk(broker::clean_expired));
    on.request::<DeleteExpiredCommitLogRequest>(|_, _| UPDATE.cluster(), on_disk(broker::delete_expired));
    on.request::<GetBrokerHaStatusRequest>(|_, _| Needs::nothing(), broker::ha_status);
    on.request::<ViewBrokerStatsDataRequest>(|_, _| GET.cluster(), broker::stats_data);
    absent::requests(on);
}
