//! The Spring Boot application of `tests/interop/spring`, in a process of its own.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

use super::journal::{Got, Journal};
use super::{Body, Letter, Sent};
use crate::{PATIENCE, TestResult};

/// A line of the program.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Got(Got),
    Answer { answer: u64, result: Value },
    Failed { answer: u64, error: String },
    Ready { ready: bool },
}

/// Those who wait for an answer, by the number of their command. Number 0 waits for the start.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>>;

/// The running application.
#[derive(Debug)]
pub struct SpringMember {
    child: Child,
    commands: tokio::sync::Mutex<ChildStdin>,
    next: AtomicU64,
    waiting: Waiting,
    journal: Journal,
}

impl SpringMember {
    /// Starts the application, and waits until its listeners run.
    pub(super) async fn start(name_server: &str, run: &str) -> TestResult<Self> {
        let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/spring/member"))
            .args(["run", name_server, run])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no pipe to the Spring application")?;
        let stdout = child.stdout.take().ok_or("no pipe from the Spring application")?;
        let (waiting, journal) = (Waiting::default(), Journal::default());
        let (ready, started) = oneshot::channel();
        waiting.lock().insert(0, ready);
        tokio::spawn(read(stdout, waiting.clone(), journal.clone()));
        // A cold virtual machine beside others takes its time.
        answered(started, 6 * PATIENCE).await?;
        Ok(SpringMember { child, commands: stdin.into(), next: AtomicU64::new(1), waiting, journal })
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) async fn send(&self, destination: &str, letter: &Letter) -> TestResult<Sent> {
        let answer = self.command(destination, serde_json::to_value(letter)?).await?;
        match answer.get("status").and_then(Value::as_str) {
            None | Some("SEND_OK") => Ok(serde_json::from_value(answer)?),
            Some(status) => Err(format!("{destination}: {status}").into()),
        }
    }

    pub(super) async fn ask(&self, destination: &str, body: &Body) -> TestResult<Value> {
        let how = json!({ "as": "request" });
        self.command(destination, json!({ "how": how, "bodies": [body], "headers": {} })).await
    }

    async fn command(&self, destination: &str, mut command: Value) -> TestResult<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (waiter, answer) = oneshot::channel();
        self.waiting.lock().insert(id, waiter);
        command["id"] = id.into();
        command["destination"] = destination.into();
        self.commands.lock().await.write_all(format!("{command}\n").as_bytes()).await?;
        Ok(answered(answer, 2 * PATIENCE)
            .await
            .map_err(|error| format!("Spring, to {destination}: {error}"))?)
    }

    /// Ends the application.
    pub(super) async fn stop(mut self) -> TestResult {
        drop(self.commands);
        tokio::time::timeout(2 * PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

async fn answered(answer: oneshot::Receiver<Result<Value, String>>, limit: Duration) -> TestResult<Value> {
    let answer = tokio::time::timeout(limit, answer).await?;
    Ok(answer.map_err(|_| "the Spring application has ended; its reason is on standard error")??)
}

/// Hands each line to whom it concerns. What the program prints besides is shown.
async fn read(stdout: ChildStdout, waiting: Waiting, journal: Journal) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some(text) = line.strip_prefix("@ ") else {
            println!("Spring: {line}");
            continue;
        };
        let (id, answer) = match serde_json::from_str(text) {
            Ok(Line::Got(got)) => {
                journal.keep(got);
                continue;
            }
            Ok(Line::Answer { answer, result }) => (answer, Ok(result)),
            Ok(Line::Failed { answer, error }) => (answer, Err(error)),
            Ok(Line::Ready { ready }) => (0, Ok(ready.into())),
            Err(error) => {
                println!("Spring: {error} in {line}");
                continue;
            }
        };
        if let Some(waiter) = waiting.lock().remove(&id) {
            // A caller that no longer waits has failed by its deadline.
            let _ = waiter.send(answer);
        }
    }
    waiting.lock().clear();
}
