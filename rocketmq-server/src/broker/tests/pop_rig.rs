//! A consumer that pops, as the Java client does.

use std::collections::HashMap;

use rocketmq_remoting::body::{BatchAckBody, MessageRequestMode, MessageRequestModeBody};
use rocketmq_remoting::message::{MessageRecord, Properties};
use rocketmq_remoting::requests::pop::{
    AckMessageRequest, ChangeInvisibleTimeRequest, ChangeInvisibleTimeResponse, PopMessageRequest,
    PopMessageResponse,
};
use rocketmq_remoting::{Command, Header, RequestCode, ResponseCode};

use super::rig::{Client, Rig};

/// The time for which the messages of these tests are hidden, in milliseconds.
pub(crate) const HIDDEN: i64 = 60_000;

pub(crate) struct Popper {
    pub client: Client,
    pub group: &'static str,
}

/// A popped message and its receipt.
#[derive(Debug, Clone)]
pub(crate) struct Popped {
    pub message: MessageRecord,
    pub receipt: String,
}

impl Popped {
    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.message.body).unwrap()
    }

    fn word(&self, at: usize) -> &str {
        self.receipt.split(' ').nth(at).unwrap()
    }

    /// Returns the topic that stores it, by the receipt.
    pub(crate) fn stored_topic(&self, group: &str) -> String {
        let topic = &self.message.topic;
        match self.word(4) {
            "1" => format!("%RETRY%{group}_{topic}"),
            "2" => format!("%RETRY%{group}+{topic}"),
            _ => topic.clone(),
        }
    }
}

/// The answer to a pop, taken apart.
#[derive(Debug)]
pub(crate) struct PopAnswer {
    pub code: ResponseCode,
    pub header: PopMessageResponse,
    pub messages: Vec<Popped>,
}

impl PopAnswer {
    pub(crate) fn of(answer: Command) -> Self {
        let code = answer.response_code();
        let header = PopMessageResponse::from_fields(&answer.ext).unwrap();
        let starts = table(header.start_offset_info.as_deref());
        let messages = MessageRecord::decode_all(answer.body)
            .map(|message| Popped { receipt: receipt(&header, &starts, &message), message })
            .collect();
        Self { code, header, messages }
    }

    pub(crate) fn bodies(&self) -> Vec<&str> {
        self.messages.iter().map(Popped::body).collect()
    }
}

fn table(info: Option<&str>) -> HashMap<String, String> {
    let entries = info.unwrap_or_default().split(';').filter(|entry| !entry.is_empty());
    let mut table = HashMap::new();
    for entry in entries {
        let (key, value) = entry.rsplit_once(' ').unwrap();
        assert!(table.insert(key.to_owned(), value.to_owned()).is_none(), "Java refuses {info:?}");
    }
    table
}

fn receipt(header: &PopMessageResponse, starts: &HashMap<String, String>, message: &MessageRecord) -> String {
    if let Some(receipt) = Properties::parse(&message.properties).pop_receipt() {
        return receipt.to_owned();
    }
    let queue = message.queue_id;
    let start = &starts[&format!("0 {queue}")];
    let PopMessageResponse { pop_time, invisible_time, revive_qid, .. } = header;
    format!("{start} {pop_time} {invisible_time} {revive_qid} 0 broker-a {queue} {}", message.queue_offset)
}

impl Popper {
    pub(crate) fn new(rig: &Rig, group: &'static str) -> Self {
        Self { client: rig.connect(), group }
    }

    pub(crate) fn request(&self, topic: &str) -> PopMessageRequest {
        PopMessageRequest {
            consumer_group: self.group.into(),
            topic: topic.into(),
            queue_id: -1,
            max_msg_nums: 32,
            invisible_time: HIDDEN,
            ..PopMessageRequest::default()
        }
    }

    pub(crate) async fn ask(&self, request: &PopMessageRequest) -> PopAnswer {
        PopAnswer::of(self.client.ask(request).await)
    }

    /// Pops what is there now.
    pub(crate) async fn pop(&self, topic: &str) -> PopAnswer {
        self.ask(&self.request(topic)).await
    }

    /// Waits until there is something.
    pub(crate) async fn wait(&self, topic: &str) -> PopAnswer {
        self.ask(&PopMessageRequest { poll_time: 1_000_000_000, ..self.request(topic) }).await
    }

    pub(crate) async fn ack(&self, popped: &Popped) -> ResponseCode {
        let request = AckMessageRequest {
            consumer_group: self.group.into(),
            topic: popped.stored_topic(self.group),
            queue_id: popped.message.queue_id,
            extra_info: popped.receipt.clone(),
            offset: popped.message.queue_offset,
        };
        self.client.ask(&request).await.response_code()
    }

    /// Changes when the message is seen again; its new receipt.
    pub(crate) async fn hide(&self, popped: &Popped, invisible_time: i64) -> Popped {
        let request = ChangeInvisibleTimeRequest {
            consumer_group: self.group.into(),
            topic: popped.stored_topic(self.group),
            queue_id: popped.message.queue_id,
            extra_info: popped.receipt.clone(),
            offset: popped.message.queue_offset,
            invisible_time,
        };
        let answer = self.client.ask(&request).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
        let changed: ChangeInvisibleTimeResponse =
            ChangeInvisibleTimeResponse::from_fields(&answer.ext).unwrap();
        let offset = popped.message.queue_offset;
        let ChangeInvisibleTimeResponse { pop_time, invisible_time, revive_qid } = changed;
        let rest = format!("{} broker-a {} {offset}", popped.word(4), popped.message.queue_id);
        let receipt = format!("{offset} {pop_time} {invisible_time} {revive_qid} {rest}");
        Popped { receipt, ..popped.clone() }
    }

    pub(crate) async fn ack_many(&self, body: &BatchAckBody) -> ResponseCode {
        self.client.ask_json(RequestCode::BATCH_ACK_MESSAGE, body).await.response_code()
    }

    pub(crate) async fn set_pop_mode(&self, topic: &str, share: i32) {
        let mode = MessageRequestModeBody {
            consumer_group: self.group.into(),
            mode: MessageRequestMode::Pop,
            pop_share_queue_num: share,
            topic: topic.into(),
        };
        let answer = self.client.ask_json(RequestCode::SET_MESSAGE_REQUEST_MODE, &mode).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    }
}
