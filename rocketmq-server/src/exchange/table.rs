//! The requests that a server answers, each with its handler.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::{Answered, Command, Request, RequestCode};

use super::{Asked, IntoReply, Refusal, Reply};

/// Serves one exchange with the parts `D` that it works on. Every function of that form is a handler.
pub(crate) trait Handler<D, R: Request>: Send + Sync + 'static {
    /// Answers a request.
    fn handle(&self, parts: &Arc<D>, asked: Asked<'_, R>) -> Answer;
}

impl<F, D, R, A> Handler<D, R> for F
where
    F: Fn(&D, Asked<'_, R>) -> A + Send + Sync + 'static,
    A: IntoReply<R::Response>,
    R: Request,
{
    fn handle(&self, parts: &Arc<D>, asked: Asked<'_, R>) -> Answer {
        self(parts, asked).into_reply().into_answer()
    }
}

/// A handler that reads or writes files: it runs where it may wait for the disk.
pub(crate) struct OnDisk<F>(Arc<F>);

/// Has `handler` run where it may wait for the disk.
pub(crate) fn on_disk<F>(handler: F) -> OnDisk<F> {
    OnDisk(Arc::new(handler))
}

impl<F, D, R, A> Handler<D, R> for OnDisk<F>
where
    F: Fn(&D, Asked<'_, R>) -> Result<A, Refusal> + Send + Sync + 'static,
    A: Into<Answered<R::Response>>,
    D: Send + Sync + 'static,
    R: Request,
{
    fn handle(&self, parts: &Arc<D>, asked: Asked<'_, R>) -> Answer {
        let (handler, parts) = (self.0.clone(), parts.clone());
        let (connection, command) = (asked.connection.clone(), asked.command().clone());
        let answer = move || Ok(handler(&parts, Asked::read(&connection, &command)?)?.into());
        Reply::<R::Response>::blocking(move || Some(answer())).into_answer()
    }
}

/// `P` is what was found out about the client before the request is read: whether it may ask.
type Entry<P> = Box<dyn Fn(P, &Connection, &Command) -> Answer + Send + Sync>;

/// The requests that a server answers, by their code.
pub(crate) struct Table<P> {
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
    pub(crate) fn declare<D, R>(
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
    pub(crate) fn serve(&self, asker: P, connection: &Connection, command: &Command) -> Option<Answer> {
        let entry = self.entries.get(&command.request_code())?;
        Some(entry(asker, connection, command))
    }
}

impl<P> fmt::Debug for Table<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_remoting::ResponseCode;
    use rocketmq_remoting::net::{self, ConnectionConfig};
    use rocketmq_remoting::requests::offset::{GetMaxOffsetRequest, GetMinOffsetRequest, OffsetResponse};

    use super::*;
    use crate::exchange::Response;

    fn max(end: &i64, asked: Asked<'_, GetMaxOffsetRequest>) -> Response<GetMaxOffsetRequest> {
        let offset = end + i64::from(asked.header.queue_id);
        Ok(OffsetResponse { offset })
    }

    fn table() -> Table<bool> {
        let mut table = Table::default();
        let permit = |free, asked: &Asked<'_, GetMaxOffsetRequest>| match free {
            true => Ok(()),
            false => Err(Refusal::forbidden(format!("{} is not yours", asked.header.topic))),
        };
        table.declare(Arc::new(40), permit, max);
        table
    }

    struct Deaf;

    impl net::Handler for Deaf {
        fn handle(&self, _: &Connection, _: Command) -> Answer {
            Answer::None
        }
    }

    fn asked(free: bool, command: &Command) -> Option<Command> {
        let (_near, far) = tokio::io::duplex(64);
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let connection = Connection::spawn(far, here, here, Arc::new(Deaf), ConnectionConfig::default());
        match table().serve(free, &connection, command)? {
            Answer::Now(answer) => Some(answer),
            other => panic!("{other:?}"),
        }
    }

    fn request() -> Command {
        let header = GetMaxOffsetRequest { topic: "t".into(), queue_id: 2, committed: None };
        header.command(&()).unwrap()
    }

    #[tokio::test]
    async fn a_request_reaches_its_handler_and_the_response_of_its_exchange_comes_back() {
        let answer = asked(true, &request()).unwrap();
        assert_eq!(GetMaxOffsetRequest::answer(answer).unwrap().payload, OffsetResponse { offset: 42 });
    }

    #[tokio::test]
    async fn what_is_not_permitted_does_not_reach_it() {
        let answer = asked(false, &request()).unwrap();
        assert_eq!(
            (answer.response_code(), answer.remark.as_deref()),
            (ResponseCode::NO_PERMISSION, Some("t is not yours"))
        );
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_by_name_and_what_is_not_declared_is_unknown() {
        let mut command = request();
        command.ext.remove("queueId");
        let answer = asked(true, &command).unwrap();
        assert_eq!(answer.response_code(), ResponseCode::SYSTEM_ERROR);
        assert_eq!(answer.remark.as_deref(), Some("header field `queueId` is missing"));
        assert_eq!(asked(true, &Command::request(GetMinOffsetRequest::CODE)), None);
    }

    #[test]
    #[should_panic(expected = "GET_MAX_OFFSET")]
    fn a_request_has_one_handler() {
        table().declare(Arc::new(1), |_, _| Ok(()), max);
    }
}
