//! The answers to sends.

use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::requests::send::{RefusedSend, SendMessageResponse};

use super::parts::Parts;
use crate::exchange::Refusal;
use crate::store::Put;

/// Producers read the region and the trace switch from refusals too.
pub(crate) fn refused(parts: &Parts, refusal: Refusal) -> Refusal {
    let SendMessageResponse { msg_region, trace_on, .. } = stamped_header(parts);
    refusal.with_header(&RefusedSend { msg_region, trace_on })
}

/// Returns an answer that holds nothing but the fields that all answers of this broker share.
pub(crate) fn stamped_header(parts: &Parts) -> SendMessageResponse {
    SendMessageResponse {
        msg_region: Some(parts.stamp.region().to_owned()),
        trace_on: Some(parts.stamp.trace_text().to_owned()),
        ..SendMessageResponse::default()
    }
}

/// Returns the id that names the place of a message.
pub(crate) fn message_id(parts: &Parts, put: &Put) -> String {
    let id = OffsetMessageId { host: parts.settings.address, offset: put.physical_offset };
    id.to_string()
}
