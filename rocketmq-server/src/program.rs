//! What the two programs have in common: logs, signals, exit codes.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit code of a program that cannot start, the shell's view of Apache's -3.
const CANNOT_START: u8 = 253;

/// Logs to standard error, at the levels of `RUST_LOG`; warnings and worse without it.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
}

/// Runs a program to its end: 0 when it was told to stop, 253 with one line on standard error when it cannot start.
pub fn run<E: Display>(program: impl Future<Output = Result<(), E>>) -> ExitCode {
    log();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(program).map_err(|error| error.to_string()),
        Err(error) => Err(format!("cannot start the runtime: {error}")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(CANNOT_START)
        }
    }
}

/// What asks a program to stop: Ctrl-C or SIGTERM, which end it at once until this listens.
#[derive(Debug)]
pub struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
}

impl StopRequests {
    /// Listens from now on: to be called before anyone is told that the program runs.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Completes when the program was asked to stop since.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
