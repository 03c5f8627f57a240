//! Runs an application of the starter on two clusters at once, with an account of its own on one of them.

use std::time::Duration;

use rocketmq_server::Embedded;
use rocketmq_starter::{App, BoxError, RocketmqTemplate, RunningApp, Text};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::USER;
use crate::{PATIENCE, TestResult, unique_group};

type Heard = mpsc::UnboundedReceiver<(&'static str, String)>;

/// The application's own cluster asks for no credentials, and the shared ones, which are wrong, are for that one alone.
/// `secured` asks for the user's. A template, a listener and a pull consumer work on each.
pub async fn an_application_works_on_two_clusters_at_once(secured: &str) -> TestResult {
    let (near, (sender, mut heard)) = (Embedded::start().await?, mpsc::unbounded_channel());
    let listen = |place: &'static str| {
        let sender = sender.clone();
        move |Text(line): Text| {
            let told = sender.send((place, line));
            async move { told }
        }
    };
    let (near_group, far_group) = (unique_group(), unique_group());
    let table = format!("rocketmq.consumer.groups.{far_group}");
    let app = configured(&near.name_server(), secured)
        .listen("acl-open", near_group, listen("near"))
        .listen("acl-open", far_group, listen("far"))
        .set(format!("{table}.cluster"), "secured");
    let running = app.start().await?;
    let far = running.context().named_template("secured").ok_or("no template")?;
    for (place, template) in [("near", running.template().ok_or("no template")?), ("far", far)] {
        send_and_hear(place, template, &mut heard, &running).await?;
    }
    running.shutdown().await;
    near.shutdown().await?;
    Ok(())
}

fn configured(near: &str, secured: &str) -> App {
    let ((user, secret), wrong) = (USER, "no account anywhere");
    let app = App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", near)
        .set("rocketmq.producer.group", unique_group())
        .set("rocketmq.consumer.from", "first")
        .set("rocketmq.clusters.secured.name-server", secured)
        .set("rocketmq.clusters.secured.access-key", user)
        .set("rocketmq.clusters.secured.secret-key", secret)
        .set("rocketmq.producers.secured.group", unique_group())
        .set("rocketmq.producers.secured.cluster", "secured")
        .set("rocketmq.pull-consumers.far.cluster", "secured");
    let app = ["rocketmq.producer", "rocketmq.consumer"].into_iter().fold(app, |app, table| {
        app.set(format!("{table}.access-key"), wrong).set(format!("{table}.secret-key"), wrong)
    });
    ["near", "far"].into_iter().fold(app, |app, name| {
        let table = format!("rocketmq.pull-consumers.{name}");
        app.set(format!("{table}.group"), unique_group()).set(format!("{table}.topic"), "acl-open")
    })
}

/// Sends a line, which the listener and the pull consumer of that cluster get, and nobody else.
async fn send_and_hear(
    place: &'static str,
    template: &RocketmqTemplate,
    heard: &mut Heard,
    app: &RunningApp,
) -> TestResult {
    let line = format!("{place} {}", unique_group());
    template.send("acl-open", Text(line.clone())).await?;
    let listened = async {
        while let Some((at, text)) = heard.recv().await {
            if text == line {
                return Ok::<_, BoxError>(at);
            }
        }
        Err("the application has ended".into())
    };
    assert_eq!(timeout(PATIENCE, listened).await??, place);
    let receiver = app.context().receiver(place).ok_or("no pull consumer")?;
    let pulled = async {
        loop {
            let got = receiver.receive::<Text>(Duration::from_millis(500)).await?;
            if got.is_some_and(|Text(text)| text == line) {
                return Ok::<_, BoxError>(());
            }
        }
    };
    timeout(PATIENCE, pulled).await??;
    Ok(())
}
