//! Configuration: files in, checked site out.
//!
//! Owns the checked types and the way to them: layers → shape → build, and for every defect its place. Leaves rules about
//! alarms and risks to `rules::RuleBook` and register maps to `devices::profile`.

mod absent;
mod address;
mod alarm_parts;
mod alarm_tables;
mod annunciator;
mod bracket;
mod build;
mod buses;
mod calls;
mod derived;
pub mod diagnostic;
mod doubtful;
mod english;
mod fast;
pub mod file;
mod folder;
mod full_width;
mod heartbeat;
mod layers;
mod links;
mod load;
pub mod locate;
mod nearest;
mod noise;
mod off_plan;
mod own;
mod pace;
mod parts;
mod place;
mod profile_files;
mod register;
mod repair;
mod retyped;
mod secrets;
mod settings;
mod shape;
mod substances;
mod syntax;
mod twice;
mod unassessed;
mod wiring;
mod words;

pub(crate) use address::{Form as AddressForm, is_no_address};
pub(crate) use calls::without_people;
pub use diagnostic::{Diagnostic, Finding};
pub use folder::{DataFolder, NoFolder, Station, data_folder};
pub use load::load_warnings;
pub use locate::SourceFile;
pub(crate) use nearest::{nearest, nearest_few};
pub use noise::{compared, noise_warnings};
pub(crate) use substances::SubstanceWord;

use crate::snapshot::SiteView;
use devices::BusSpec;
use devices::annunciator::RelaySpec;
use devices::derive::Expression;
use rules::annunciator::Scheme;
use rules::{PointId, RuleBook};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A loaded configuration or `None`, everything that was found, and the files to show it in.
#[derive(Debug)]
pub struct Checked<T> {
    pub value: Option<T>,
    pub diagnostics: Vec<Diagnostic>,
    pub files: Vec<SourceFile>,
}

/// Loads and checks a site file with its layers.
/// # Errors
/// All diagnostics, at least one of them fatal.
pub fn load_site(path: &Path) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    check_site(path).into_result()
}

/// Loads and checks an office file with its layers.
/// # Errors
/// All diagnostics, at least one of them fatal.
pub fn load_office(path: &Path) -> Result<(Office, Vec<Diagnostic>), Vec<Diagnostic>> {
    check_office(path).into_result()
}

/// As [`load_site`], with the texts for printing.
#[must_use]
pub fn check_site(path: &Path) -> Checked<Site> {
    finish(layers::read(path), |layers| {
        build::site(shape::site(&layers.table), &layers.table, beside(folder(path)), &mut layers.files)
    })
}

/// As [`load_office`], with the texts for printing.
#[must_use]
pub fn check_office(path: &Path) -> Checked<Office> {
    finish(layers::read(path), |layers| build::office(shape::office(&layers.table), &layers.table, folder(path)))
}

/// A site from text that is already in memory (`demo`, tests); `edit` may change the merged table before it is checked.
pub fn site_from_text(name: &str, text: &str, edit: impl FnOnce(&mut toml::Table)) -> Checked<Site> {
    let files = vec![SourceFile { name: name.to_owned(), text: text.to_owned(), layer: true }];
    finish(layers::merge(files, false), |layers| {
        edit(&mut layers.table);
        build::site(shape::site(&layers.table), &layers.table, beside(Path::new("")), &mut layers.files)
    })
}

/// Files that nobody has written yet.
#[derive(Clone, Debug, Default)]
pub struct Drafts {
    /// Layers behind those of the site, as files of its `conf.d` would be.
    pub layers: Vec<SourceFile>,
    /// Profiles by name, as files of its `profiles` would be.
    pub profiles: BTreeMap<String, String>,
}

/// A site as it would be with the drafts; without a `path` of the drafts alone. `None` where its own layers cannot be read: [`check_site`]
/// says why.
#[must_use]
pub fn check_drafts(path: Option<&Path>, drafts: &Drafts) -> Option<Checked<Site>> {
    let layers = drafts.layers.clone();
    let read = match path {
        Some(path) => layers::read_with(path, layers),
        None => layers::merge(layers, false),
    };
    let beside = Beside { folder: path.map_or(Path::new(""), folder), drafts: &drafts.profiles };
    read.is_ok().then(|| {
        finish(read, |layers| build::site(shape::site(&layers.table), &layers.table, beside, &mut layers.files))
    })
}

