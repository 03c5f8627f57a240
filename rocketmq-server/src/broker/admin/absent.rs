//! Refuses requests about parts of Apache's broker that this one lacks, and tells tools why.

use std::collections::BTreeMap;

use rocketmq_remoting::body::ColdDataFlow;
use rocketmq_remoting::requests::broker::{
    CheckRocksDbQueuesRequest, GetBrokerEpochCacheRequest, GetColdDataFlowRequest, PopRollbackRequest,
    RemoveColdDataFlowRequest, ResetMasterFlushOffsetRequest, SetCommitLogReadModeRequest,
    SwitchTimerEngineRequest, UpdateColdDataFlowRequest,
};
use rocketmq_remoting::requests::topic::UpdateStaticTopicRequest;
use rocketmq_remoting::{Json, Request};

use super::parts::Parts;
use crate::broker::acl::needs::{CREATE, Needs, UPDATE};
use crate::broker::requests::Requests;
use crate::exchange::{Asked, Refusal, Response};

/// These requests.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<UpdateStaticTopicRequest>(|header, _| CREATE.topic(&header.topic), absent);
    on.request::<SwitchTimerEngineRequest>(|_, _| UPDATE.cluster(), absent);
    on.request::<GetBrokerEpochCacheRequest>(|_, _| Needs::nothing(), absent);
    on.request::<UpdateColdDataFlowRequest>(|_, _| Needs::nothing(), absent);
    on.request::<RemoveColdDataFlowRequest>(|_, _| Needs::nothing(), absent);
    on.request::<SetCommitLogReadModeRequest>(|_, _| Needs::nothing(), absent);
    on.request::<ResetMasterFlushOffsetRequest>(|_, _| Needs::nothing(), absent);
    on.request::<CheckRocksDbQueuesRequest>(|_, _| Needs::nothing(), absent);
    on.request::<GetColdDataFlowRequest>(|_, _| Needs::nothing(), cold_reads);
    on.request::<PopRollbackRequest>(|_, _| Needs::nothing(), rolled_back);
}

/// A request about a part that is absent.
trait Absent: Request {
    /// The explanation for the tool.
    const WHY: &'static str;
}

fn absent<R: Absent>(_: &Parts, _: Asked<'_, R>) -> Response<R> {
    Err(Refusal::system(R::WHY))
}

impl Absent for UpdateStaticTopicRequest {
    const WHY: &'static str = "this broker serves no static topics; create the topic with updateTopic";
}

impl Absent for SwitchTimerEngineRequest {
    const WHY: &'static str = "this broker has one timer engine, the timing wheel in files";
}

impl Absent for GetBrokerEpochCacheRequest {
    const WHY: &'static str = "this request only for controllerMode";
}

const NO_COLD_LIMITS: &str =
    "this broker does not limit cold reads: pages come from the file system as they are asked for";

impl Absent for UpdateColdDataFlowRequest {
    const WHY: &'static str = NO_COLD_LIMITS;
}

impl Absent for RemoveColdDataFlowRequest {
    const WHY: &'static str = NO_COLD_LIMITS;
}

impl Absent for SetCommitLogReadModeRequest {
    const WHY: &'static str = "this broker maps no files, so there is no read-ahead to set";
}

impl Absent for ResetMasterFlushOffsetRequest {
    const WHY: &'static str = "this broker's master does not tell its flush offset";
}

impl Absent for CheckRocksDbQueuesRequest {
    const WHY: &'static str = "this broker keeps its consume queues in files, not in RocksDB";
}

/// Exports receipts from RocksDB to the commit log, where they are anyway.
fn rolled_back(_: &Parts, _: Asked<'_, PopRollbackRequest>) -> Response<PopRollbackRequest> {
    Ok(())
}

/// Nobody is slowed down; the limits are Apache's defaults, which nothing here reaches.
fn cold_reads(_: &Parts, _: Asked<'_, GetColdDataFlowRequest>) -> Response<GetColdDataFlowRequest> {
    Ok(Json(ColdDataFlow {
        config_table: BTreeMap::new(),
        runtime_table: BTreeMap::new(),
        cg_cold_read_threshold: 3 << 20,
        global_cold_read_threshold: 100 << 20,
        global_acc: 0,
    }))
}
