//! A broker in a process of its own, which a test can kill with SIGKILL.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rocketmq_server::clock::System;
use rocketmq_server::config::NamesrvConfig;
use rocketmq_server::namesrv::NameServer;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, TestResult};

/// A name server in this process, and a broker that comes and goes. The broker gets a new port at each start.
#[derive(Debug)]
pub struct BrokerProcess {
    program: PathBuf,
    name_server: NameServer,
    folder: TempDir,
    child: Option<Child>,
}

impl BrokerProcess {
    /// Starts `program` on an empty store, with additional settings. `program` is
    /// `env!("CARGO_BIN_EXE_broker_under_test")`, which only an integration test knows.
    pub async fn start(program: impl Into<PathBuf>, settings: &str) -> TestResult<Self> {
        let name_server = NameServer::start(NamesrvConfig::ephemeral(), Arc::new(System)).await?;
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("store");
        let file = format!(
            "brokerName=broker-a\nlistenPort=0\nnamesrvAddr={}\nstorePathRootDir={}\n{settings}\n",
            name_server.address(),
            store.display()
        );
        std::fs::write(settings_file(folder.path()), file)?;
        let mut process = Self { program: program.into(), name_server, folder, child: None };
        process.restart().await?;
        Ok(process)
    }

    /// Returns the address for clients.
    pub fn name_server(&self) -> String {
        self.name_server.address().to_string()
    }

    /// Returns the folder of the broker's store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Kills the broker with SIGKILL: it writes, answers and unregisters nothing any more.
    pub async fn kill(&mut self) -> TestResult {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts the broker on the same store, and waits until its name server knows it.
    pub async fn restart(&mut self) -> TestResult {
        let mut child = Command::new(&self.program)
            .arg(settings_file(self.folder.path()))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no pipe to the broker")?;
        let mut lines = BufReader::new(stdout).lines();
        let listening = tokio::time::timeout(PATIENCE, lines.next_line()).await??;
        listening.ok_or("the broker did not start; its reason is on standard error")?;
        self.child = Some(child);
        Ok(())
    }
}

fn settings_file(folder: &Path) -> PathBuf {
    folder.join("broker.conf")
}

/// Sends a signal, named as for the command `kill`.
pub(crate) async fn signal(child: &Child, signal: &str) -> TestResult {
    let id = child.id().ok_or("a process that has ended")?.to_string();
    let status = Command::new("kill").args([signal, &id]).status().await?;
    if status.success() { Ok(()) } else { Err(format!("kill {signal} {id}: {status}").into()) }
}
