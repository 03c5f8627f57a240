//! The official Java client and tools: a member of consumer groups, and `mqadmin`.

use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, TestResult};

/// What it printed.
type Lines = Arc<Mutex<Vec<String>>>;

/// `tests/interop/java/Member.java` at work.
#[derive(Debug)]
pub(crate) struct JavaMember {
    child: Child,
    lines: Lines,
}

/// A group it joins.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    /// What the group reads; one group each.
    pub topic: String,
    /// The group.
    pub group: String,
    /// How the group splits the queues, as `Member.java` calls it.
    pub strategy: String,
}

impl JavaMember {
    /// Starts it with the jars of `version`, which `tests/interop/apache install` has fetched.
    pub(crate) fn start(version: &str, name_server: &str, groups: &[Membership]) -> TestResult<Self> {
        Self::start_with(version, name_server, groups, "")
    }

    /// [`start`](Self::start) with options for the virtual machine.
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

    /// Queue and body of each message that it got of a topic so far.
    pub(crate) fn seen(&self, topic: &str) -> Vec<(i32, String)> {
        let prefix = format!("got {topic} ");
        let lines = self.lines.lock();
        lines.iter().filter_map(|line| delivery(line.strip_prefix(&prefix)?)).collect()
    }

    /// Who it is in the group that reads a topic, once it is a member.
    pub(crate) fn client_id(&self, topic: &str) -> Option<String> {
        let prefix = format!("member {topic} ");
        self.lines.lock().iter().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }

    /// Lets it leave its groups in order.
    pub(crate) async fn stop(&mut self) -> TestResult {
        drop(self.child.stdin.take());
        tokio::time::timeout(2 * PATIENCE, self.child.wait()).await??;
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
    let (queue, body) = line.split_once(' ')?;
    Some((queue.parse().ok()?, body.to_owned()))
}
