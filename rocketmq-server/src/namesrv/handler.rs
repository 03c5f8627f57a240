//! Lists the requests that a name server answers, each with its handler.

use std::sync::Arc;

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::{self, Answer, CloseReason, Connection};
use rocketmq_remoting::requests::route::{
    AddWritePermRequest, BrokerHeartbeatRequest, DeleteKvConfigRequest, DeleteTopicInNamesrvRequest,
    GetAllTopicListRequest, GetBrokerMemberGroupRequest, GetClusterInfoRequest,
    GetHasUnitSubTopicListRequest, GetHasUnitSubUnunitTopicListRequest, GetKvConfigRequest, GetKvListRequest,
    GetNamesrvConfigRequest, GetRouteInfoRequest, GetSystemTopicListFromNsRequest, GetTopicsByClusterRequest,
    GetUnitTopicListRequest, PutKvConfigRequest, QueryDataVersionRequest, RegisterBrokerRequest,
    RegisterTopicRequest, UnregisterBrokerRequest, UpdateNamesrvConfigRequest, WipeWritePermRequest,
};
use rocketmq_remoting::{Command, Request};
use tracing::{debug, info};

use super::state::State;
use super::{admin, leaving, registering, routing};
use crate::exchange::{Handler, Refusal, Table};

/// Answers the requests of all connections.
#[derive(Debug)]
pub(super) struct Dispatcher {
    state: Arc<State>,
    table: Table<()>,
}

impl Dispatcher {
    pub(super) fn new(state: Arc<State>) -> Self {
        let mut requests = Requests { table: Table::default(), state: state.clone() };
        requests.routes();
        requests.brokers();
        requests.settings();
        Self { state, table: requests.table }
    }

    fn answer(&self, connection: &Connection, request: &Command) -> Answer {
        let answer = self.table.serve((), connection, request);
        answer.unwrap_or_else(|| Answer::Now(unknown(request).into_command()))
    }
}

impl net::Handler for Dispatcher {
    fn handle(&self, connection: &Connection, request: Command) -> Answer {
        let answer = self.answer(connection, &request);
        if let Answer::Now(answer) = &answer
            && answer.response_code() != ResponseCode::SUCCESS
        {
            let remark = answer.remark.as_deref();
            debug!(code = %request.request_code(), peer = %connection.peer(), remark, "refused");
        }
        answer
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        let left = leaving::disconnected(&self.state, connection.id());
        for member in left {
            info!(broker = member.address, %reason, "a broker's connection has closed");
        }
    }
}

fn unknown(request: &Command) -> Refusal {
    let code = request.request_code();
    let remark = format!("a name server does not serve request code {code}");
    Refusal::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark)
}

/// Declares the requests, family by family.
struct Requests {
    table: Table<()>,
    state: Arc<State>,
}

impl Requests {
    /// Declares a request. Every client may ask for everything: name servers have no access control, as in Apache.
    fn on<R: Request>(&mut self, handler: impl Handler<State, R>) {
        self.table.declare(self.state.clone(), |(), _| Ok(()), handler);
    }

    fn routes(&mut self) {
        self.on::<GetRouteInfoRequest>(routing::route);
        self.on::<GetClusterInfoRequest>(routing::cluster_info);
        self.on::<GetBrokerMemberGroupRequest>(routing::member_group);
        self.on::<GetAllTopicListRequest>(routing::all_topics);
        self.on::<GetTopicsByClusterRequest>(routing::topics_of_cluster);
        self.on::<GetSystemTopicListFromNsRequest>(routing::system_topics);
        self.on::<GetUnitTopicListRequest>(routing::unit_topics);
        self.on::<GetHasUnitSubTopicListRequest>(routing::subscribed_topics);
        self.on::<GetHasUnitSubUnunitTopicListRequest>(routing::only_subscribed_topics);
    }

    fn brokers(&mut self) {
        self.on::<RegisterBrokerRequest>(registering::register);
        self.on::<QueryDataVersionRequest>(registering::query_version);
        self.on::<BrokerHeartbeatRequest>(registering::heartbeat);
        self.on::<RegisterTopicRequest>(registering::register_topic);
        self.on::<UnregisterBrokerRequest>(leaving::unregister);
    }

    fn settings(&mut self) {
        self.on::<DeleteTopicInNamesrvRequest>(admin::delete_topic);
        self.on::<WipeWritePermRequest>(admin::wipe_write_perm);
        self.on::<AddWritePermRequest>(admin::add_write_perm);
        self.on::<PutKvConfigRequest>(admin::put_kv);
        self.on::<GetKvConfigRequest>(admin::get_kv);
        self.on::<DeleteKvConfigRequest>(admin::delete_kv);
        self.on::<GetKvListRequest>(admin::list_kv);
        self.on::<UpdateNamesrvConfigRequest>(admin::update_config);
        self.on::<GetNamesrvConfigRequest>(admin::get_config);
    }
}
