//! The parts that both programs share: command lines, logs, signals, exit codes.

mod command_line;
mod files;
mod stop;

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

pub use command_line::{Leftovers, arguments};
pub use files::make_room;
pub use stop::StopRequests;

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

/// Prints a line on standard output, which may be closed.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
