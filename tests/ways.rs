//! Tests the ways of a client to its servers: proxies, the VIP channel, an address server.

use std::net::TcpListener;
use std::sync::Arc;

use rocketmq_client::{Client, Message, SendErrorKind, TlsConfig};
use rocketmq_server::clock::System;
use rocketmq_server::config::{BrokerConfig, NamesrvConfig, TlsMode};
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::{Embedded, Node};
use rocketmq_tests::{Cluster, SocksProxy, TestResult, USER, collect, unique_group, unique_topic};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Sends a message to the cluster and receives it.
async fn round_trip(client: &Client) -> TestResult {
    let topic = unique_topic();
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, "there and back")).await?;
    assert_eq!(collect(client, &topic, 1).await?[0].text(), Some("there and back"));
    producer.shutdown().await;
    client.shutdown().await;
    Ok(())
}

fn proxies(proxy: &SocksProxy, network: &str, password: &str) -> String {
    format!(
        r#"{{"{network}": {{"addr": "{}", "username": "{}", "password": "{password}"}}}}"#,
        proxy.address(),
        USER.0
    )
}

#[tokio::test]
async fn through_a_socks_proxy() -> TestResult {
    let (cluster, proxy) = (Embedded::start().await?, SocksProxy::start().await?);
    let builder = || Client::builder(cluster.name_server());
    round_trip(&builder().socks_proxies(proxies(&proxy, "127.0.0.0/8", USER.1).parse()?).connect().await?)
        .await?;
    assert_eq!(proxy.led(), 2, "one connection to the name server and one to the broker");

    round_trip(&builder().socks_proxies(proxies(&proxy, "10.0.0.0/8", USER.1).parse()?).connect().await?)
        .await?;
    assert_eq!(proxy.led(), 2, "servers outside the network are dialled directly");

    let wrong = builder().socks_proxies(proxies(&proxy, "0.0.0.0/0", "guess").parse()?).connect();
    let error = wrong.await.expect_err("a wrong password").to_string();
    assert!(
        error.contains(&format!("SOCKS proxy {}", proxy.address())) && !error.contains("guess"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn through_a_socks_proxy_encrypted() -> TestResult {
    let (cluster, proxy) =
        (Embedded::builder().tls(TlsMode::Enforcing).start().await?, SocksProxy::start().await?);
    let certificates = cluster.certificates().ok_or("a cluster without certificates")?;
    let client = Client::builder(cluster.name_server())
        .socks_proxies(proxies(&proxy, "0.0.0.0/0", USER.1).parse()?)
        .tls(TlsConfig::trusting(certificates.authority()));
    round_trip(&client.connect().await?).await?;
    assert_eq!(proxy.led(), 2);
    Ok(())
}

/// Starts a broker with or without a VIP channel, and a client that sends over it.
async fn by_vip(vip_port: bool) -> TestResult<(NameServer, Node, Client, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let name_server = NameServer::start(NamesrvConfig::ephemeral(), Arc::new(System)).await?;
    let mut config = BrokerConfig::loopback(folder.path());
    config.name_servers = vec![name_server.address().to_string()];
    config.vip_port = vip_port;
    config.network.listen_port = with_a_free_port_two_below()?;
    let node = Node::start(config, Arc::new(System)).await?;
    node.registered().await;
    let client = Client::builder(name_server.address().to_string()).configure(|c| c.vip_channel = true);
    Ok((name_server, node, client.connect().await?, folder))
}

fn with_a_free_port_two_below() -> TestResult<u16> {
    for _ in 0..100 {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if TcpListener::bind(("127.0.0.1", port - 2)).is_ok() {
            return Ok(port);
        }
    }
    Err("no two ports are free".into())
}

#[tokio::test]
async fn sends_go_by_the_vip_channel() -> TestResult {
    let (_name_server, _node, client, _folder) = by_vip(true).await?;
    round_trip(&client).await
}

#[tokio::test]
async fn a_broker_without_a_vip_channel_is_not_reached_by_it() -> TestResult {
    let (name_server, _node, client, _folder) = by_vip(false).await?;
    let producer = client.producer(unique_group()).build().await?;
    let error = producer.send(Message::new(unique_topic(), "x")).await.expect_err("nobody listens there");
    assert_eq!(error.kind(), SendErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    round_trip(&rocketmq_client::connect(name_server.address().to_string()).await?).await
}

#[tokio::test]
async fn name_servers_written_as_urls() -> TestResult {
    let cluster = Embedded::builder().name_servers(2).start().await?;
    let as_urls = format!("http://{}", cluster.name_server().replace(';', ";http://"));
    round_trip(&rocketmq_client::connect(as_urls).await?).await?;
    let first = cluster.name_servers()[0].address();
    round_trip(&rocketmq_client::connect(format!("http://{first}")).await?).await
}

/// Of two name servers one never heard of the brokers; clients begin with either.
#[tokio::test]
async fn a_name_server_that_knows_nothing_hides_no_topic() -> TestResult {
    let empty = NameServer::start(NamesrvConfig::ephemeral(), Arc::new(System)).await?;
    let cluster = Embedded::builder().set("autoCreateTopicEnable", false).start().await?;
    let both = format!("{};{}", empty.address(), cluster.name_server());
    let cluster = Cluster::Embedded(cluster);
    let topic = cluster.topic(&cluster.client().await?, 4).await?;
    for _ in 0..20 {
        let client = rocketmq_client::connect(&both).await?;
        let producer = client.producer(unique_group()).build().await?;
        producer.send(Message::new(&topic, "found")).await?;
        let missing = producer.send(Message::new(unique_topic(), "lost")).await.expect_err("on no broker");
        assert_eq!(missing.kind(), SendErrorKind::TopicNotFound, "{missing}");
        client.shutdown().await;
    }
    Ok(())
}

#[tokio::test]
async fn an_address_server_knows_the_name_servers() -> TestResult {
    let cluster = Embedded::builder().name_servers(2).start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/rocketmq/nsaddr", listener.local_addr()?);
    let page = format!("HTTP/1.0 200 OK\r\n\r\n{}\n", cluster.name_server());
    let serving = async {
        let (mut stream, _) = listener.accept().await?;
        let mut request = [0; 1024];
        let length = stream.read(&mut request).await?;
        stream.write_all(page.as_bytes()).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&request[..length]).into_owned())
    };
    let (request, client) = tokio::join!(serving, rocketmq_client::connect(&url));
    let (request, client) = (request?, client?);
    assert!(request.starts_with("GET /rocketmq/nsaddr "), "{request}");
    assert_eq!(client.name_servers().join(";"), cluster.name_server());
    round_trip(&client).await
}
