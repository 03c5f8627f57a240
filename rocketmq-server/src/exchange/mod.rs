//! Requests on their way to a handler, and answers on their way back.
//!
//! ```text
//! command ─▶ Table: code ─▶ read once ─▶ needs: may this client? ─▶ handler ─▶ Reply ─▶ command
//!                           Asked<R>     header and body of R      R::Response
//! ```
//!
//! A request is one type `R`, see [`Request`](rocketmq_remoting::Request). A server declares it once, in a
//! [`Table`]: its handler takes an [`Asked<R>`] and can answer with nothing but the response of `R`, or a [`Refusal`].

mod asked;
mod refusal;
mod reply;
mod table;

pub(crate) use asked::{Asked, ReplyTo};
pub(crate) use refusal::Refusal;
pub(crate) use reply::{IntoReply, Reply, Response};
pub(crate) use table::{Handler, Table, on_disk};