/// What lies beside a configuration.
#[derive(Clone, Copy)]
struct Beside<'a> {
    folder: &'a Path,
    /// Profiles that are to be there, by name.
    drafts: &'a BTreeMap<String, String>,
}

/// Nothing but the files of the folder.
fn beside(folder: &Path) -> Beside<'_> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    Beside { folder, drafts: &NONE }
}

/// True when the file describes an office.
#[must_use]
pub fn is_office(path: &Path) -> bool {
    has_table(path, "office")
}

/// True when the file describes a site.
#[must_use]
pub fn is_site(path: &Path) -> bool {
    has_table(path, "site")
}

fn has_table(path: &Path, name: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| {
        let (doc, _) = toml::de::DeTable::parse_recoverable(&text);
        doc.get_ref().iter().any(|(key, _)| key.get_ref() == name)
    })
}

fn finish<T>(
    read: Result<layers::Layers, layers::Unreadable>,
    build: impl FnOnce(&mut layers::Layers) -> Result<(T, Vec<Finding>), Vec<Finding>>,
) -> Checked<T> {
    let (value, findings, files) = match read {
        Err((files, findings)) => (None, findings, files),
        Ok(mut layers) => match build(&mut layers) {
            Ok((value, findings)) => (Some(value), findings, layers.files),
            Err(findings) => (None, findings, layers.files),
        },
    };
    Checked { value, diagnostics: locate::resolve(findings, &files), files }
}

impl<T> Checked<T> {
    /// The value with its warnings, or all diagnostics.
    /// # Errors
    /// When there is no value.
    pub fn into_result(self) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        match self.value {
            Some(value) => Ok((value, self.diagnostics)),
            None => Err(self.diagnostics),
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Everything `run` needs, checked.
#[derive(Clone, Debug)]
pub struct Site {
    /// Site key in topics and event ids: `[a-z0-9-]{1,32}`.
    pub key: String,
    pub data_dir: PathBuf,
    pub book: RuleBook,
    pub view: Arc<SiteView>,
    pub buses: Vec<BusSpec>,
    /// Computed points, each after those it needs.
    pub derived: Vec<(PointId, Expression)>,
    pub web: WebSettings,
    pub mqtt: Option<MqttSettings>,
    pub influx: Option<InfluxSettings>,
    pub history: HistorySettings,
    pub annunciator: Option<AnnunciatorSettings>,
    /// Profiles that are files beside the configuration, for `check` to speak of.
    pub own_profiles: Vec<OwnProfile>,
}

/// A profile of the site's own, and how far its vectors prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnProfile {
    pub name: String,
    /// How many were tried; `None` where there is no file of vectors.
    pub vectors: Option<usize>,
    /// Fields that no vector looks at.
    pub untried: Vec<String>,
}

/// Sounder and beacon: what is driven, and by which scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnunciatorSettings {
    pub relay: RelaySpec,
    pub scheme: Scheme,
}

/// The township office.
#[derive(Clone, Debug)]
pub struct Office {
    pub data_dir: PathBuf,
    pub name: String,
    pub name_en: String,
    pub web: WebSettings,
    pub mqtt: MqttSettings,
}

/// Web server settings of both roles.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSettings {
    /// Loopback unless `allow_plain_http` is set.
    pub listen: SocketAddr,
    /// A proxy adds TLS before it: cookies are Secure, and a proxy on this machine says who asks.
    pub behind_tls: bool,
    /// Signs in a demo operator by itself; only `demo` sets it, only on loopback.
    pub demo_operator: bool,
}

/// Broker settings of both roles.
#[derive(Clone, Debug, PartialEq)]
pub struct MqttSettings {
    pub host: String,
    pub port: u16,
    pub client_id: String,
    pub username: Option<String>,
    pub password: Option<String>,
    pub keep_alive: Duration,
}

/// InfluxDB 2 settings.
#[derive(Clone, Debug, PartialEq)]
pub struct InfluxSettings {
    pub url: String,
    pub org: String,
    pub bucket: String,
    /// Read from the file or credential the configuration names.
    pub token: String,
}

/// History settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistorySettings {
    /// Group commit; default 1 s.
    pub commit_interval: Duration,
    /// Budget of the history folder; the oldest day goes first.
    pub max_bytes: u64,
}
