//! The broker as a connection sees it: every request is looked up in one table.

use std::sync::Arc;

use rocketmq_remoting::net::{self, Answer, CloseReason, Connection};
use rocketmq_remoting::{Command, Request};

use super::acl::needs::Needs;
use super::acl::{AccessControl, Pass};
use super::log::Log;
use super::restart::Domains;
use super::{acl, admin, clients, groups, offsets, pop, pull, query, send, timer, topics, transaction};
use crate::exchange::{Asked, Handler, Refusal, Table};

/// Answers the requests of all connections.
#[derive(Debug)]
pub struct Dispatcher {
    acl: Arc<AccessControl>,
    clients: Arc<clients::Parts>,
    table: Table<Pass>,
}

impl Dispatcher {
    pub fn new(domains: &Domains) -> Self {
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
    let mut on = Requests { table: &mut table, gate, parts: Arc::new(()) };
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
    acl::requests(&mut on, domains);
    table
}

/// Judges requests by what they need. A stored message belongs to the topic that the log says.
#[derive(Debug, Clone)]
struct Gate {
    acl: Arc<AccessControl>,
    log: Arc<Log>,
}

impl Gate {
    fn permit<R: Request>(&self, asked: &Asked<'_, R>, needs: Needs) -> Result<(), Refusal> {
        self.acl.judge(asked.peer().ip(), asked.command(), needs, &self.log.store)
    }
}

/// Where a domain declares its requests; their handlers work on `D`.
#[derive(Debug)]
pub struct Requests<'a, D> {
    table: &'a mut Table<Pass>,
    gate: Gate,
    parts: Arc<D>,
}

impl<D: Send + Sync + 'static> Requests<'_, D> {
    /// For handlers that work on something else.
    pub fn of<E>(&mut self, parts: Arc<E>) -> Requests<'_, E> {
        Requests { table: self.table, gate: self.gate.clone(), parts }
    }

    /// Declares a request: what it needs, and its handler.
    pub fn request<R: Request>(&mut self, needs: fn(&R, &R::Body) -> Needs, handler: impl Handler<D, R>) {
        let gate = self.gate.clone();
        let permit = move |pass, asked: &Asked<'_, R>| match pass {
            Pass::Free => Ok(()),
            Pass::Judged => gate.permit(asked, needs(&asked.header, &asked.body)),
        };
        self.table.declare(self.parts.clone(), permit, handler);
    }
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
