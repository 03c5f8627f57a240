//! The keys of `[rocketmq.client]`, `[rocketmq.clusters.<name>]`, `[rocketmq.tls]` and `[rocketmq.embedded]`.

use super::access::IDENTITY;
use super::form::{Form, INTERVAL, PATH, SERVERS, SWITCH, Shape, TEXT, form};
use super::key::{Node, Table, key, key_of, no_other_names, secret};
use crate::config::parse;

const ADDRESS: Form = form!(Shape::Text("IP address"), parse::address);

pub(super) static CLIENT: Table = Table {
    keys: &[
        key("client-ip", ADDRESS)
            .without("the local address from which the client reaches the first name server")
            .java("ClientConfig.clientIP")
            .about("Is the first part of the client id."),
        key("unit-name", TEXT)
            .without("none")
            .java("ClientConfig.unitName")
            .about("Is appended to the client id and to the URL of an address server."),
        key("unit-mode", SWITCH)
            .default("false")
            .java("ClientConfig.unitMode")
            .about("Marks heartbeats and sends of a unit, in deployments with several units."),
        key("vip-channel-enabled", SWITCH)
            .default("false")
            .java("ClientConfig.vipChannelEnabled")
            .about("Sends to the broker's port minus 2."),
        key("use-heartbeat-v2", SWITCH)
            .default("false")
            .java("ClientConfig.useHeartbeatV2")
            .about("Leaves out of heartbeats what the broker (5.x) already knows."),
        key("poll-name-server-interval", INTERVAL)
            .default("30s")
            .java("ClientConfig.pollNameServerInterval")
            .about("Sets the time between two refreshes of the routes in use."),
        key("heartbeat-broker-interval", INTERVAL)
            .default("30s")
            .java("ClientConfig.heartbeatBrokerInterval")
            .about("Sets the time between two heartbeats; brokers forget a client after 120 s."),
        key("persist-consumer-offset-interval", INTERVAL)
            .default("5s")
            .java("ClientConfig.persistConsumerOffsetInterval")
            .about("Sets the time between two commits of offsets."),
        key("mq-client-api-timeout", INTERVAL)
            .default("3s")
            .java("ClientConfig.mqClientApiTimeout")
            .about("Limits a route, heartbeat or membership call."),
    ],
    also: None,
    spring: no_other_names,
};

/// A further cluster.
pub(super) static CLUSTER: Table = Table {
    keys: &[
        key("name-server", SERVERS).without("none: required").about("Names the cluster, as in `[rocketmq]`."),
        key_of("tls", Node::Table(&TLS)).about("Sets the encryption of connections to this cluster."),
    ],
    also: Some(&IDENTITY),
    spring: no_other_names,
};

pub(super) static TLS: Table = Table {
    keys: &[
        key("enable", SWITCH)
            .default("false")
            .about("Encrypts every connection for which no `tls-enable` says otherwise."),
        key("ca", PATH)
            .without("the authorities that this system trusts")
            .java("tls.client.trustCertPath")
            .about("Names a PEM file with the only authorities to trust."),
        key("cert", PATH)
            .without("none; set together with `key`")
            .java("tls.client.certPath")
            .about("Names a PEM file with the certificate chain for servers that ask for one."),
        key("key", PATH)
            .without("none; set together with `cert`")
            .java("tls.client.keyPath")
            .about("Names a PEM file with the key of `cert`."),
        secret("key-password", TEXT)
            .without("none")
            .java("tls.client.keyPassword")
            .about("Opens a key in encrypted PKCS#8."),
        key("key-password-file", PATH)
            .without("none")
            .about("Names a file that holds `key-password`, in its place."),
        key("server-name", TEXT)
            .without("the dialled host")
            .about(
                "Is the name that a server's certificate must carry. The dialled host is the configured one of name \
                 servers, and the one in the route (`brokerIP1`) of brokers.",
            ),
        key("insecure", SWITCH)
            .default("false")
            .java("tls.client.authServer")
            .about("Encrypts, but verifies no server, as Java's client does by default."),
    ],
    also: None,
    spring: no_other_names,
};

const LISTEN: Form = form!(Shape::Text("port or address"), parse::listen_address);

pub(super) static MANAGEMENT: Table = Table {
    keys: &[
        key("address", LISTEN)
            .without("none: no page")
            .spring("management.server.port")
            .about(
                "Opens the management page there. A port such as `8081` is one of 127.0.0.1; `0.0.0.0:8081` lets other machines \
                 in; port 0 takes any that is free (`RunningApp::management` tells it).",
            ),
        key("lag-grows-for", INTERVAL)
            .default("60s")
            .about("Is the time for which a lag must grow before `Health` gives it as a reason, also without the page."),
    ],
    also: None,
    spring: no_other_names,
};

pub(super) static EMBEDDED: Table = Table {
    keys: &[key("store-path", PATH)
        .without("a temporary folder, removed at the end")
        .about("Names the folder of the embedded broker's store.")],
    also: None,
    spring: no_other_names,
};
