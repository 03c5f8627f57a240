//! The command line: [`Program`] reads it, [`run`] carries it out.

mod arguments;
mod credentials;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use clap_complete::Shell;

use crate::admin::{Access, Admin};
use crate::command::{Command, Run, missing};
use crate::failure::{Failure, FailureKind};
use crate::terminal::Terminal;

/// Look after an Apache RocketMQ cluster
#[derive(Debug, Parser)]
#[command(
    name = "mqadmin",
    version,
    arg_required_else_help = true,
    infer_subcommands = false,
    after_help = "Exit codes: 0 done, 1 the cluster refused or a part failed, 2 wrong command line, 3 no server answered.\n\
                  `mqadmin completion bash` prints a script for the shell; `mqadmin help COMMAND` explains a command."
)]
pub struct Program {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    action: Action,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Common options")]
struct Options {
    /// Name servers, such as "10.0.0.1:9876;10.0.0.2:9876". Default: the variable NAMESRV_ADDR
    #[arg(short = 'n', long = "namesrvAddr", global = true, value_name = "ADDRESSES")]
    name_servers: Option<String>,
    /// Print JSON in the place of Apache's table
    #[arg(long, global = true)]
    json: bool,
    /// Destroy without a question
    #[arg(long, short = 'y', global = true)]
    yes: bool,
    /// The time for each answer, such as 5s or 500ms
    #[arg(long, global = true, default_value = "5s", value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// The access key. Default: accessKey of $ROCKETMQ_HOME/conf/tools.yml
    #[arg(long, global = true, value_name = "KEY", requires = "secret_key")]
    access_key: Option<String>,
    /// The secret of the access key
    #[arg(long, global = true, value_name = "SECRET", requires = "access_key")]
    secret_key: Option<String>,
    /// Encrypt the connections
    #[cfg(feature = "tls")]
    #[arg(long, global = true)]
    tls: bool,
}

/// Actions of the program.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of them in a process")]
enum Action {
    #[command(flatten)]
    Command(Command),
    /// Print a script that completes commands and options in a shell
    #[command(name = "completion", after_help = "Example:\n  source <(mqadmin completion bash)")]
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mqadmin: no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (mut out, mut errors) = (io::stdout(), io::stderr());
    ExitCode::from(runtime.block_on(run(std::env::args_os(), &mut out, &mut errors)))
}

/// Carries out one command line, whose first word is the program, and returns the exit code.
pub async fn run(
    words: impl IntoIterator<Item = OsString>,
    out: &mut (dyn Write + Send),
    errors: &mut (dyn Write + Send),
) -> u8 {
    let program = match parse(words) {
        Ok(program) => program,
        Err(Stop::Clap(error)) => {
            let _ = if error.use_stderr() { write!(errors, "{error}") } else { write!(out, "{error}") };
            return if error.use_stderr() { FailureKind::Usage.exit_code() } else { 0 };
        }
        Err(Stop::Failure(failure)) => return end(&failure, errors),
    };
    match carry_out(program, out, errors).await {
        Ok(code) => code,
        Err(failure) => end(&failure, errors),
    }
}

fn end(failure: &Failure, errors: &mut (dyn Write + Send)) -> u8 {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(errors, "mqadmin: {failure}");
    failure.kind.exit_code()
}

/// Tells why a command line is not carried out.
enum Stop {
    Clap(clap::Error),
    Failure(Failure),
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Program, Stop> {
    let command = Program::command();
    let words = arguments::normalize(&command, words.into_iter().collect());
    if let Some(failure) = arguments::command_name(&words).and_then(missing::answer) {
        return Err(Stop::Failure(failure));
    }
    let matches = command.try_get_matches_from(words).map_err(Stop::Clap)?;
    Program::from_arg_matches(&matches).map_err(Stop::Clap)
}

async fn carry_out(
    program: Program,
    out: &mut (dyn Write + Send),
    errors: &mut (dyn Write + Send),
) -> Result<u8, Failure> {
    let Program { options, action } = program;
    let command = match action {
        Action::Command(command) => command,
        Action::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Program::command(), "mqadmin", &mut script);
            return out.write_all(&script).map(|()| 0).map_err(|error| Failure::refused(error.to_string()));
        }
    };
    let mut terminal = Terminal::new(out, errors).json(options.json).yes(options.yes);
    let admin = Admin::connect(&options.name_servers()?, options.access()?).await?;
    let done = command.run(&admin, &mut terminal).await;
    admin.client().shutdown().await;
    done.map(|()| if terminal.warned() { FailureKind::Refused.exit_code() } else { 0 })
}

impl Options {
    fn name_servers(&self) -> Result<String, Failure> {
        let given = self.name_servers.clone().or_else(|| std::env::var("NAMESRV_ADDR").ok());
        let given = given.filter(|addresses| !addresses.trim().is_empty());
        given.ok_or_else(|| {
            Failure::usage("no name server is named")
                .with_remedy("give -n HOST:PORT or set the variable NAMESRV_ADDR")
        })
    }

    fn access(&self) -> Result<Access, Failure> {
        let credentials = match (&self.access_key, &self.secret_key) {
            (Some(key), Some(secret)) => Some(rocketmq_client::Credentials::new(key, secret)),
            _ => credentials::of_this_machine()?,
        };
        #[cfg(feature = "tls")]
        let tls = self.tls;
        #[cfg(not(feature = "tls"))]
        let tls = false;
        Ok(Access { credentials, tls, timeout: self.timeout })
    }
}
