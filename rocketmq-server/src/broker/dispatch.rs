//! The broker as a connection sees it: every request is looked up in one table.

use std::sync::Arc;

use rocketmq_remoting::Command;
use rocketmq_remoting::net::{self, Answer, CloseReason, Connection};

use super::acl::{AccessControl, Pass};
use super::requests::{Gate, Requests};
use super::restart::Domains;
use super::{acl, admin, clients, groups, offsets, pop, pull, query, send, timer, topics, transaction};
use crate::exchange::{Refusal, Table};

/// Answers the requests of all connections.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    acl: Arc<AccessControl>,
    clients: Arc<clients::Parts>,
    table: Table<Pass>,
}

impl Dispatcher {
    pub(crate) fn new(domains: &Domains) -> Self {
        Self { acl: domains.acl.clone(), clients: domains.clients.clone(), table: table(domains) }
    }

    fn answer(&self, connection: &Connection, command: &Command) -> Result<Answer, Refusal> {
        let pass = self.acl.admit(connection.peer().ip(), command)?;
        let unsupported = || Refusal::unsupported(command.request_code());
        self.table.serve(pass, connection, command).ok_or_else(unsupported)
    }
}

/// Every request that the broker answers.
fn table(domains: &Domains) -> Table<Pass> {
    let mut table = Table::default();
    let gate = Gate { acl: domains.acl.clone(), log: domains.send.log.clone() };
    let mut on = Requests::new(&mut table, gate);
    send::requests(&mut on.of(domains.send.clone()));
    pull::requests(&mut on.of(domains.pull.clone()));
    pop::requests(&mut on.of(domains.pop.clone()));
    timer::requests(&mut on.of(domains.timer.clone()));
    transaction::requests(&mut on.of(domains.transaction.clone()));
    query::requests(&mut on.of(domains.query.clone()));
    topics::requests(&mut on.of(domains.topics.clone()));
    groups::requests(&mut on.of(domains.groups.clone()));
    offsets::requests(&mut on.of(domains.offsets.clone()));
    clients::requests(&mut on.of(domains.clients.clone()));
    admin::requests(&mut on.of(domains.admin.clone()));
    acl::requests(&mut on, &domains.acl, &domains.admin.log);
    table
}

impl net::Handler for Dispatcher {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        self.answer(connection, &command).unwrap_or_else(|refusal| Answer::Now(refusal.into_command()))
    }

    fn commit(&self, connection: &Connection) -> Result<(), net::Refusal> {
        self.clients
            .log
            .commit(connection.id())
            .map_err(|refusal| net::Refusal { code: refusal.code(), remark: refusal.remark().to_owned() })
    }

    fn closed(&self, connection: &Connection, _reason: &CloseReason) {
        clients::heartbeat::connection_closed(&self.clients, connection.id());
    }
}
