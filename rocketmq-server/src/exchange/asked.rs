//! A request as its handler sees it.

use std::marker::PhantomData;
use std::net::SocketAddr;

use rocketmq_remoting::code::LanguageCode;
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::{Answered, Command, EncodeError, HeaderCodec, Payload, Request, signature};

use super::Refusal;

/// Names of the header fields of clients that want the brokers of one zone only.
const ZONE_MODE: &str = "__ZONE_MODE";
const ZONE_NAME: &str = "__ZONE_NAME";

/// A request that was read, and where it came from.
#[derive(Debug)]
pub(crate) struct Asked<'a, R: Request> {
    pub header: R,
    pub body: R::Body,
    /// The connection it came over.
    pub connection: &'a Connection,
    command: &'a Command,
}

impl<'a, R: Request> Asked<'a, R> {
    /// Reads a request.
    ///
    /// # Errors
    /// Code 1: the header or the body cannot be read.
    pub(crate) fn read(connection: &'a Connection, command: &'a Command) -> Result<Self, Refusal> {
        let (header, body) = R::read(command)?;
        Ok(Self { header, body, connection, command })
    }

    /// The address it came from.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.connection.peer()
    }

    /// The asker's protocol version.
    pub(crate) fn version(&self) -> i32 {
        self.command.version
    }

    /// The asker's language.
    pub(crate) fn language(&self) -> LanguageCode {
        self.command.language
    }

    /// The user it names; `None` when it is not signed.
    pub(crate) fn access_key(&self) -> Option<&str> {
        self.command.ext.get(signature::ACCESS_KEY).filter(|name| !name.is_empty())
    }

    /// The zone it is in, which brokers and clients tell beside their headers.
    pub(crate) fn zone(&self) -> Option<&str> {
        self.command.ext.get(ZONE_NAME)
    }

    /// The asker's zone, where it wants brokers of no other.
    pub(crate) fn own_zone_only(&self) -> Option<&str> {
        let on = self.command.ext.get(ZONE_MODE)?.eq_ignore_ascii_case("true");
        self.zone().filter(|zone| on && !zone.trim().is_empty())
    }

    /// The request as it came.
    pub(crate) fn command(&self) -> &Command {
        self.command
    }

    /// Returns the way for an answer that follows later.
    pub(crate) fn reply_to(&self) -> ReplyTo<R::Response> {
        ReplyTo {
            connection: self.connection.clone(),
            opaque: self.command.opaque,
            codec: self.command.codec,
            response: PhantomData,
        }
    }

    /// The request to be passed on to a client as it came, with fields that this broker may not know.
    pub(crate) fn forwarded(&self) -> Command {
        let Command { ext, body, .. } = self.command;
        Command::request(R::CODE).with_ext(ext.clone()).with_body(body.clone())
    }

    /// As [`forwarded`](Self::forwarded), with another header and body.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub(crate) fn forwarded_as(&self, header: &R, body: &R::Body) -> Result<Command, EncodeError> {
        let told = header.command(body)?;
        let mut onward = self.forwarded().with_body(told.body);
        told.ext.iter().for_each(|(name, value)| onward.ext.set(name, value));
        Ok(onward)
    }
}

/// The way back to a client that waits for its answer.
#[derive(Debug)]
pub(crate) struct ReplyTo<P> {
    pub connection: Connection,
    opaque: i32,
    codec: HeaderCodec,
    response: PhantomData<fn(P)>,
}

impl<P> Clone for ReplyTo<P> {
    fn clone(&self) -> Self {
        Self { connection: self.connection.clone(), ..*self }
    }
}

impl<P: Payload> ReplyTo<P> {
    /// Sends the answer.
    pub(crate) fn send(&self, reply: Result<Answered<P>, Refusal>) {
        let command = reply.and_then(|answered| Ok(answered.into_command()?));
        let command = command.unwrap_or_else(Refusal::into_command);
        // A closed connection has nobody to tell.
        let _ = self.connection.push(command.answer(self.opaque, self.codec));
    }
}
