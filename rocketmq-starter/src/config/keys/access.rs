//! The keys that each producer and consumer has: credentials, namespaces, encryption, message trace.

use super::form::{PATH, SWITCH, TEXT, TOPIC};
use super::key::{Table, key, no_other_names, secret};

/// Credentials, namespaces and encryption.
pub(super) static IDENTITY: Table = Table {
    keys: &[
        secret("access-key", TEXT)
            .without("none; set together with `secret-key`")
            .spring_too()
            .about("Names the account for access control."),
        secret("secret-key", TEXT)
            .without("none; set together with `access-key`")
            .spring_too()
            .about("Signs requests for access control."),
        key("access-key-file", PATH)
            .without("none")
            .about("Names a file that holds `access-key`, in its place."),
        key("secret-key-file", PATH)
            .without("none")
            .about("Names a file that holds `secret-key`, in its place."),
        secret("security-token", TEXT)
            .without("none")
            .java("SessionCredentials.securityToken")
            .about("Goes with temporary credentials."),
        key("security-token-file", PATH)
            .without("none")
            .about("Names a file that holds `security-token`, in its place."),
        key("namespace", TEXT)
            .without("none")
            .spring_too()
            .about("Wraps the names of topics and groups, as 4.x brokers expect it."),
        key("namespace-v2", TEXT)
            .without("none")
            .spring_too()
            .about("Travels in headers, as 5.x brokers expect it."),
        key("tls-enable", SWITCH)
            .without("`enable` of `[rocketmq.tls]`")
            .spring_too()
            .about("Encrypts the connections; needs the feature `tls`."),
        key("instance-name", TEXT)
            .without("unique for each client")
            .spring_too()
            .about("Is the last part of the client id."),
    ],
    also: None,
    spring: no_other_names,
};

/// The same, and the message trace of a producer or consumer.
pub(super) static ACCESS: Table = Table {
    keys: &[
        key("enable-msg-trace", SWITCH)
            .default("false")
            .spring_too()
            .about("Sends a trace of each message to the trace topic."),
        key("customized-trace-topic", TOPIC)
            .default("RMQ_SYS_TRACE_TOPIC")
            .spring_too()
            .about("Names the topic of the message trace; alone it traces nothing."),
    ],
    also: Some(&IDENTITY),
    spring: no_other_names,
};

/// Tells whether a key belongs to one cluster, so that it is not inherited for another.
pub(crate) fn is_access(name: &str) -> bool {
    IDENTITY.keys.iter().any(|key| key.name == name)
}
