//! The state of a name server, and its answers.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::Command;
use rocketmq_remoting::Header;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::error::{DecodeError, EncodeError};
use rocketmq_remoting::fastjson;
use serde::Serialize;

use super::kv::KvConfig;
use super::routes::{RouteTable, Rules};
use crate::clock::Clock;
use crate::config::NamesrvConfig;

/// The state of one name server.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: RwLock<NamesrvConfig>,
    pub(super) table: RwLock<RouteTable>,
    pub(super) kv: Mutex<KvConfig>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) started_ms: i64,
}

impl State {
    pub(super) fn new(config: NamesrvConfig, kv: KvConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            table: RwLock::new(RouteTable::new(rules(&config))),
            config: RwLock::new(config),
            kv: Mutex::new(kv),
            started_ms: clock.now_ms(),
            clock,
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}

/// Returns the switches of the route table in a configuration.
pub(super) fn rules(config: &NamesrvConfig) -> Rules {
    Rules {
        acting_master: config.live.acting_master,
        delete_missing_topics: config.live.delete_missing_topics,
    }
}

/// An answer with a code other than success.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ResponseCode,
    pub(super) remark: String,
}

impl Refusal {
    pub(super) fn new(code: ResponseCode, remark: impl Into<String>) -> Self {
        Self { code, remark: remark.into() }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, error.to_string())
    }
}

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, error.to_string())
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, format!("cannot write the configuration: {error}"))
    }
}

/// The answer to a request, without its opaque, or a refusal.
pub(super) type Answered = Result<Command, Refusal>;

/// Answers with success and nothing else.
pub(super) fn done() -> Answered {
    Ok(Command::response(ResponseCode::SUCCESS))
}

/// Answers with success and a header.
pub(super) fn header<H: Header>(response: &H) -> Answered {
    Ok(Command::response(ResponseCode::SUCCESS).with_ext(response.to_fields()?))
}

/// Answers with success and a JSON body.
pub(super) fn body<T: Serialize>(value: &T) -> Answered {
    Ok(Command::response(ResponseCode::SUCCESS).with_body(json(value)?))
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Refusal> {
    Ok(fastjson::to_vec(value)?)
}
