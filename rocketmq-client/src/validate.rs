//! The rules for names and messages that a client checks before a broker would.

use crate::message::Message;

/// The longest topic.
pub(crate) const MAX_TOPIC: usize = 127;
/// The longest topic made of a group's name.
const MAX_GROUP_TOPIC: usize = 255;
/// The longest group.
pub(crate) const MAX_GROUP: usize = 120;

/// Topics brokers keep their own records in.
const FORBIDDEN: [&str; 6] = [
    "SCHEDULE_TOPIC_XXXX",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
];

/// A legal topic name, or what is wrong with it.
pub(crate) fn topic(name: &str) -> Result<(), String> {
    let from_group = name.starts_with("%RETRY%") || name.starts_with("%DLQ%");
    name_of("topic", name, if from_group { MAX_GROUP_TOPIC } else { MAX_TOPIC })
}

/// A legal group name, or what is wrong with it.
pub(crate) fn group(name: &str) -> Result<(), String> {
    if matches!(name, "DEFAULT_PRODUCER" | "DEFAULT_CONSUMER") {
        return Err(format!("group \"{name}\" is reserved; give your application a group of its own"));
    }
    name_of("group", name, MAX_GROUP)
}

fn name_of(what: &str, name: &str, most: usize) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err(format!("the {what} is missing; give it a name"));
    }
    let length = name.chars().count();
    if length > most {
        return Err(format!("{what} \"{name}\" has {length} characters; at most {most} are allowed"));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || "%|_-".contains(*c))) {
        Some(bad) => Err(format!(
            "{what} \"{name}\" holds {bad:?}; allowed are A-Z, a-z, 0-9 and the characters % | _ -"
        )),
        None => Ok(()),
    }
}

/// A message a producer may send, or what is wrong with it.
pub(crate) fn message(message: &Message, max_body: usize) -> Result<(), String> {
    topic(&message.topic)?;
    if FORBIDDEN.contains(&message.topic.as_str()) {
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
    fn illegal_names_are_shown_with_the_character_and_the_remedy() {
        let fault = topic("or ders").expect_err("a blank");
        assert!(fault.contains("or ders") && fault.contains("' '") && fault.contains("allowed"), "{fault}");
        assert!(
            topic("").is_err() && topic("  ").is_err() && topic("标签").is_err() && topic("a.b").is_err()
        );
        assert!(topic("%RETRY%a|b_c-1").is_ok());
    }

    #[test]
    fn lengths_are_limited() {
        assert!(topic(&"t".repeat(127)).is_ok() && topic(&"t".repeat(128)).is_err());
        assert!(topic(&format!("%DLQ%{}", "t".repeat(250))).is_ok());
        assert!(group(&"g".repeat(120)).is_ok() && group(&"g".repeat(121)).is_err());
        assert!(group("DEFAULT_PRODUCER").is_err());
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
