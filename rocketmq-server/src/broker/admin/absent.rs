//! Requests about parts of Apache's broker that this one does not have: what tools are told instead.

use std::collections::BTreeMap;

use rocketmq_remoting::code::RequestCode as Code;
use serde::Serialize;

use crate::broker::answer::{Refusal, Reply, ok, ok_json};

/// What this broker says to `code`; `None` when it is none of these.
pub fn answer(code: Code) -> Option<Reply> {
    let remark = match code {
        Code::GET_COLD_DATA_FLOW_CTR_INFO => return Some(ok_json(&ColdReads::default())),
        // Exports receipts from RocksDB to the commit log, where they are anyway.
        Code::POP_ROLLBACK => return Some(Ok(ok())),
        Code::GET_BROKER_EPOCH_CACHE => "this request only for controllerMode",
        Code::UPDATE_COLD_DATA_FLOW_CTR_CONFIG | Code::REMOVE_COLD_DATA_FLOW_CTR_CONFIG => {
            "this broker does not limit cold reads: pages come from the file system as they are asked for"
        }
        Code::SET_COMMITLOG_READ_MODE => "this broker maps no files, so there is no read-ahead to set",
        Code::RESET_MASTER_FLUSH_OFFSET => "this broker's master does not tell its flush offset",
        Code::SWITCH_TIMER_ENGINE => "this broker has one timer engine, the timing wheel in files",
        Code::CHECK_ROCKSDB_CQ_WRITE_PROGRESS => {
            "this broker keeps its consume queues in files, not in RocksDB"
        }
        Code::UPDATE_AND_CREATE_STATIC_TOPIC => {
            "this broker serves no static topics; create the topic with updateTopic"
        }
        _ => return None,
    };
    Some(Err(Refusal::system(remark)))
}

/// Nobody is slowed down; the limits are Apache's defaults, which nothing here reaches.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ColdReads {
    config_table: BTreeMap<String, i64>,
    runtime_table: BTreeMap<String, i64>,
    cg_cold_read_threshold: i64,
    global_cold_read_threshold: i64,
    global_acc: i64,
}

impl Default for ColdReads {
    fn default() -> Self {
        Self {
            config_table: BTreeMap::new(),
            runtime_table: BTreeMap::new(),
            cg_cold_read_threshold: 3 << 20,
            global_cold_read_threshold: 100 << 20,
            global_acc: 0,
        }
    }
}
