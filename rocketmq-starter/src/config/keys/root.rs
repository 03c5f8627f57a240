//! The keys of `[rocketmq]`.

use super::client::{CLIENT, CLUSTER, EMBEDDED, MANAGEMENT, TLS};
use super::consumer::CONSUMER;
use super::form::{Form, PATH, SERVERS, SWITCH, Shape, TEXT, form};
use super::key::{Node, Table, key, key_of, no_other_names, secret};
use super::producer::{PRODUCER, PULL_CONSUMER};
use crate::config::{parse, properties};

const CHANNEL: Form = form!(Shape::Words(&["LOCAL", "CLOUD"]), properties::access_channel);
const LEVEL: Form =
    form!(Shape::Words(&["off", "error", "warn", "info", "debug", "trace"]), parse::log_level);
const PROXIES: Form = form!(Shape::Text("JSON"), properties::socks_proxies);

pub(crate) static ROOT: Table = Table {
    keys: &[
        key("name-server", SERVERS)
            .without(
                "the variable `NAMESRV_ADDR`; with the feature `embedded`, a broker inside the application; else an error",
            )
            .spring_too()
            .about(
                "Names the cluster: `host:port`, several separated by `;` or as a list. `http://host/path` is the URL of an \
                 address server (without a path `http://` is ignored, as in Java). `embedded` means the broker inside, even if \
                 the variable is set.",
            ),
        key("profile", TEXT)
            .without("none")
            .spring("spring.profiles.active")
            .about("Names further files to lay over this one: `application-{profile}.toml`; commas separate several."),
        key("access-channel", CHANNEL)
            .default("LOCAL")
            .spring_too()
            .about("Gives message traces the form and topics of Alibaba's cloud: `CLOUD`."),
        secret("socks-proxy-config", PROXIES)
            .without("none")
            .java("the JVM property com.rocketmq.socks.proxy.config")
            .about(
                "Names SOCKS5 proxies by network, in the JSON of Java's client: `{\"10.0.0.0/8\": {\"addr\": \"proxy:1080\", \
                 \"username\": \"u\", \"password\": \"p\"}}`. The narrowest network counts; `0.0.0.0/0` means every server.",
            ),
        key("socks-proxy-config-file", PATH)
            .without("none")
            .about("Names a file that holds `socks-proxy-config`, in its place."),
        key("log-level", LEVEL)
            .without("that of the program's subscriber")
            .spring("logging.level.root")
            .about("Is the level of the log, for the function of `App::on_log_level`. It can change while the application runs."),
        key("config-report", SWITCH)
            .default("false")
            .about("Logs every effective value and the place where it was written, before the application starts."),
        key_of("client", Node::Table(&CLIENT)).about("Holds settings of all producers and consumers."),
        key_of("producer", Node::Table(&PRODUCER)).about("Holds the producer of `RocketmqTemplate`."),
        key_of("producers", Node::Named(&Node::Table(&PRODUCER)))
            .about("Holds further producers, each with a template of its own: `context.named_template(\"name\")`."),
        key_of("consumer", Node::Table(&CONSUMER)).about("Holds options of listeners."),
        key_of("pull-consumer", Node::Table(&PULL_CONSUMER)).about("Holds the consumer of `RocketmqTemplate::receive`."),
        key_of("pull-consumers", Node::Named(&Node::Table(&PULL_CONSUMER)))
            .about("Holds further pull consumers, each with a receiver of its own: `context.receiver(\"name\")`."),
        key_of("clusters", Node::Named(&Node::Table(&CLUSTER))).about("Holds further clusters, each with its own account."),
        key_of("tls", Node::Table(&TLS)).about("Sets the encryption of connections; needs the feature `tls`."),
        key_of("management", Node::Table(&MANAGEMENT))
            .about("Holds the management page; needs the feature `management`."),
        key_of("embedded", Node::Table(&EMBEDDED))
            .about("Holds the broker inside the application; needs the feature `embedded`."),
    ],
    also: None,
    spring: no_other_names,
};
