//! Which handler answers which request.

use std::sync::Arc;

use rocketmq_remoting::Command;
use rocketmq_remoting::code::RequestCode as Code;
use rocketmq_remoting::net::{self, Answer, CloseReason, Connection, Handler};

use super::acl;
use super::admin::absent as elsewhere;
use super::admin::broker as broker_admin;
use super::answer::{Refusal, Reply};
use super::clients::locking as lock_requests;
use super::clients::relay;
use super::clients::{assignment, heartbeat};
use super::core::Core;
use super::groups::admin as group_admin;
use super::offsets::progress as consume_stats;
use super::offsets::requests as offset_requests;
use super::offsets::reset;
use super::pop;
use super::pull::message as pull;
use super::query;
use super::send::back as send_back;
use super::send::message as send;
use super::send::reply;
use super::timer::recall;
use super::topics::admin as topic_admin;
use super::transaction;

/// The broker as a connection sees it.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    core: Arc<Core>,
}

impl Dispatcher {
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    fn route(&self, connection: &Connection, command: &Command) -> Answer {
        match command.request_code() {
            Code::SEND_MESSAGE | Code::SEND_MESSAGE_V2 | Code::SEND_BATCH_MESSAGE => {
                send::handle(&self.core, connection, command)
            }
            Code::PULL_MESSAGE | Code::LITE_PULL_MESSAGE => pull::handle(&self.core, connection, command),
            Code::SEND_REPLY_MESSAGE | Code::SEND_REPLY_MESSAGE_V2 => {
                reply::handle(&self.core, connection, command)
            }
            Code::GET_CONSUMER_RUNNING_INFO => relay::running_info(&self.core, command),
            Code::CONSUME_MESSAGE_DIRECTLY => relay::consume_directly(&self.core, command),
            Code::INVOKE_BROKER_TO_GET_CONSUMER_STATUS => relay::consumer_status(&self.core, command),
            Code::END_TRANSACTION => match transaction::end(&self.core, command) {
                Some(reply) => now(reply),
                None => Answer::None,
            },
            _ => pop::handle(&self.core, connection, command)
                .unwrap_or_else(|| now(self.answer(connection, command))),
        }
    }

    /// Requests that are answered at once.
    fn answer(&self, connection: &Connection, command: &Command) -> Reply {
        let core = &*self.core;
        match command.request_code() {
            Code::HEART_BEAT => heartbeat::heartbeat(core, connection, command),
            Code::UNREGISTER_CLIENT => heartbeat::unregister(core, connection, command),
            Code::GET_CONSUMER_LIST_BY_GROUP => heartbeat::consumer_list(core, command),
            Code::CHECK_CLIENT_CONFIG => heartbeat::check_client_config(core, command),
            Code::CONSUMER_SEND_MSG_BACK => send_back::handle(core, command),
            Code::LOCK_BATCH_MQ => lock_requests::lock(core, command),
            Code::UNLOCK_BATCH_MQ => lock_requests::unlock(core, command),
            Code::RECALL_MESSAGE => recall::handle(core, command),
            Code::RESUME_CHECK_HALF_MESSAGE => transaction::resume_check(core, command),

            Code::QUERY_CONSUMER_OFFSET => offset_requests::query(core, command),
            Code::UPDATE_CONSUMER_OFFSET => offset_requests::update(core, command),
            Code::SEARCH_OFFSET_BY_TIMESTAMP => offset_requests::search(core, command),
            Code::GET_MAX_OFFSET => offset_requests::max(core, command),
            Code::GET_MIN_OFFSET => offset_requests::min(core, command),
            Code::GET_EARLIEST_MSG_STORETIME => offset_requests::earliest(core, command),
            Code::GET_ALL_CONSUMER_OFFSET => offset_requests::all(core),
            Code::GET_ALL_DELAY_OFFSET => offset_requests::all_delay(core),
            Code::CLONE_GROUP_OFFSET => offset_requests::clone_group(core, command),
            Code::INVOKE_BROKER_TO_RESET_OFFSET => reset::handle(core, command),

            Code::QUERY_MESSAGE => query::by_key(core, command),
            Code::VIEW_MESSAGE_BY_ID => query::by_offset(core, command),
            Code::QUERY_CONSUME_QUEUE => query::consume_queue(core, command),

            Code::QUERY_ASSIGNMENT => assignment::query(core, command),
            Code::SET_MESSAGE_REQUEST_MODE => assignment::set_mode(core, command),
            Code::GET_ALL_MESSAGE_REQUEST_MODE => assignment::all_modes(core),
            _ => self.administer(command),
        }
    }

