//! Tests TLS between this project's client and servers: accepted and refused connections, and the errors.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rocketmq_client::error::ConnectErrorKind;
use rocketmq_client::{Client, Message, TlsConfig};
use rocketmq_server::config::TlsMode;
use rocketmq_server::{Certificates, Embedded};
use rocketmq_starter::{App, BoxError, State, Text, rocketmq_listener};
use rocketmq_tests::{PATIENCE, TestResult, collect, unique_group, unique_topic};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

const TEXT: &str = "by TLS or not";

/// Sends a message to the cluster and receives it.
async fn round_trip(client: &Client) -> TestResult {
    let topic = unique_topic();
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, TEXT)).await?;
    let seen = collect(client, &topic, 1).await?;
    assert_eq!(seen[0].text(), Some(TEXT));
    producer.shutdown().await;
    client.shutdown().await;
    Ok(())
}

async fn plain(cluster: &Embedded) -> TestResult {
    round_trip(&rocketmq_client::connect(cluster.name_server()).await?).await
}

async fn encrypted(cluster: &Embedded, tls: TlsConfig) -> TestResult {
    round_trip(&Client::builder(cluster.name_server()).tls(tls).connect().await?).await
}

/// Returns the error of connecting, or of the first request: with some faults the server refuses the client only after
/// the handshake.
async fn refusal(cluster: &Embedded, tls: TlsConfig) -> TestResult<String> {
    let client = match Client::builder(cluster.name_server()).tls(tls).connect().await {
        Ok(client) => client,
        Err(error) => return Ok(error.to_string()),
    };
    match client.route("TBW102").await {
        Ok(_) => Err("the client got in".into()),
        Err(error) => Ok(error.to_string()),
    }
}

async fn cluster(mode: TlsMode) -> TestResult<(Embedded, TlsConfig)> {
    let cluster = Embedded::builder().tls(mode).start().await?;
    let trusting = TlsConfig::trusting(certificates(&cluster)?.authority());
    Ok((cluster, trusting))
}

fn certificates(cluster: &Embedded) -> TestResult<&Certificates> {
    Ok(cluster.certificates().ok_or("a cluster without certificates")?)
}

#[tokio::test]
async fn permissive_takes_both() -> TestResult {
    let (cluster, trusting) = cluster(TlsMode::Permissive).await?;
    plain(&cluster).await?;
    encrypted(&cluster, trusting).await
}

