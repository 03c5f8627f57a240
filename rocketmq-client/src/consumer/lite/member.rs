//! A lite consumer as the member of a group: its heartbeat, and its answers to brokers.

use std::sync::Arc;

use rocketmq_remoting::Command;
use rocketmq_remoting::body::{ConsumeType, ConsumerData};
use rocketmq_remoting::net::Answer;

use crate::consumer::member::Member;
use crate::consumer::tools::info;
use crate::consumer::tools::settings::{Setting, of_flow};
use crate::error::CallError;
use crate::membership::ConsumerMember;

/// A started lite consumer.
pub(super) struct LiteMember {
    pub(super) name: String,
    pub(super) group: Arc<Member>,
    pub(super) pull_batch: i32,
    pub(super) auto_commit: bool,
}

impl ConsumerMember for LiteMember {
    fn wire_group(&self) -> &str {
        self.group.name()
    }

    fn heartbeat(&self) -> ConsumerData {
        self.group.heartbeat(ConsumeType::Actively)
    }

    fn topics(&self) -> Vec<String> {
        self.group.topics()
    }

    fn rebalance_soon(&self) {
        self.group.rebalance.notify_one();
    }

    fn heard(&self, address: &str, outcome: Result<(), &CallError>) {
        self.group.heard(address, outcome);
    }

    fn on_request(&self, request: Command) -> Answer {
        info::serve(&request, || self.group.info(ConsumeType::Actively, self.settings()), "lite")
    }
}

impl LiteMember {
    /// Returns its own settings, under the names of Java's lite consumer.
    fn settings(&self) -> Vec<Setting> {
        let mut settings = vec![
            ("pullBatchSize", self.pull_batch.to_string()),
            ("autoCommit", self.auto_commit.to_string()),
            ("consumeMaxSpan", self.group.flow.max_span.to_string()),
        ];
        settings.extend(of_flow(&self.group.flow));
        settings
    }
}
