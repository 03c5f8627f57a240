//! A producer of transactions, as its requests look on the wire.

use rocketmq_remoting::Command;
use rocketmq_remoting::message::{OffsetMessageId, SysFlag};
use rocketmq_remoting::requests::send::SendMessageResponse;
use rocketmq_remoting::requests::transaction::EndTransactionRequest;

use super::rig::Client;

pub(crate) const COMMIT: i32 = SysFlag::TRANSACTION_COMMIT;
pub(crate) const ROLLBACK: i32 = SysFlag::TRANSACTION_ROLLBACK;

pub(crate) async fn half(client: &Client, body: &'static str, extra: &[(&str, &str)]) -> SendMessageResponse {
    let mut properties = vec![("TRAN_MSG", "true"), ("PGROUP", "p"), ("UNIQ_KEY", body)];
    properties.extend_from_slice(extra);
    client.send("t", body, &properties).await
}

pub(crate) fn end_of(half: &SendMessageResponse, decision: i32) -> EndTransactionRequest {
    let id: OffsetMessageId = half.msg_id.as_ref().unwrap().parse().unwrap();
    EndTransactionRequest {
        producer_group: "p".into(),
        tran_state_table_offset: half.queue_offset,
        commit_log_offset: id.offset,
        commit_or_rollback: decision,
        ..EndTransactionRequest::default()
    }
}

/// The end that answers a check.
pub(crate) fn answer_to(check: &Command, decision: i32) -> EndTransactionRequest {
    let number = |name| check.ext.get(name).unwrap().parse().unwrap();
    EndTransactionRequest {
        producer_group: "p".into(),
        tran_state_table_offset: number("tranStateTableOffset"),
        commit_log_offset: number("commitLogOffset"),
        commit_or_rollback: decision,
        from_transaction_check: true,
        ..EndTransactionRequest::default()
    }
}
