//! The consumer of `[rocketmq.pull-consumer]`, which the template receives from.

use super::backend::Backend;
use super::clients::Clients;
use crate::config::PullConsumerProperties;
use crate::error::{Mistake, MistakeKind};
use crate::listener::options::MessageModel;
use crate::template::Receiver;

/// Spring's default.
const BATCH: u32 = 10;

/// Reports half a configuration.
pub(crate) fn check(properties: &PullConsumerProperties, has_template: bool, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |kind, message: &str| mistakes.push(Mistake::new(kind, message));
    match (&properties.group, &properties.topic) {
        (Some(_), None) => {
            wrong(MistakeKind::WrongValue, "`rocketmq.pull-consumer` has a group: set its `topic` too")
        }
        (None, Some(_)) => {
            wrong(MistakeKind::MissingGroup, "`rocketmq.pull-consumer` has a topic: set its `group` too")
        }
        (Some(_), Some(_)) if !has_template => {
            wrong(
                MistakeKind::MissingGroup,
                "`rocketmq.pull-consumer` needs a template: set `rocketmq.producer.group`",
            );
        }
        _ => {}
    }
}

/// Starts it, when it is configured.
pub(crate) async fn start(
    properties: &PullConsumerProperties,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Option<Receiver>, Mistake> {
    let (Some(group), Some(topic)) = (&properties.group, &properties.topic) else { return Ok(None) };
    let name_server = backend.or_default(properties.name_server.clone());
    let client = clients.get(&name_server, &properties.access).await?.client;
    let batch = properties.pull_batch_size.unwrap_or(BATCH);
    let consumer = client.lite_consumer(group).pull_batch(u16::try_from(batch).unwrap_or(u16::MAX));
    let expression = properties.selector_expression.as_deref().unwrap_or("*");
    let mut consumer = match properties.sql {
        true => consumer.subscribe_sql(topic, expression),
        false => consumer.subscribe(topic, expression),
    };
    if properties.message_model == Some(MessageModel::Broadcasting) {
        consumer = consumer.broadcasting();
    }
    if let Some(trace) = properties.trace.to_client() {
        consumer = consumer.trace(trace);
    }
    let consumer = consumer.build().await;
    consumer.map(|consumer| Some(Receiver::new(consumer))).map_err(|error| {
        Mistake::new(
            MistakeKind::Connect,
            format!("the pull consumer of group `{group}` did not start: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_configuration_is_named() {
        let mut properties = PullConsumerProperties::default();
        let mut mistakes = Vec::new();
        check(&properties, false, &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        properties.group = Some("g".to_owned());
        check(&properties, true, &mut mistakes);
        assert!(mistakes.len() == 1 && mistakes[0].to_string().contains("`topic`"), "{mistakes:?}");
        properties.topic = Some("t".to_owned());
        check(&properties, false, &mut mistakes);
        assert!(mistakes.len() == 2 && mistakes[1].to_string().contains("template"), "{mistakes:?}");
    }
}
