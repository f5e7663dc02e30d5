//! What every command that waits needs: the runtime.

use super::Exit;

/// A runtime, or why there is none.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        eprintln!("无法启动运行时 · no runtime: {error}");
        Exit::Io
    })
}
