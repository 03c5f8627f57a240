//! The requests that a server answers, each with its handler.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::{Command, Request, RequestCode};

use super::{Asked, IntoReply, Refusal};

/// Serves one exchange with the parts `D` that it works on. Every function of that form is a handler.
pub trait Handler<D, R: Request>: Send + Sync + 'static {
    /// Answers a request.
    fn handle(&self, parts: &D, asked: Asked<'_, R>) -> Answer;
}

impl<F, D, R, A> Handler<D, R> for F
where
    F: Fn(&D, Asked<'_, R>) -> A + Send + Sync + 'static,
    A: IntoReply<R::Response>,
    R: Request,
{
    fn handle(&self, parts: &D, asked: Asked<'_, R>) -> Answer {
        self(parts, asked).into_reply().into_answer()
    }
}

/// `P` is what was found out about the client before the request is read: whether it may ask.
type Entry<P> = Box<dyn Fn(P, &Connection, &Command) -> Answer + Send + Sync>;

/// The requests that a server answers, by their code.
pub struct Table<P> {
    entries: BTreeMap<RequestCode, Entry<P>>,
}

impl<P> Default for Table<P> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<P: 'static> Table<P> {
    /// Declares a request: `permit` judges it once it is read, `handler` answers it with `parts`.
    ///
    /// # Panics
    /// The request is declared twice, which every start would show.
    pub fn declare<D, R>(
        &mut self,
        parts: Arc<D>,
        permit: impl Fn(P, &Asked<'_, R>) -> Result<(), Refusal> + Send + Sync + 'static,
        handler: impl Handler<D, R>,
    ) where
        D: Send + Sync + 'static,
        R: Request,
    {
        let entry: Entry<P> = Box::new(move |asker, connection, command| {
            let read = Asked::read(connection, command);
            match read.and_then(|asked| permit(asker, &asked).map(|()| asked)) {
                Ok(asked) => handler.handle(&parts, asked),
                Err(refusal) => Answer::Now(refusal.into_command()),
            }
        });
        let twice = self.entries.insert(R::CODE, entry).is_some();
        assert!(!twice, "request {} has two handlers", R::CODE);
    }

    /// Has a request answered; `None` when its code is not declared.
    pub fn serve(&self, asker: P, connection: &Connection, command: &Command) -> Option<Answer> {
        let entry = self.entries.get(&command.request_code())?;
        Some(entry(asker, connection, command))
    }
}

impl<P> fmt::Debug for Table<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
