//! A template whose messages are recorded, over a broker of its own.

use crate::outcome::BoxError;
use crate::template::RocketmqTemplate;
use rocketmq_client::{Client, Interceptor, Message};
use rocketmq_server::Embedded;
use std::sync::{Arc, Mutex, PoisonError};

/// The group of the template.
const GROUP: &str = "rocketmq-starter-testing";

/// The broker, the template, and what it has sent.
#[derive(Debug)]
pub(super) struct Recorder {
    template: RocketmqTemplate,
    sent: Sent,
    // The last: the client ends before its broker.
    _broker: Embedded,
}

impl Recorder {
    pub(super) async fn start() -> Result<Self, BoxError> {
        let (broker, sent) = (Embedded::start().await?, Sent::default());
        let client = Client::builder(broker.name_server()).interceptor(sent.clone()).connect().await?;
        let template = RocketmqTemplate::new(client.producer(GROUP).build().await?);
        Ok(Recorder { template, sent, _broker: broker })
    }

    pub(super) fn template(&self) -> RocketmqTemplate {
        self.template.clone()
    }

    pub(super) fn sent(&self) -> Vec<Message> {
        self.sent.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The messages on their way to the broker.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Vec<Message>>>);

impl Interceptor for Sent {
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        Ok(())
    }
}
