//! Notes of the broker in the properties of a message that it stores again.
//!
//! A record holds 32,767 bytes of properties. A note that finds no room is left out: the message matters more.

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::message::properties::{MAX_ENCODED_LEN, Properties};

use crate::exchange::Refusal;

/// Sets a property if there is room for it. Says whether there was.
pub(crate) fn note(properties: &mut Properties, name: &str, value: impl Into<String>) -> bool {
    let value = value.into();
    let before = properties.get(name).map_or(0, |old| name.len() + old.len() + 2);
    let fits = properties.encoded_len() - before + name.len() + value.len() + 2 <= MAX_ENCODED_LEN;
    if fits {
        properties.set(name, value);
    }
    fits
}

/// The form in which a record holds properties. 4.x producers leave out the last separator: where it is one byte too many,
/// so does this.
pub(crate) fn encode(properties: &Properties) -> String {
    let mut wire = properties.encode_stored();
    if wire.len() == MAX_ENCODED_LEN + 1 {
        wire.pop();
    }
    wire
}

/// The most bytes that the broker adds later to a message that waits for its time or for the end of its transaction, or that
/// is popped once more.
const ROOM: usize = 256;

/// Checks that a message which the broker will store again leaves room for what is noted then.
///
/// # Errors
/// Code 13.
pub(crate) fn check_room(record: &MessageRecord) -> Result<(), Refusal> {
    let (size, limit) = (record.properties.len(), MAX_ENCODED_LEN - ROOM);
    if size <= limit {
        return Ok(());
    }
    let remark = format!(
        "the properties have {size} bytes with the broker's own, the limit is {limit} for a message with a delivery time, \
         in a transaction or popped again: shorten them by {} bytes",
        size - limit
    );
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_len(len: usize) -> Properties {
        Properties::parse(&format!("a\u{1}{}\u{2}", "x".repeat(len - 3)))
    }

    #[test]
    fn a_note_is_made_up_to_the_last_byte() {
        let mut properties = of_len(MAX_ENCODED_LEN - 5);
        assert!(!note(&mut properties, "no", "te"));
        assert!(note(&mut properties, "n", "te"));
        assert_eq!(encode(&properties).len(), MAX_ENCODED_LEN);
        assert!(note(&mut properties, "n", "TE"), "it takes the place of the one before");
        assert!(!note(&mut properties, "n", "ten"));
        assert_eq!(properties.get("n"), Some("TE"));
    }

    #[test]
    fn a_message_of_a_4x_producer_that_fills_its_record_still_fits() {
        let full = of_len(MAX_ENCODED_LEN + 1);
        let wire = encode(&full);
        assert_eq!(wire.len(), MAX_ENCODED_LEN);
        assert_eq!(Properties::parse(&wire), full);
    }
}
