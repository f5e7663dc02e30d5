//! The data folder and the page's address of a configuration, without the rest of it: shutting a person out must not wait until every
//! limit is right.

use super::file::{default_data_dir, default_listen, default_office_dir};
use super::{Diagnostic, SourceFile, diagnostic::Finding, layers, locate};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    Site,
    Office,
}

/// Where the office's page is when nobody says, so that both can run on one machine.
pub(super) const OFFICE_PORT: u16 = 8081;

/// Where a station keeps its files and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder {
    pub station: Station,
    /// Of a site: its key, as far as the file has one.
    pub key: Option<String>,
    pub dir: PathBuf,
    /// Address of its page.
    pub listen: SocketAddr,
    /// A site that tells an office: only then receipts are waited for.
    pub tells_office: bool,
}

/// What hindered it, and the files to show it in.
pub type NoFolder = (Vec<Diagnostic>, Vec<SourceFile>);

/// Reads the layers for the data folder only.
/// # Errors
/// A file that cannot be read, a syntax error, or neither `[site]` nor `[office]`.
pub fn data_folder(path: &Path) -> Result<DataFolder, NoFolder> {
    let layers = layers::read(path).map_err(|(files, findings)| (locate::resolve(findings, &files), files))?;
    let base = super::folder(path);
    let named = |table: &str| {
        let table = layers.table.get(table)?;
        Some(table.get("data_dir").and_then(toml::Value::as_str).map(PathBuf::from))
    };
    let found = match (named("office"), named("site")) {
        (Some(dir), _) => Some((Station::Office, dir.unwrap_or_else(default_office_dir))),
        (None, Some(dir)) => Some((Station::Site, dir.unwrap_or_else(default_data_dir))),
        (None, None) => None,
    };
    found
        .map(|(station, dir)| DataFolder {
            station,
            key: site_key(&layers.table).filter(|_| station == Station::Site),
            dir: base.join(dir),
            listen: listen(&layers.table, station),
            tells_office: station == Station::Site && layers.table.contains_key("mqtt"),
        })
        .ok_or_else(|| {
            let finding = Finding::fatal(
                "",
                (
                    "既没有 [site] 也没有 [office]，不知道数据目录".into(),
                    "neither [site] nor [office]: no data folder".into(),
                ),
                ("--config 应指向站点或镇办的配置文件".into(), "give --config the file of a site or an office".into()),
            );
            (locate::resolve(vec![finding], &layers.files), layers.files)
        })
}

fn site_key(table: &toml::Table) -> Option<String> {
    table.get("site")?.get("key")?.as_str().map(str::to_owned)
}

/// As `settings::web` has it; an address that cannot be read is `check`'s business.
fn listen(table: &toml::Table, station: Station) -> SocketAddr {
    let usual = default_listen();
    let Some(web) = table.get("web") else {
        return if station == Station::Office { SocketAddr::new(usual.ip(), OFFICE_PORT) } else { usual };
    };
    web.get("listen").and_then(toml::Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_defects_elsewhere_still_names_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("site.toml");
        std::fs::write(
            &file,
            "[site]\nkey = \"BAD KEY\"\ndata_dir = \"data\"\nnonsense = 1\n[web]\nlisten = \"[::1]:9\"\n",
        )
        .unwrap();
        let found = data_folder(&file).unwrap();
        assert_eq!(
            found,
            DataFolder {
                station: Station::Site,
                key: Some("BAD KEY".into()),
                dir: dir.path().join("data"),
                listen: "[::1]:9".parse().unwrap(),
                tells_office: false
            }
        );
        std::fs::write(&file, "[office]\n").unwrap();
        let office = data_folder(&file).unwrap();
        assert_eq!((office.listen.port(), office.key), (OFFICE_PORT, None));
        std::fs::write(&file, "[web]\n").unwrap();
        assert_eq!(data_folder(&file).unwrap_err().0.len(), 1);
    }
}