    /// What tools and slaves ask for.
    fn administer(&self, command: &Command) -> Reply {
        let core = &*self.core;
        match command.request_code() {
            Code::UPDATE_AND_CREATE_TOPIC => topic_admin::update(core, command),
            Code::UPDATE_AND_CREATE_TOPIC_LIST => topic_admin::update_list(core, command),
            Code::DELETE_TOPIC_IN_BROKER => topic_admin::delete(core, command),
            Code::GET_TOPIC_CONFIG => topic_admin::get(core, command),
            Code::GET_ALL_TOPIC_CONFIG => topic_admin::all(core),
            Code::GET_TOPIC_STATS_INFO => topic_admin::stats(core, command),
            Code::GET_SYSTEM_TOPIC_LIST_FROM_BROKER => topic_admin::system_topics(core),
            Code::CLEAN_UNUSED_TOPIC => topic_admin::clean_unused(core),

            Code::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP => group_admin::update(core, command),
            Code::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST => group_admin::update_list(core, command),
            Code::DELETE_SUBSCRIPTIONGROUP => group_admin::delete(core, command),
            Code::GET_SUBSCRIPTIONGROUP_CONFIG => group_admin::get(core, command),
            Code::GET_ALL_SUBSCRIPTIONGROUP_CONFIG => group_admin::all(core),
            Code::UPDATE_AND_GET_GROUP_FORBIDDEN => group_admin::forbidden(core, command),
            Code::GET_CONSUMER_CONNECTION_LIST => group_admin::consumer_connections(core, command),
            Code::GET_PRODUCER_CONNECTION_LIST => group_admin::producer_connections(core, command),
            Code::GET_ALL_PRODUCER_INFO => group_admin::all_producers(core),

            Code::GET_CONSUME_STATS => consume_stats::group(core, command),
            Code::GET_BROKER_CONSUME_STATS => consume_stats::broker(core, command),
            Code::QUERY_TOPIC_CONSUME_BY_WHO => consume_stats::groups_of_topic(core, command),
            Code::QUERY_TOPICS_BY_CONSUMER => consume_stats::topics_of_group(core, command),
            Code::QUERY_SUBSCRIPTION_BY_CONSUMER => consume_stats::subscription(core, command),
            Code::QUERY_CONSUME_TIME_SPAN => consume_stats::time_span(core, command),
            Code::QUERY_CORRECTION_OFFSET => consume_stats::correction_offsets(core, command),

            Code::GET_BROKER_RUNTIME_INFO => broker_admin::runtime_info(core),
            Code::GET_BROKER_CONFIG => broker_admin::get_config(core),
            Code::UPDATE_BROKER_CONFIG => broker_admin::update_config(core, command),
            Code::CLEAN_EXPIRED_CONSUMEQUEUE => broker_admin::clean_expired(core),
            Code::DELETE_EXPIRED_COMMITLOG => broker_admin::delete_expired(core),
            Code::GET_BROKER_HA_STATUS => broker_admin::ha_status(core),
            Code::VIEW_BROKER_STATS_DATA => broker_admin::stats_data(core, command),
            code => acl::administer(core, command)
                .or_else(|| elsewhere::answer(code))
                .unwrap_or_else(|| Err(Refusal::unsupported(code))),
        }
    }
}

impl Handler for Dispatcher {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        match self.core.acl.check(connection.peer().ip(), &command, &self.core.store) {
            Ok(()) => self.route(connection, &command),
            Err(refusal) => now(Err(refusal)),
        }
    }

    fn commit(&self, connection: &Connection) -> Result<(), net::Refusal> {
        self.core
            .commit(connection.id())
            .map_err(|refusal| net::Refusal { code: refusal.code(), remark: refusal.remark().to_owned() })
    }

    fn closed(&self, connection: &Connection, _reason: &CloseReason) {
        heartbeat::connection_closed(&self.core, connection.id());
    }
}

fn now(reply: Reply) -> Answer {
    Answer::Now(reply.unwrap_or_else(Refusal::into_command))
}
