//! The broker as a connection sees it: every request is looked up in one table.

use std::sync::Arc;

use rocketmq_remoting::net::{self, Answer, CloseReason, Connection};
use rocketmq_remoting::{Command, Request};

use super::acl::Pass;
use super::acl::needs::Needs;
use super::core::Core;
use super::{acl, admin, clients, groups, offsets, pop, pull, query, send, timer, topics, transaction};
use crate::exchange::{Asked, Handler, Refusal, Table};

/// Answers the requests of all connections.
#[derive(Debug)]
pub struct Dispatcher {
    core: Arc<Core>,
    table: Table<Pass>,
}

impl Dispatcher {
    pub fn new(core: Arc<Core>) -> Self {
        let table = table(&core);
        Self { core, table }
    }

    fn answer(&self, connection: &Connection, command: &Command) -> Result<Answer, Refusal> {
        let pass = self.core.acl.admit(connection.peer().ip(), command)?;
        let unsupported = || Refusal::unsupported(command.request_code());
        self.table.serve(pass, connection, command).ok_or_else(unsupported)
    }
}

/// Every request that the broker answers.
fn table(core: &Arc<Core>) -> Table<Pass> {
    let mut table = Table::default();
    let mut on = Requests { table: &mut table, core: core.clone(), parts: core.clone() };
    send::requests(&mut on.of(Arc::new(core.clone())));
    pull::requests(&mut on);
    pop::requests(&mut on);
    timer::requests(&mut on);
    transaction::requests(&mut on);
    query::requests(&mut on);
    topics::requests(&mut on);
    groups::requests(&mut on);
    offsets::requests(&mut on);
    clients::requests(&mut on);
    admin::requests(&mut on);
    acl::requests(&mut on);
    table
}

/// Where a domain declares its requests; their handlers work on `D`.
#[derive(Debug)]
pub struct Requests<'a, D> {
    table: &'a mut Table<Pass>,
    core: Arc<Core>,
    parts: Arc<D>,
}

impl<D: Send + Sync + 'static> Requests<'_, D> {
    /// What the handlers declared here work on.
    pub fn parts(&self) -> Arc<D> {
        self.parts.clone()
    }

    /// For handlers that work on something else.
    pub fn of<E>(&mut self, parts: Arc<E>) -> Requests<'_, E> {
        Requests { table: self.table, core: self.core.clone(), parts }
    }

    /// Declares a request: what it needs, and its handler.
    pub fn request<R: Request>(&mut self, needs: fn(&R, &R::Body) -> Needs, handler: impl Handler<D, R>) {
        let core = self.core.clone();
        let permit = move |pass, asked: &Asked<'_, R>| match pass {
            Pass::Free => Ok(()),
            Pass::Judged => core.permit(asked, needs(&asked.header, &asked.body)),
        };
        self.table.declare(self.parts.clone(), permit, handler);
    }
}

impl net::Handler for Dispatcher {
    fn handle(&self, connection: &Connection, command: Command) -> Answer {
        self.answer(connection, &command).unwrap_or_else(|refusal| Answer::Now(refusal.into_command()))
    }

    fn commit(&self, connection: &Connection) -> Result<(), net::Refusal> {
        self.core
            .commit(connection.id())
            .map_err(|refusal| net::Refusal { code: refusal.code(), remark: refusal.remark().to_owned() })
    }

    fn closed(&self, connection: &Connection, _reason: &CloseReason) {
        clients::heartbeat::connection_closed(&self.core, connection.id());
    }
}
