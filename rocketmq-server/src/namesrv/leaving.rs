//! Removes brokers that unregister, close their connection, or fall silent.

use rocketmq_remoting::requests::route::UnregisterBrokerRequest;
use tracing::info;

use super::routes::Member;
use super::state::State;
use crate::exchange::{Asked, Response};

pub(super) fn unregister(
    state: &State,
    asked: Asked<'_, UnregisterBrokerRequest>,
) -> Response<UnregisterBrokerRequest> {
    let asked = asked.header;
    info!(broker = asked.broker_name, address = asked.broker_addr, "a broker has unregistered");
    let member = Member { cluster: asked.cluster_name, address: asked.broker_addr };
    state.table.write().remove(&member);
    Ok(())
}

/// Removes the brokers whose last registration came over this closed connection.
pub(super) fn disconnected(state: &State, connection: u64) -> Vec<Member> {
    // Most connections belong to clients: look with the read lock first, so that route requests go on.
    let members = state.table.read().members_on(connection);
    if members.is_empty() {
        return members;
    }
    let mut table = state.table.write();
    let still_there = table.members_on(connection);
    still_there.iter().for_each(|member| table.remove(member));
    still_there
}

/// Removes the brokers that were silent for too long. Returns their connections, which the caller closes.
pub(super) fn expire(state: &State) -> Vec<u64> {
    let passed_ms = state.passed_ms();
    let mut table = state.table.write();
    let silent = table.expired(passed_ms);
    let connections = silent.iter().filter_map(|member| table.connection_of(member)).collect();
    for member in &silent {
        info!(broker = member.address, "a broker has been silent for too long");
        table.remove(member);
    }
    connections
}
