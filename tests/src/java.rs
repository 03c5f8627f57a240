//! The official Java client and tools: a member of a consumer group, and `mqadmin`.

use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, TestResult};

/// What it got: queue and body of each message.
type Seen = Arc<Mutex<Vec<(i32, String)>>>;

/// `tests/interop/java/Member.java` at work.
#[derive(Debug)]
pub(crate) struct JavaMember {
    child: Child,
    seen: Seen,
}

impl JavaMember {
    /// Starts it with the jars of `version`, which `tests/interop/apache install` has fetched.
    pub(crate) fn start(version: &str, name_server: &str, topic: &str, group: &str) -> TestResult<Self> {
        let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"))
            .args(["run", version, "Member", name_server, topic, group])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, seen) = (child.stdout.take().ok_or("no pipe from the Java member")?, Seen::default());
        let kept = seen.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().extend(delivery(&line));
            }
        });
        Ok(Self { child, seen })
    }

    /// What it got so far.
    pub(crate) fn seen(&self) -> Vec<(i32, String)> {
        self.seen.lock().clone()
    }

    /// Lets it leave its group in order.
    pub(crate) async fn stop(&mut self) -> TestResult {
        drop(self.child.stdin.take());
        tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

/// What `mqadmin` of `version` prints.
pub(crate) async fn admin(version: &str, args: &[&str]) -> TestResult<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache");
    let mut command = Command::new(script);
    let output = command.args(["admin", version]).args(args).kill_on_drop(true).output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn delivery(line: &str) -> Option<(i32, String)> {
    let (queue, body) = line.strip_prefix("got ")?.split_once(' ')?;
    Some((queue.parse().ok()?, body.to_owned()))
}
