//! The consumer of `[rocketmq.pull-consumer]`, the source of `RocketmqTemplate::receive`.

use super::backend::Backend;
use super::clients::Clients;
use crate::config::PullConsumerProperties;
use crate::error::{Mistake, MistakeKind};
use crate::listener::options::{self, MessageModel};
use crate::template::Receiver;

/// Spring's default.
const BATCH: u32 = 10;

/// Reports half a configuration, an expression that cannot be read, and a group that listeners have already.
/// `groups`: those of the listeners, and their name servers.
pub(crate) fn check<'g>(
    properties: &PullConsumerProperties,
    groups: impl Iterator<Item = (&'g str, &'g Option<String>)>,
    has_template: bool,
    mistakes: &mut Vec<Mistake>,
) {
    let mut wrong = |kind, message: String| mistakes.push(Mistake::new(kind, message));
    match (&properties.group, &properties.topic) {
        (Some(_), None) => {
            wrong(MistakeKind::WrongValue, "`rocketmq.pull-consumer` has a group: set its `topic` too".into())
        }
        (None, Some(_)) => wrong(
            MistakeKind::MissingGroup,
            "`rocketmq.pull-consumer` has a topic: set its `group` too".into(),
        ),
        (Some(_), Some(_)) if !has_template => {
            let message = "`rocketmq.pull-consumer` needs a template: set `rocketmq.producer.group`";
            wrong(MistakeKind::MissingGroup, message.into());
        }
        _ => {}
    }
    let same = |(group, name_server): &(&str, &Option<String>)| {
        properties.group.as_deref() == Some(*group) && properties.name_server == **name_server
    };
    for (group, _) in groups.filter(same) {
        let message = format!(
            "`rocketmq.pull-consumer.group` is \"{group}\", and listeners of this application have that group; give one \
             of them another"
        );
        wrong(MistakeKind::Subscription, message);
    }
    if let Some(expression) = &properties.selector_expression {
        let read = if properties.sql { options::sql(expression) } else { options::tags(expression) };
        if let Err(takes) = read {
            let key = "`rocketmq.pull-consumer.selector-expression`";
            wrong(MistakeKind::WrongValue, format!("{key} is \"{expression}\"; it takes {takes}"));
        }
    }
}

/// Starts the consumer if it is configured.
pub(crate) async fn start(
    properties: &PullConsumerProperties,
    backend: &Backend,
    clients: &mut Clients,
) -> Result<Option<Receiver>, Mistake> {
    let (Some(group), Some(topic)) = (&properties.group, &properties.topic) else { return Ok(None) };
    let name_server = backend.or_default(properties.name_server.as_deref());
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
        let checked = |properties: &PullConsumerProperties, has_template| {
            let (mut mistakes, none) = (Vec::new(), None);
            check(properties, [("billing", &none)].into_iter(), has_template, &mut mistakes);
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let mut properties = PullConsumerProperties::default();
        assert!(checked(&properties, false).is_empty());
        properties.group = Some("g".to_owned());
        assert!(checked(&properties, true)[0].contains("`topic`"));
        properties.topic = Some("t".to_owned());
        assert!(checked(&properties, true).is_empty());
        assert!(checked(&properties, false)[0].contains("template"));
        properties.group = Some("billing".to_owned());
        assert!(checked(&properties, true)[0].contains("have that group"));
        properties.name_server = Some("far:1".to_owned());
        properties.selector_expression = Some("a >".to_owned());
        let mistakes = checked(&properties, true);
        assert!(mistakes.len() == 1 && mistakes[0].contains("cannot be part of the tag"), "{mistakes:?}");
    }
}
