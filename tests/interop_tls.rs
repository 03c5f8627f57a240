//! Tests TLS with Apache: this project's client on Apache's broker, and the Java client on this project's broker.
//!
//! Runs if `ROCKETMQ_JAVA` names a version, whose jars `tests/interop/apache install VERSION` fetches.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rocketmq_client::{Client, Message, TlsConfig};
use rocketmq_server::config::TlsMode;
use rocketmq_server::{Certificates, Embedded};
use rocketmq_tests::{TestResult, collect, free_ports, unique_group, unique_topic};
use tokio::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache");

/// Returns the version under test. Without one it prints why, and returns `None`.
fn version() -> Option<String> {
    let version = std::env::var("ROCKETMQ_JAVA").ok();
    if version.is_none() {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run the official Java programs");
    }
    version
}

/// TLS settings on the command line of a Java program.
#[derive(Debug, Default)]
struct Options(String);

impl Options {
    fn with(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.0.push_str(&format!(" -Dtls.{key}={value}"));
        self
    }

    /// Lets a Java client verify its servers, which it does not by default.
    fn verifying(self, authority: &Path) -> Self {
        self.with("enable", true)
            .with("test.mode.enable", false)
            .with("client.authServer", true)
            .with("client.trustCertPath", authority.display())
    }

    async fn run(&self, args: &[&str]) -> TestResult<ExitStatus> {
        let mut command = Command::new(SCRIPT);
        let command = command.args(args).env("JAVA_OPTS", &self.0).env("HEAP", "512m");
        Ok(command.stderr(Stdio::null()).kill_on_drop(true).status().await?)
    }
}

/// Sends a message to the cluster and receives it.
async fn round_trip(name_server: &str, tls: TlsConfig) -> TestResult {
    let client = Client::builder(name_server).tls(tls).connect().await?;
    let topic = unique_topic();
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, "across")).await?;
    assert_eq!(collect(&client, &topic, 1).await?[0].text(), Some("across"));
    producer.shutdown().await;
    client.shutdown().await;
    Ok(())
}

async fn our_client_on(version: &str, name_server: &str, made: &Certificates) -> TestResult {
    let trusting = || TlsConfig::trusting(made.authority());
    let (chain, key) = made.client();
    round_trip(name_server, trusting().identity(chain, key, None)).await?;
    println!("ok verified both ways on {version}");
    let stranger = Certificates::make()?;
    let connected = Client::builder(name_server).tls(TlsConfig::trusting(stranger.authority()));
    let error = connected.connect().await.expect_err("a stranger's authority").to_string();
    assert!(error.contains("UnknownIssuer") || error.contains("BadSignature"), "{error}");
    // With TLS 1.3 the handshake succeeds on the client's side even without a certificate; the server then answers
    // nothing.
    let refused = match Client::builder(name_server).tls(trusting()).connect().await {
        Ok(client) => client.route("TBW102").await.map(drop).expect_err("no certificate").to_string(),
        Err(error) => error.to_string(),
    };
    println!("ok refused on {version}: {refused}");
    Ok(())
}

#[tokio::test]
async fn our_client_on_apache() -> TestResult {
    let Some(version) = version() else { return Ok(()) };
    let (made, ports) = (Certificates::make()?, free_ports());
    let (ns, broker) = (ports.name_server.to_string(), ports.broker.to_string());
    let ((chain, key), (client, client_key)) = (made.server(), made.client());
    let options = Options::default()
        .verifying(&made.authority())
        .with("server.mode", "enforcing")
        .with("server.certPath", chain.display())
        .with("server.keyPath", key.display())
        .with("server.need.client.auth", "require")
        .with("server.authClient", true)
        .with("server.trustCertPath", made.authority().display())
        .with("client.certPath", client.display())
        .with("client.keyPath", client_key.display());
    let started = options.run(&["up", &version, &ns, &broker]).await?;
    let result = our_client_on(&version, &format!("127.0.0.1:{ns}"), &made).await;
    options.run(&["down", &ns]).await?;
    assert!(started.success(), "Apache RocketMQ {version} does not start with TLS");
    result
}

/// Sending, consuming, and a check by the broker. Only these few: each client's first handshake in a cold JVM is slow.
const CAPABILITIES: [&str; 3] = ["send_sync", "tags", "transaction"];

async fn java_on_ours(options: Options, cluster: &Embedded, version: &str) -> TestResult {
    let name_server = cluster.name_server();
    let args = [&["run", version, "Capabilities", &name_server], CAPABILITIES.as_slice()].concat();
    let status = options.run(&args).await?;
    assert!(status.success(), "{version} {options:?}: {status}; the lines above name the capabilities");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_java_client_that_verifies_and_is_verified() -> TestResult {
    let Some(version) = version() else { return Ok(()) };
    let builder = Embedded::builder().tls(TlsMode::Enforcing).set("tls.server.need.client.auth", "require");
    let cluster = builder.start().await?;
    let made = cluster.certificates().ok_or("a cluster without certificates")?;
    let (chain, key) = made.client();
    let options = Options::default()
        .verifying(&made.authority())
        .with("client.certPath", chain.display())
        .with("client.keyPath", key.display());
    java_on_ours(options, &cluster, &version).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_java_client_as_it_comes() -> TestResult {
    let Some(version) = version() else { return Ok(()) };
    let cluster = Embedded::start().await?;
    java_on_ours(Options::default().with("enable", true), &cluster, &version).await
}
