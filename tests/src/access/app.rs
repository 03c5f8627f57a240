//! Runs an application of the starter whose template and listener sign as different users.

use rocketmq_starter::health::TopicState;
use rocketmq_starter::{App, BoxError, State, Text, rocketmq_listener};
use std::time::Duration;
use tokio::sync::mpsc;

use super::{ADMIN, USER};
use crate::{PATIENCE, TestResult};

type Lines = mpsc::UnboundedSender<String>;

#[rocketmq_listener(topic = "acl-pub", group = "acl-app", from = "first")]
async fn note(Text(line): Text, State(lines): State<Lines>) -> Result<(), BoxError> {
    lines.send(line)?;
    Ok(())
}

/// The template signs as the user, and may send; the listener signs as the administrator, and may receive.
pub async fn an_application_signs(name_server: &str) -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("application.toml");
    let ((user, user_secret), (admin, admin_secret)) = (USER, ADMIN);
    std::fs::write(
        &file,
        format!(
            "[rocketmq]\nname-server = '{name_server}'\n[rocketmq.producer]\ngroup = 'acl-app-senders'\n\
             access-key = '{user}'\nsecret-key = '{user_secret}'\n[rocketmq.consumer.groups.acl-app]\n\
             access-key = '{admin}'\nsecret-key = '{admin_secret}'\n"
        ),
    )?;
    let (sender, mut lines) = mpsc::unbounded_channel();
    let app = App::new().environment::<String, String>([]).config_file(file);
    let running = app.state::<Lines>(sender).listener(note).start().await?;
    let template = running.template().ok_or("no template without a producer group")?.clone();
    template.send("acl-pub", Text("from the template".into())).await?;
    let refused = template.send("acl-sub", Text("from the template".into())).await;
    assert!(refused.is_err(), "{refused:?}");
    let heard = async {
        while let Some(line) = lines.recv().await {
            if line == "from the template" {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(PATIENCE, heard).await?, "the application has ended");
    running.shutdown().await;
    Ok(())
}

/// With refused credentials an application runs on, but is not ready.
pub async fn a_listener_that_is_refused_is_not_ready(name_server: &str) -> TestResult {
    let app = App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", name_server)
        .set("rocketmq.consumer.access-key", USER.0)
        .set("rocketmq.consumer.secret-key", "not the secret")
        .listen("acl-pub", "acl-app-refused", async |_: Text| {});
    let running = app.start().await?;
    let refused = async {
        while running.health().listeners[0].state != TopicState::Refused {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await?;
    let health = running.health();
    let listener = &health.listeners[0];
    assert!(!health.ready && listener.is_connected() && !listener.is_subscribed(), "{health:?}");
    assert!(health.to_string().contains("denies access"), "{health}");
    running.shutdown().await;
    Ok(())
}
