//! Reads the properties of a sent message, and adds those of the broker.
//!
//! Sending is the hottest path, so the property string is scanned once and copied once. It is taken apart only if a
//! client sent names that only the broker may set.

use rocketmq_remoting::message::properties::{PROPERTY_SEPARATOR, Properties, append, names, pairs};

/// The properties that decide where a message goes. Values are as sent; the last of duplicates wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SentProperties<'a> {
    pub unique_key: Option<&'a str>,
    pub delay: Option<&'a str>,
    pub timer: TimerProperties<'a>,
    pub transaction: bool,
    pub wait: bool,
    /// The client sent `POP_CK`, which only a broker gives out.
    pub has_receipt: bool,
    /// The client sent `CLUSTER`, `MSG_REGION` or `TRACE_ON`: it republishes a message it consumed.
    pub has_stamp: bool,
}

/// The three ways to ask for a delivery time, in the order they are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TimerProperties<'a> {
    pub delay_seconds: Option<&'a str>,
    pub delay_millis: Option<&'a str>,
    pub deliver_at: Option<&'a str>,
    pub cancels: Option<&'a str>,
    /// It was due already (`TIMER_OUT_MS`), and is sent once more by who received it.
    pub is_over: bool,
}

impl TimerProperties<'_> {
    pub(crate) fn is_set(&self) -> bool {
        let asked = self.delay_seconds.is_some() || self.delay_millis.is_some() || self.deliver_at.is_some();
        asked && !self.is_over
    }
}

impl<'a> SentProperties<'a> {
    pub(crate) fn scan(wire: &'a str) -> Self {
        let mut found = Self {
            unique_key: None,
            delay: None,
            timer: TimerProperties::default(),
            transaction: false,
            wait: true,
            has_receipt: false,
            has_stamp: false,
        };
        for (name, value) in pairs(wire) {
            found.take(name, value);
        }
        found
    }

    fn take(&mut self, name: &str, value: &'a str) {
        match name {
            names::UNIQ_KEY => self.unique_key = Some(value),
            names::DELAY => self.delay = Some(value),
            names::TIMER_DELAY_SEC => self.timer.delay_seconds = Some(value),
            names::TIMER_DELAY_MS => self.timer.delay_millis = Some(value),
            names::TIMER_DELIVER_MS => self.timer.deliver_at = Some(value),
            names::TIMER_OUT_MS => self.timer.is_over = true,
            names::TIMER_DEL_UNIQKEY => self.timer.cancels = Some(value),
            names::TRAN_MSG => self.transaction = value.eq_ignore_ascii_case("true"),
            names::WAIT => self.wait = value.eq_ignore_ascii_case("true"),
            names::POP_CK => self.has_receipt = true,
            names::CLUSTER | names::MSG_REGION | names::TRACE_ON => self.has_stamp = true,
            _ => {}
        }
    }
}

/// The properties that the broker adds to every single message, as 5.4.0 does.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    cluster: String,
    region: String,
    trace_on: bool,
    /// The three pairs in wire form.
    wire: String,
}

impl Stamp {
    pub(crate) fn new(cluster: &str, region: &str, trace_on: bool) -> Self {
        let mut wire = String::new();
        append(&mut wire, names::MSG_REGION, region);
        append(&mut wire, names::CLUSTER, cluster);
        append(&mut wire, names::TRACE_ON, if trace_on { "true" } else { "false" });
        Self { cluster: cluster.to_owned(), region: region.to_owned(), trace_on, wire }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// `true` or `false`, as it travels.
    pub(crate) fn trace_text(&self) -> &'static str {
        if self.trace_on { "true" } else { "false" }
    }

    /// The property string to store: the client's, the stamp, and a unique key if the client gave none.
    pub(crate) fn apply(&self, wire: &str, sent: &SentProperties<'_>, new_key: Option<&str>) -> String {
        if sent.has_stamp || sent.has_receipt {
            return self.replace(wire, new_key);
        }
        let mut out = String::with_capacity(wire.len() + self.wire.len() + 64);
        out.push_str(wire);
        // 4.x clients leave the last separator out.
        if !wire.is_empty() && !wire.ends_with(PROPERTY_SEPARATOR) {
            out.push(PROPERTY_SEPARATOR);
        }
        if let Some(key) = new_key {
            append(&mut out, names::UNIQ_KEY, key);
        }
        out.push_str(&self.wire);
        out
    }

    fn replace(&self, wire: &str, new_key: Option<&str>) -> String {
        let mut properties = Properties::parse(wire);
        properties.remove(names::POP_CK);
        if let Some(key) = new_key {
            properties.set(names::UNIQ_KEY, key);
        }
        properties.set(names::MSG_REGION, self.region.as_str());
        properties.set(names::CLUSTER, self.cluster.as_str());
        properties.set(names::TRACE_ON, self.trace_text());
        properties.encode_stored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp::new("C", "R", true)
    }

    #[test]
    fn the_stamp_follows_what_the_client_sent_even_without_its_last_separator() {
        let wire = "TAGS\u{1}a\u{2}UNIQ_KEY\u{1}k1";
        let stored = stamp().apply(wire, &SentProperties::scan(wire), None);
        assert_eq!(
            stored,
            "TAGS\u{1}a\u{2}UNIQ_KEY\u{1}k1\u{2}MSG_REGION\u{1}R\u{2}CLUSTER\u{1}C\u{2}TRACE_ON\u{1}true\u{2}"
        );
    }

    #[test]
    fn a_republished_message_gets_this_brokers_stamp_and_loses_its_receipt() {
        let wire = "CLUSTER\u{1}other\u{2}POP_CK\u{1}x\u{2}a\u{1}b\u{2}";
        let stored = Properties::parse(&stamp().apply(wire, &SentProperties::scan(wire), Some("key")));
        assert_eq!(stored.get("CLUSTER"), Some("C"));
        assert_eq!(stored.get("POP_CK"), None);
        assert_eq!(stored.get("a"), Some("b"));
        assert_eq!(stored.unique_key(), Some("key"));
    }

    #[test]
    fn the_scan_finds_what_decides_the_way() {
        let sent = SentProperties::scan(
            "DELAY\u{1}3\u{2}TRAN_MSG\u{1}True\u{2}WAIT\u{1}false\u{2}TIMER_DELAY_MS\u{1}5\u{2}",
        );
        assert_eq!(sent.delay, Some("3"));
        assert!(sent.transaction && !sent.wait && sent.timer.is_set());
        assert!(SentProperties::scan("").wait);
    }
}