#[tokio::test]
async fn enforcing_accepts_only_encrypted_clients() -> TestResult {
    let (cluster, trusting) = cluster(TlsMode::Enforcing).await?;
    encrypted(&cluster, trusting).await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let error = client.route("TBW102").await.expect_err("a plain client").to_string();
    for part in [&cluster.name_server(), "before it sent a byte", "takes only TLS, switch `tls` on"] {
        assert!(error.contains(part), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn disabled_accepts_only_plain_clients() -> TestResult {
    let (cluster, trusting) = cluster(TlsMode::Disabled).await?;
    plain(&cluster).await?;
    let error = refusal(&cluster, trusting).await?;
    for part in [&cluster.name_server(), "perhaps it takes no TLS", "switch `tls` off"] {
        assert!(error.contains(part), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn the_default_certificate_cannot_be_verified() -> TestResult {
    let cluster = Embedded::start().await?;
    plain(&cluster).await?;
    encrypted(&cluster, TlsConfig::insecure()).await?;
    let stranger = Certificates::make()?;
    let error = refusal(&cluster, TlsConfig::trusting(stranger.authority())).await?;
    assert!(error.contains("UnknownIssuer") && error.contains("; trust the authority"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_required_client_certificate() -> TestResult {
    let builder = Embedded::builder().tls(TlsMode::Enforcing).set("tls.server.need.client.auth", "require");
    let cluster = builder.start().await?;
    let certificates = certificates(&cluster)?;
    let trusting = || TlsConfig::trusting(certificates.authority());
    let (chain, key) = certificates.client();
    encrypted(&cluster, trusting().identity(chain, key, None)).await?;

    let error = refusal(&cluster, trusting()).await?;
    assert!(error.to_lowercase().contains("certificaterequired"), "{error}");
    let stranger = Certificates::make()?;
    let (chain, key) = stranger.client();
    let error = refusal(&cluster, trusting().identity(chain, key, None)).await?;
    assert!(error.contains("UnknownCA") || error.contains("DecryptError"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_optional_client_certificate() -> TestResult {
    let builder = Embedded::builder().tls(TlsMode::Enforcing).set("tls.server.need.client.auth", "optional");
    let cluster = builder.start().await?;
    let certificates = certificates(&cluster)?;
    let (chain, key) = certificates.client();
    encrypted(&cluster, TlsConfig::trusting(certificates.authority())).await?;
    encrypted(&cluster, TlsConfig::trusting(certificates.authority()).identity(chain, key, None)).await
}

/// An authority, and a faulty certificate of a server.
struct Faulty {
    folder: TempDir,
}

impl Faulty {
    fn make(name: &str, fault: impl FnOnce(&mut CertificateParams)) -> TestResult<Self> {
        let made = Self { folder: tempfile::tempdir()? };
        let mut params = CertificateParams::new(vec!["authority".to_owned()])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let (mut params, key) = (CertificateParams::new(vec![name.to_owned()])?, KeyPair::generate()?);
        fault(&mut params);
        std::fs::write(made.path("ca.pem"), authority.pem())?;
        std::fs::write(made.path("server.pem"), params.signed_by(&key, &authority)?.pem())?;
        std::fs::write(made.path("server.key"), key.serialize_pem())?;
        Ok(made)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    async fn cluster(&self) -> TestResult<Embedded> {
        let cluster = Embedded::builder()
            .set("tls.server.certPath", self.path("server.pem").display())
            .set("tls.server.keyPath", self.path("server.key").display());
        Ok(cluster.start().await?)
    }

    fn trusting(&self) -> TlsConfig {
        TlsConfig::trusting(self.path("ca.pem"))
    }
}

#[tokio::test]
async fn an_expired_certificate() -> TestResult {
    let faulty = Faulty::make("127.0.0.1", |params| params.not_after = date_time_ymd(2001, 1, 1))?;
    let error = refusal(&faulty.cluster().await?, faulty.trusting()).await?;
    assert!(error.contains("expired") && error.contains("needs a new certificate"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_for_another_name() -> TestResult {
    let faulty = Faulty::make("broker.example", |_| {})?;
    let cluster = faulty.cluster().await?;
    let error = refusal(&cluster, faulty.trusting()).await?;
    for part in ["127.0.0.1", "broker.example", "set the server name"] {
        assert!(error.contains(part), "{error}");
    }
    encrypted(&cluster, faulty.trusting().server_name("broker.example")).await
}

#[tokio::test]
async fn clients_trust_the_authorities_of_the_system_by_default() -> TestResult {
    let (cluster, _) = cluster(TlsMode::Enforcing).await?;
    let error = refusal(&cluster, TlsConfig::default()).await?;
    assert!(error.contains("UnknownIssuer") || error.contains("trusts no certificate authority"), "{error}");
    Ok(())
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() -> TestResult {
    let made = Certificates::make()?;
    let (chain, key) = made.server();
    let connect = async |tls| Client::builder("127.0.0.1:1").tls(tls).connect().await.map(drop);
    let error = connect(TlsConfig::trusting("/nowhere/ca.pem")).await.expect_err("no such file");
    assert_eq!(error.kind(), ConnectErrorKind::Tls);
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    let error = connect(TlsConfig::trusting(&key)).await.expect_err("a key is no certificate");
    assert!(error.to_string().contains("holds no PEM certificate"), "{error}");

    let start = async |settings: &[(&str, String)]| {
        let builder = settings.iter().fold(Embedded::builder(), |b, (key, value)| b.set(key, value));
        builder.start().await.map(drop).expect_err("it cannot start").to_string()
    };
    let chain = || ("tls.server.certPath", chain.display().to_string());
    let key = || ("tls.server.keyPath", key.display().to_string());
    let error = start(&[chain()]).await;
    assert!(error.contains("`tls.server.keyPath` is missing"), "{error}");
    let error = start(&[chain(), ("tls.server.keyPath", "/nowhere/key".into())]).await;
    assert!(error.contains("`tls.server.keyPath` cannot be used: /nowhere/key"), "{error}");
    let error = start(&[chain(), key(), ("tls.server.need.client.auth", "require".into())]).await;
    assert!(error.contains("set `tls.server.trustCertPath`"), "{error}");
    let error =
        start(&[("tls.server.mode", "enforcing".into()), ("tls.test.mode.enable", "false".into())]).await;
    assert!(error.contains("there is no certificate"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_key_with_a_password() -> TestResult {
    let made = Certificates::make()?;
    let folder = tempfile::tempdir()?;
    let locked = folder.path().join("locked.key");
    let (chain, key) = made.server();
    let status = std::process::Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:open sesame", "-in"])
        .arg(&key)
        .arg("-out")
        .arg(&locked)
        .status();
    let Ok(status) = status else {
        println!("skipped: there is no openssl to lock a key with");
        return Ok(());
    };
    assert!(status.success());
    let builder = || {
        Embedded::builder()
            .set("tls.server.certPath", chain.display())
            .set("tls.server.keyPath", locked.display())
    };
    let cluster = builder().set("tls.server.keyPassword", "open sesame").start().await?;
    encrypted(&cluster, TlsConfig::trusting(made.authority())).await?;
    let error = builder().start().await.map(drop).expect_err("no password").to_string();
    assert!(error.contains("protected by a password"), "{error}");
    let error = builder().set("tls.server.keyPassword", "guess").start().await.map(drop);
    let error = error.expect_err("a wrong password").to_string();
    assert!(error.contains("check its password") && !error.contains("guess"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() -> TestResult {
    let (old, new) = (Faulty::make("127.0.0.1", |_| {})?, Faulty::make("127.0.0.1", |_| {})?);
    let cluster = old.cluster().await?;
    encrypted(&cluster, old.trusting()).await?;
    for file in ["server.pem", "server.key"] {
        std::fs::copy(new.path(file), old.path(file))?;
    }
    encrypted(&cluster, new.trusting()).await?;
    let error = refusal(&cluster, old.trusting()).await?;
    assert!(error.contains("invalid peer certificate"), "{error}");
    Ok(())
}

#[rocketmq_listener(topic = "encrypted", group = "encrypted-application", from = "first")]
async fn note(Text(line): Text, State(lines): State<UnboundedSender<String>>) -> Result<(), BoxError> {
    lines.send(line)?;
    Ok(())
}

#[tokio::test]
async fn an_application_of_the_starter() -> TestResult {
    let builder = Embedded::builder().tls(TlsMode::Enforcing).set("tls.server.need.client.auth", "require");
    let cluster = builder.start().await?;
    let made = certificates(&cluster)?;
    let ((cert, key), folder) = (made.client(), tempfile::tempdir()?);
    let file = folder.path().join("application.toml");
    let toml = format!(
        "[rocketmq]\nname-server = '{}'\n[rocketmq.tls]\nenable = true\nca = '{}'\ncert = '{}'\nkey = '{}'\n\
         [rocketmq.producer]\ngroup = 'encrypted-producer'\n",
        cluster.name_server(),
        made.authority().display(),
        cert.display(),
        key.display(),
    );
    std::fs::write(&file, toml)?;
    let (sender, mut lines) = unbounded_channel::<String>();
    let app = App::new().environment::<String, String>([]).config_file(file).state(sender);
    let running = app.listener(note).start().await?;
    let template = running.template().ok_or("no template without a producer group")?;
    template.send("encrypted", Text(TEXT.into())).await?;
    let line = tokio::time::timeout(PATIENCE, lines.recv()).await?;
    assert_eq!(line.as_deref(), Some(TEXT));
    running.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn an_application_on_two_clusters_with_certificates_of_their_own() -> TestResult {
    let ((near, _), (far, _)) = (cluster(TlsMode::Enforcing).await?, cluster(TlsMode::Enforcing).await?);
    let (sender, mut lines) = unbounded_channel::<String>();
    let authority =
        |cluster: &Embedded| Ok::<_, BoxError>(certificates(cluster)?.authority().display().to_string());
    let app = App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", near.name_server())
        .set("rocketmq.producer.group", "near-senders")
        .set("rocketmq.tls.enable", "true")
        .set("rocketmq.tls.ca", authority(&near)?)
        .set("rocketmq.clusters.far.name-server", far.name_server())
        .set("rocketmq.clusters.far.tls.ca", authority(&far)?)
        .set("rocketmq.producers.far.group", "far-senders")
        .set("rocketmq.producers.far.cluster", "far")
        .set("rocketmq.consumer.groups.encrypted-application.cluster", "far");
    let running = app.state(sender).listener(note).start().await?;
    let template = |name| running.context().named_template(name);
    running.template().ok_or("no template")?.send("encrypted", Text("near".into())).await?;
    template("far").ok_or("no template")?.send("encrypted", Text("far".into())).await?;
    let line = tokio::time::timeout(PATIENCE, lines.recv()).await?;
    assert_eq!(line.as_deref(), Some("far"), "the listener is on the far cluster alone");
    running.shutdown().await;
    Ok(())
}

/// Bytes of broken, hostile or slow peers.
const GARBAGE: [&[u8]; 4] =
    [&[0x16], &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], &[0x16; 64], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"];

#[tokio::test]
async fn half_handshakes_and_garbage_harm_no_other_connection() -> TestResult {
    let (cluster, trusting) = cluster(TlsMode::Permissive).await?;
    let addresses = [cluster.name_servers()[0].address(), cluster.broker().address()];
    let mut half = Vec::new();
    for address in addresses {
        for bytes in GARBAGE {
            let mut peer = TcpStream::connect(address).await?;
            peer.write_all(bytes).await?;
            half.push(peer);
        }
    }
    encrypted(&cluster, trusting).await?;
    plain(&cluster).await?;
    // The server waits for the rest of half a record. It closes a connection whose bytes cannot be TLS.
    for (number, mut peer) in half.into_iter().enumerate() {
        if number % GARBAGE.len() != 0 {
            let mut rest = Vec::new();
            let _alert = tokio::time::timeout(PATIENCE, peer.read_to_end(&mut rest)).await?;
        }
    }
    plain(&cluster).await
}
