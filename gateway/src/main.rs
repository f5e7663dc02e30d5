//! `hazard-gateway`: parses arguments and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::cli::main()
}
