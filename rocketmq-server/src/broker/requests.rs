//! Declares the requests that a domain answers.

use std::sync::Arc;

use rocketmq_remoting::Request;

use super::acl::needs::Needs;
use super::acl::{AccessControl, Pass};
use super::log::Log;
use crate::exchange::{Asked, Handler, Refusal, Table};

/// Judges requests by what they need. A stored message belongs to the topic that the log says.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub acl: Arc<AccessControl>,
    pub log: Arc<Log>,
}

impl Gate {
    fn permit<R: Request>(&self, asked: &Asked<'_, R>, needs: Needs) -> Result<(), Refusal> {
        self.acl.judge(asked.peer().ip(), asked.command(), needs, &self.log.store)
    }
}

/// Takes the declarations of a domain, whose handlers work on `D`.
#[derive(Debug)]
pub(crate) struct Requests<'a, D> {
    table: &'a mut Table<Pass>,
    gate: Gate,
    parts: Arc<D>,
}

impl<'a> Requests<'a, ()> {
    /// A table to fill. Its requests pass through `gate`.
    pub(crate) fn new(table: &'a mut Table<Pass>, gate: Gate) -> Self {
        Self { table, gate, parts: Arc::new(()) }
    }
}

impl<D: Send + Sync + 'static> Requests<'_, D> {
    /// For handlers that work on something else.
    pub(crate) fn of<E>(&mut self, parts: Arc<E>) -> Requests<'_, E> {
        Requests { table: self.table, gate: self.gate.clone(), parts }
    }

    /// Declares a request: what it needs, and its handler.
    pub(crate) fn request<R: Request>(
        &mut self,
        needs: fn(&R, &R::Body) -> Needs,
        handler: impl Handler<D, R>,
    ) {
        let gate = self.gate.clone();
        let permit = move |pass, asked: &Asked<'_, R>| match pass {
            Pass::Free => Ok(()),
            Pass::Judged => gate.permit(asked, needs(&asked.header, &asked.body)),
        };
        self.table.declare(self.parts.clone(), permit, handler);
    }
}
