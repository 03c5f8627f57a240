//! The rules for names and messages that a client checks before a broker would.

use std::fmt::Display;
use std::time::Duration;

use rocketmq_remoting::names::{check_group, check_topic, is_closed_to_producers};

use crate::messages::Message;

/// Checks the name of a topic. The error says what is wrong.
pub(crate) fn topic(name: &str) -> Result<(), String> {
    check_topic(name).map_err(|error| error.to_string())
}

/// Checks the name of a group. The error says what is wrong.
pub(crate) fn group(name: &str) -> Result<(), String> {
    if matches!(name, "DEFAULT_PRODUCER" | "DEFAULT_CONSUMER") {
        return Err(format!("group \"{name}\" is reserved; give your application a group of its own"));
    }
    check_group(name).map_err(|error| error.to_string())
}

/// Checks the value of an option. The error says what is wrong.
pub(crate) fn at_least<T: PartialOrd + Display>(option: &str, value: T, least: T) -> Result<(), String> {
    if value >= least {
        return Ok(());
    }
    Err(format!("{option} is {value}, allowed is {least} or more"))
}

/// Checks a timeout or interval. One below a millisecond would spin, or be over before it began.
pub(crate) fn at_least_a_millisecond(option: &str, value: Duration) -> Result<(), String> {
    if value >= Duration::from_millis(1) {
        return Ok(());
    }
    Err(format!("{option} is {value:?}, allowed is 1 ms or more"))
}

/// Checks a message to send. The error says what is wrong.
pub(crate) fn message(message: &Message, max_body: usize) -> Result<(), String> {
    topic(&message.topic)?;
    if is_closed_to_producers(&message.topic) {
        return Err(format!(
            "topic \"{}\" holds a broker's own records; send to a topic of your own",
            message.topic
        ));
    }
    if let Some(fault) = &message.fault {
        return Err(fault.clone());
    }
    match message.body.len() {
        0 => Err(format!("the body of a message to {} is empty; give it at least one byte", message.topic)),
        size if size > max_body => Err(format!(
            "the body of a message to {} has {size} bytes, the limit is {max_body}; send less, or raise \
             max_message_size here and on the brokers",
            message.topic
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_javas_defaults_are_reserved() {
        assert!(group("DEFAULT_PRODUCER").is_err_and(|fault| fault.contains("reserved")));
        assert!(group("g").is_ok() && group(&"g".repeat(121)).is_err());
    }

    #[test]
    fn bodies_have_a_lower_and_an_upper_limit() {
        let check = |body: &'static str| message(&Message::new("t", body), 3);
        assert!(check("").is_err_and(|fault| fault.contains("empty")));
        assert!(check("1234").is_err_and(|fault| fault.contains("4 bytes") && fault.contains('3')));
        assert!(check("123").is_ok());
        assert!(message(&Message::new("SCHEDULE_TOPIC_XXXX", "b"), 3).is_err());
        assert!(message(&Message::new("t", "b").property("TAGS", "x"), 3).is_err());
    }
}
