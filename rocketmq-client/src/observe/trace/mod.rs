//! Message trace: records the sender, the handlers and their results of a message in a topic of the cluster, in the form of
//! Apache's Java client, for its tools and console to read (`mqadmin queryMsgTraceById`).

mod bundle;
mod config;
mod consumed;
pub(crate) mod record;
mod sent;
mod tracer;

pub(crate) use bundle::MAX_TEXT;
pub use config::TraceConfig;
pub(crate) use consumed::Consuming;
pub(crate) use sent::{Decision, SendTrace};
pub(crate) use tracer::{Carrier, Role, SEND_TIMEOUT, Tracer};
