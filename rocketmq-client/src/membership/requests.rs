//! Requests that brokers send to clients.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::message::{MessageRecord, SysFlag};
use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::heartbeat::NotifyConsumerIdsChangedRequest;
use rocketmq_remoting::requests::reply::PushReplyMessageRequest;
use rocketmq_remoting::requests::transaction::CheckTransactionStateRequest;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, DecodeError, RequestCode, ResponseCode};

use super::Membership;
use super::members::TransactionCheck;
use crate::messages::Delivery;

impl Membership {
    /// Hands a request to the member it is about. A request nobody here can serve is answered with an error, so that the
    /// tool behind it does not wait.
    pub(super) fn serve(&self, connection: &Connection, request: Command) -> Answer {
        let outcome = match request.request_code() {
            RequestCode::NOTIFY_CONSUMER_IDS_CHANGED => self.ids_changed(&request),
            RequestCode::CHECK_TRANSACTION_STATE => self.check_transaction(connection, &request),
            RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT => self.push_reply(&request),
            RequestCode::RESET_CONSUMER_CLIENT_OFFSET | RequestCode::GET_CONSUMER_STATUS_FROM_CLIENT => {
                return self.to_consumer("group", request);
            }
            RequestCode::GET_CONSUMER_RUNNING_INFO | RequestCode::CONSUME_MESSAGE_DIRECTLY => {
                return self.to_consumer("consumerGroup", request);
            }
            _ => return unsupported(&request),
        };
        outcome.unwrap_or_else(|error| {
            tracing::warn!(request = %request.request_code(), peer = %connection.peer(), %error, "unreadable request");
            let answer = Command::response_to(&request, ResponseCode::SYSTEM_ERROR);
            Answer::Now(answer.with_remark(error.to_string()))
        })
    }

    fn to_consumer(&self, field: &str, request: Command) -> Answer {
        let group = request.ext.get(field).unwrap_or_default();
        match self.members.consumer(group) {
            Some(consumer) => consumer.on_request(request),
            None => {
                let remark = format!("this client has no consumer of group {group}");
                Answer::Now(Command::response_to(&request, ResponseCode::SYSTEM_ERROR).with_remark(remark))
            }
        }
    }

    fn ids_changed(&self, request: &Command) -> Result<Answer, DecodeError> {
        let header = NotifyConsumerIdsChangedRequest::from_ext(&request.ext)?;
        if let Some(consumer) = self.members.consumer(&header.consumer_group) {
            consumer.rebalance_soon();
        }
        Ok(Answer::None)
    }

    fn check_transaction(&self, connection: &Connection, request: &Command) -> Result<Answer, DecodeError> {
        let header = CheckTransactionStateRequest::from_ext(&request.ext)?;
        let half = self.deliver(MessageRecord::decode(&mut request.body.clone())?)?;
        let group = half.properties().producer_group().unwrap_or_default();
        match self.members.producer(group) {
            Some(producer) => {
                producer.check(half, TransactionCheck { header, connection: connection.clone() });
            }
            None => {
                tracing::warn!(
                    group,
                    "asked about a transaction of a producer group this client does not have"
                )
            }
        }
        Ok(Answer::None)
    }

    fn push_reply(&self, request: &Command) -> Result<Answer, DecodeError> {
        let header = PushReplyMessageRequest::from_ext(&request.ext)?;
        let reply = self.deliver(reply_record(header, request.body.clone()))?;
        let correlation = reply.properties().correlation_id().unwrap_or_default();
        if !self.replies.complete(correlation, reply.clone()) {
            tracing::debug!(correlation, "a reply came too late, or twice");
        }
        Ok(Answer::Now(Command::response_to(request, ResponseCode::SUCCESS)))
    }

    /// Makes the delivery of a record that a broker pushed.
    fn deliver(&self, record: MessageRecord) -> Result<Delivery, DecodeError> {
        let queue = Arc::new(MessageQueue::new(record.topic.as_str(), "", record.queue_id));
        Delivery::from_record(queue, record, &self.cluster.names)
    }
}

fn unsupported(request: &Command) -> Answer {
    let remark = format!(" request type {} not supported", request.code);
    Answer::Now(Command::response_to(request, ResponseCode::REQUEST_CODE_NOT_SUPPORTED).with_remark(remark))
}

fn reply_record(header: PushReplyMessageRequest, body: Bytes) -> MessageRecord {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    MessageRecord {
        queue_id: header.queue_id,
        flag: header.flag,
        sys_flag: SysFlag(header.sys_flag),
        born_timestamp: header.born_timestamp,
        born_host: header.born_host.parse().unwrap_or(unknown),
        store_timestamp: header.store_timestamp,
        store_host: header.store_host.parse().unwrap_or(unknown),
        reconsume_times: header.reconsume_times.unwrap_or(0),
        body,
        topic: header.topic,
        properties: header.properties.unwrap_or_default(),
        ..MessageRecord::default()
    }
}
