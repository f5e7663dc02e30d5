//! The configuration that a command is given: the whole site, or the data folder alone.
//!
//! What is wrong is said here, once and for all commands: they go on with what they asked for, or end with the exit code.

use super::{Exit, check};
use crate::config::{self, Checked, DataFolder, Site, Station};
use std::path::Path;

/// A checked site file, or its defects on stderr.
pub(super) fn site(file: &Path) -> Result<Site, Exit> {
    let Checked { value, diagnostics, files } = config::check_site(file);
    value.ok_or_else(|| {
        check::report(&diagnostics, &files);
        Exit::Usage
    })
}

/// The data folder of a station; what hinders it on stderr.
pub(super) fn data_folder(file: &Path) -> Result<DataFolder, Exit> {
    config::data_folder(file).map_err(|(diagnostics, files)| {
        check::report(&diagnostics, &files);
        Exit::Usage
    })
}

/// The data folder of a site; `of_office` says why an office's file is none for this.
pub(super) fn site_folder(file: &Path, of_office: &str) -> Result<DataFolder, Exit> {
    let folder = data_folder(file)?;
    if folder.station == Station::Office {
        eprintln!("{of_office}");
        return Err(Exit::Usage);
    }
    Ok(folder)
}
