//! The members of a group, as a broker lists them.

use std::collections::BTreeSet;

use rocketmq_remoting::requests::heartbeat::GetConsumerListByGroupRequest;
use rocketmq_remoting::{Json, ResponseCode};

use super::Membership;
use crate::cluster::calls::{Target, is_refusal};
use crate::error::{CallError, CallErrorKind};

impl Membership {
    /// Returns the client ids of a group's members, each once, as the broker at `address` lists them. A broker without a
    /// list, such as one that has just started, is sent a heartbeat and asked again.
    ///
    /// # Errors
    /// There is no list, or none even after a heartbeat.
    pub(crate) async fn group_members(
        &self,
        address: &str,
        group: &str,
    ) -> Result<BTreeSet<String>, CallError> {
        match self.listed_members(address, group).await {
            Err(error) if is_refusal(&error, ResponseCode::SYSTEM_ERROR) => {
                self.greet(address).await;
                self.listed_members(address, group).await.map_err(unlisted)
            }
            listed => listed,
        }
    }

    /// Asks for the list, and names each client once: one that is listed twice would take one share of the queues for two.
    async fn listed_members(&self, address: &str, group: &str) -> Result<BTreeSet<String>, CallError> {
        let request = GetConsumerListByGroupRequest { consumer_group: group.to_owned() };
        let (target, limit) = (Target::address(address), self.cluster.config.api_timeout);
        let answer = self.cluster.exchange(target, &request, &(), limit).await?;
        let Json(list) = answer.payload;
        let own = list.consumer_id_list.iter().filter(|id| **id == self.cluster.client_id).count();
        let shared = (own > 1).then(|| shared_id(group, &self.cluster.client_id));
        self.warnings.add(address, shared.as_deref().or(answer.remark.as_deref()));
        Ok(list.consumer_id_list.into_iter().collect())
    }
}

fn shared_id(group: &str, client_id: &str) -> String {
    format!(
        "group {group}: another member has the client id of this one, {client_id}, so both read the same queues: give \
         each client an instance name of its own"
    )
}

/// Explains a missing list: a broker answers the heartbeat of a group that does not exist like any other, and forgets it.
fn unlisted(error: CallError) -> CallError {
    if !is_refusal(&error, ResponseCode::SYSTEM_ERROR) {
        return error;
    }
    let text = format!(
        "{error}: it took a heartbeat and does not list this consumer; if its brokers do not create groups by \
         themselves, create the group with mqadmin updateSubGroup"
    );
    CallError::new(CallErrorKind::Refused, text).with_source(error)
}
