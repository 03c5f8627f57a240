//! Signals of the operating system. A process of its own: they reach all of it.
#![cfg(unix)]

use rocketmq_starter::{App, BoxError, RunError, Text};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);

fn terminate() {
    let id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
}

#[tokio::test]
async fn a_second_signal_ends_with_an_error_that_says_what_is_cut() {
    let (entered, stopping) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, at_stop) = (entered.clone(), stopping.clone());
    let stuck = move |_: Text| {
        inside.notify_one();
        std::future::pending::<()>()
    };
    let app = App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", "embedded")
        .set("rocketmq.producer.group", "tests")
        .set("rocketmq.consumer.from", "first")
        .set("rocketmq.consumer.await-termination", "1h")
        .listen("stuck", "billing", stuck)
        .on_ready(|context| async move {
            context.template().ok_or("no template")?.send("stuck", Text("a".into())).await?;
            Ok::<_, BoxError>(())
        });
    let app = app.on_stop(move |_| async move {
        at_stop.notify_one();
        Ok::<_, BoxError>(())
    });
    let running = tokio::spawn(app.run());
    timeout(LIMIT, entered.notified()).await.expect("the handler is called");
    terminate();
    terminate_until_done(running).await;
    assert!(timeout(Duration::ZERO, stopping.notified()).await.is_err(), "the hook was cut");
}

/// Equal signals that come close together may count as one.
async fn terminate_until_done(running: tokio::task::JoinHandle<Result<(), RunError>>) {
    let mut running = running;
    let ended = timeout(LIMIT, async {
        loop {
            if let Ok(ended) = timeout(Duration::from_millis(20), &mut running).await {
                break ended.expect("no panic");
            }
            terminate();
        }
    });
    match ended.await.expect("in time") {
        Err(RunError::Interrupted(cut)) => {
            assert_eq!((cut.messages().len(), cut.stop_hooks_done()), (1, false), "{cut}");
            assert_eq!((cut.messages()[0].group.as_str(), cut.messages()[0].count), ("billing", 1), "{cut}");
        }
        other => panic!("{other:?}"),
    }
}
