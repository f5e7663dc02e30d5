//! `hazard-gateway`: parses arguments and hands over.

use std::process::ExitCode;

/// Unlike the system's it gives back what was needed once, for a large configuration or a large answer.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    gateway::cli::main()
}
