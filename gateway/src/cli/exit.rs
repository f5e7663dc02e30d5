//! Exit codes of every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok,
    /// The check found something.
    Found,
    /// Bad usage or bad configuration.
    Usage,
    /// The running gateway refused what was asked: by role, by the state in which it is, or because it has changed since.
    Refused,
    /// The store was written by a newer version.
    NewerStore,
    /// Input or output failed.
    Io,
    /// A defect of this program.
    Internal,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::NewerStore => 3,
            Self::Io => 4,
            Self::Refused => 5,
            Self::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
