//! The official Java client as a member of groups, and `mqadmin`.

use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, TestResult};

/// Lines of the program's output.
type Lines = Arc<Mutex<Vec<String>>>;

/// A running `tests/interop/java/Member.java`.
#[derive(Debug)]
pub(crate) struct JavaMember {
    child: Child,
    lines: Lines,
}

/// A group that the Java member joins.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    /// Topic of the group. Each topic has one group.
    pub topic: String,
    /// Name of the group.
    pub group: String,
    /// Strategy by which the group splits the queues, as `Member.java` names it.
    pub strategy: String,
}

impl JavaMember {
    /// Starts the member with the jars of `version`, which `tests/interop/apache install` has fetched.
    pub(crate) fn start(version: &str, name_server: &str, groups: &[Membership]) -> TestResult<Self> {
        Self::start_with(version, name_server, groups, "")
    }

    /// Does the same as [`start`](Self::start) with options for the virtual machine.
    pub(crate) fn start_with(
        version: &str,
        name_server: &str,
        groups: &[Membership],
        java_opts: &str,
    ) -> TestResult<Self> {
        let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"))
            .args(["run", version, "Member", name_server])
            .args(groups.iter().flat_map(|joined| [&joined.topic, &joined.group, &joined.strategy]))
            .envs((!java_opts.is_empty()).then_some(("JAVA_OPTS", java_opts)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, lines) = (child.stdout.take().ok_or("no pipe from the Java member")?, Lines::default());
        let kept = lines.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().push(line);
            }
        });
        Ok(Self { child, lines })
    }

    /// Returns queue and body of each message of a topic that the member has received.
    pub(crate) fn seen(&self, topic: &str) -> Vec<(i32, String)> {
        let prefix = format!("got {topic} ");
        let lines = self.lines.lock();
        lines.iter().filter_map(|line| delivery(line.strip_prefix(&prefix)?)).collect()
    }

    /// Returns the member's client id in the group of a topic, once it has joined.
    pub(crate) fn client_id(&self, topic: &str) -> Option<String> {
        let prefix = format!("member {topic} ");
        self.lines.lock().iter().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }

    /// Lets the member leave its groups in order.
    pub(crate) async fn stop(&mut self) -> TestResult {
        drop(self.child.stdin.take());
        tokio::time::timeout(2 * PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

/// Runs `mqadmin` of `version` and returns its output.
pub(crate) async fn admin(version: &str, args: &[&str]) -> TestResult<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache");
    let mut command = Command::new(script);
    let output = command.args(["admin", version]).args(args).kill_on_drop(true).output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn delivery(line: &str) -> Option<(i32, String)> {
    let (queue, body) = line.split_once(' ')?;
    Some((queue.parse().ok()?, body.to_owned()))
}
