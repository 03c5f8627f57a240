//! Apache's own name server and broker as processes, for tests that kill, freeze and restart them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rand::RngExt as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::wait::{PATIENCE, eventually};
use crate::{TestResult, process};

/// Ports below those that the kernel assigns.
const PORTS: std::ops::Range<u16> = 15_000..20_000;

/// A name server and a broker named `broker-a`, as `tests/interop/apache` starts them.
#[derive(Debug)]
pub struct ApacheProcesses {
    version: String,
    settings: Vec<String>,
    store: PathBuf,
    ports: Ports,
    name_server: Option<Child>,
    broker: Option<Child>,
    _folder: Option<TempDir>,
}

/// The ports of a name server and a broker.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Port of the name server.
    pub name_server: u16,
    /// Port of the broker. It also takes the ports two below and one above.
    pub broker: u16,
}

impl ApacheProcesses {
    /// Starts both on an empty store, with additional lines in the broker's settings.
    pub async fn start(version: &str, settings: &[&str]) -> TestResult<Self> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("store");
        let mut both = Self::on(version, &store, settings).await?;
        both._folder = Some(folder);
        Ok(both)
    }

    /// Starts both on an existing or empty store.
    pub async fn on(version: &str, store: &Path, settings: &[&str]) -> TestResult<Self> {
        let mut both = Self {
            version: version.to_owned(),
            settings: settings.iter().map(|&line| line.to_owned()).collect(),
            store: store.to_owned(),
            ports: free_ports(),
            name_server: None,
            broker: None,
            _folder: None,
        };
        both.start_name_server()?;
        both.start_broker()?;
        both.ready().await;
        Ok(both)
    }

    /// Returns the address for clients.
    pub fn name_server(&self) -> String {
        format!("127.0.0.1:{}", self.ports.name_server)
    }

    /// Starts the name server at its port.
    pub fn start_name_server(&mut self) -> TestResult {
        self.name_server = Some(self.script("namesrv", &[self.ports.name_server.to_string()])?);
        Ok(())
    }

    /// Starts the broker on its store.
    pub fn start_broker(&mut self) -> TestResult {
        let arguments = [vec![self.name_server(), self.ports.broker.to_string()], self.settings.clone()];
        self.broker = Some(self.script("broker", &arguments.concat())?);
        Ok(())
    }

    /// Waits until new clients learn the broker's address.
    ///
    /// # Panics
    /// Panics if that takes too long.
    pub async fn ready(&self) {
        eventually("Apache's broker in its name server's routes", 3 * PATIENCE, async || {
            let Ok(client) = rocketmq_client::connect(self.name_server()).await else { return false };
            client.route("TBW102").await.is_ok()
        })
        .await;
    }

    /// Kills the broker with SIGKILL.
    pub async fn kill_broker(&mut self) -> TestResult {
        kill(&mut self.broker).await
    }

    /// Kills the name server with SIGKILL.
    pub async fn kill_name_server(&mut self) -> TestResult {
        kill(&mut self.name_server).await
    }

    /// Stops the broker in order: it writes everything first.
    pub async fn stop_broker(&mut self) -> TestResult {
        let mut child = self.broker.take().ok_or("no broker to stop")?;
        process::signal(&child, "-TERM").await?;
        tokio::time::timeout(2 * PATIENCE, child.wait()).await??;
        Ok(())
    }

    /// Freezes the broker until it is [thawed](Self::thaw_broker): its sockets stay open and silent.
    pub async fn freeze_broker(&self) -> TestResult {
        process::signal(self.broker.as_ref().ok_or("no broker to freeze")?, "-STOP").await
    }

    /// Lets the frozen broker continue.
    pub async fn thaw_broker(&self) -> TestResult {
        process::signal(self.broker.as_ref().ok_or("no broker to thaw")?, "-CONT").await
    }

    fn script(&self, what: &str, arguments: &[String]) -> TestResult<Child> {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"));
        let command = command.args([what, &self.version]).args(arguments);
        // A small heap and an early compiler make the process start sooner.
        let command = command.env("STORE", &self.store).env("HEAP", "384m").env("JIT", "1");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.kill_on_drop(true).spawn()?)
    }
}

async fn kill(child: &mut Option<Child>) -> TestResult {
    if let Some(mut child) = child.take() {
        child.kill().await?;
    }
    Ok(())
}

/// Finds free ports. Apache does not accept port 0.
pub fn free_ports() -> Ports {
    loop {
        let first = rand::rng().random_range(PORTS);
        let all: Vec<_> = (first..first + 5).map(|port| TcpListener::bind(("127.0.0.1", port))).collect();
        if all.iter().all(Result::is_ok) {
            return Ports { name_server: first, broker: first + 3 };
        }
    }
}

/// Returns the version of Apache RocketMQ to run. Without one it prints why, and returns `None`.
pub fn java() -> Option<String> {
    let version = std::env::var("ROCKETMQ_JAVA").ok();
    if version.is_none() {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run Apache RocketMQ");
    }
    version
}
