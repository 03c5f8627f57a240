//! The operator's tool as a program.

use std::process::ExitCode;

use rocketmq_admin::program;

fn main() -> ExitCode {
    program::main()
}
