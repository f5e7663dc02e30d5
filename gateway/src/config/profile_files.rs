//! The profiles that devices name: shipped ones, and files of one's own beside the configuration, with their vectors.
//!
//! Owns that every mistake of such a file is shown in that file. Leaves what a profile may say to `devices::profile`, what a vector proves
//! to `devices::vectors`.

use super::diagnostic::Finding;
use super::file::SiteFile;
use super::locate::{self, SourceFile};
use super::nearest::did_you_mean;
use super::{Beside, OwnProfile, repair, syntax};
use devices::profile::{self, Flaw, Profile, RawProfile};
use devices::vectors::Vectors;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Profiles by name, as far as they could be loaded.
pub(super) type Profiles = BTreeMap<String, Arc<Profile>>;

/// Every profile that a device names, and those among them that are files; the files are added to those that are shown.
pub(super) fn load(
    file: &SiteFile,
    beside: Beside<'_>,
    files: &mut Vec<SourceFile>,
    findings: &mut Vec<Finding>,
) -> (Profiles, Vec<OwnProfile>) {
    let mut reader = Reader { base: beside.folder, drafts: beside.drafts, files, findings };
    let (mut profiles, mut own) = (Profiles::new(), Vec::new());
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    for device in &file.device {
        let name = device.profile.as_str();
        if !tried.insert(name) && (profiles.contains_key(name) || reader.exists(name)) {
            continue;
        }
        let shipped = profile::shipped(name);
        let Some(text) = reader.text(&format!("{name}.toml"), is_plain(name)) else {
            match shipped {
                // there, but unreadable: that has been said
                _ if reader.exists(name) => {}
                Some(shipped) => drop(profiles.insert(name.to_owned(), shipped)),
                None => {
                    let own = reader.own_names();
                    reader.findings.push(unknown(&device.key, name, &own));
                }
            }
            continue;
        };
        if let Some(profile) = reader.profile(name, text) {
            own.push(reader.vectors(&profile));
            profiles.insert(name.to_owned(), Arc::new(profile));
        }
    }
    reader.unused_vectors(&tried);
    (profiles, own)
}

/// A name that is a file name and leads nowhere else.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// `own` are the names of the files beside the configuration.
fn unknown(device: &str, name: &str, own: &[String]) -> Finding {
    let names: Vec<&str> = own.iter().map(String::as_str).chain(profile::shipped_names()).collect();
    let (zh, en) = did_you_mean(name, &names);
    Finding::fatal(
        format!("device[{device}].profile"),
        (format!("没有名为 {name} 的仪表型号"), format!("there is no profile `{name}`")),
        (
            format!("{zh}；或在配置旁放 profiles/{name}.toml"),
            format!("{en}; or put profiles/{name}.toml beside the configuration"),
        ),
    )
}

struct Reader<'a> {
    base: &'a Path,
    drafts: &'a BTreeMap<String, String>,
    files: &'a mut Vec<SourceFile>,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    /// A link that leads nowhere is there as well: somebody meant a profile of their own.
    fn exists(&self, name: &str) -> bool {
        self.drafts.contains_key(name)
            || is_plain(name) && self.base.join("profiles").join(format!("{name}.toml")).symlink_metadata().is_ok()
    }

    /// The profiles of one's own, whether a device names them or not.
    fn own_names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.base.join("profiles")).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|x| x == "toml"));
        let mut names: Vec<String> = paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        names.retain(|name| is_plain(name) && profile::shipped(name).is_none());
        names.sort();
        names
    }

    /// The number of a file in `profiles` that was added to those that are shown; `None` where there is none.
    fn text(&mut self, name: &str, plain: bool) -> Option<usize> {
        let path = self.base.join("profiles").join(name);
        if !plain {
            return None;
        }
        if let Some(text) = name.strip_suffix(".toml").and_then(|name| self.drafts.get(name)) {
            self.files.push(SourceFile { name: path.display().to_string(), text: text.clone(), layer: false });
            return Some(self.files.len() - 1);
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                self.files.push(SourceFile { name: path.display().to_string(), text, layer: false });
                Some(self.files.len() - 1)
            }
            Err(error) if is_absent(&error) && path.symlink_metadata().is_err() => None,
            Err(error) => {
                self.findings.push(unreadable(&path, &error));
                None
            }
        }
    }

    /// Warns of every file of vectors that proves nothing, because no device names a profile of one's own by that name.
    fn unused_vectors(&mut self, named: &BTreeSet<&str>) {
        let folder = self.base.join("profiles/vectors");
        let entries: std::io::Result<Vec<_>> = std::fs::read_dir(&folder).and_then(Iterator::collect);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) if is_absent(&error) => return,
            Err(error) => return self.findings.push(unreadable(&folder, &error).warning()),
        };
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            // one that could not be loaded has its own mistakes to show
            if !(named.contains(&*name) && self.exists(&name)) {
                self.findings.push(unused(path, &name, named.contains(&*name)));
            }
        }
    }

    /// Says everything that is wrong with the file of that number.
    fn profile(&mut self, name: &str, file: usize) -> Option<Profile> {
        let text = self.files[file].text.clone();
        let table = self.table(file, &text)?;
        let fitted = repair::fit::<RawProfile>("", &toml::Value::Table(table));
        let shape_is_right = fitted.findings.is_empty();
        for finding in fitted.findings {
            self.say(file, &text, of_profile(finding));
        }
        let ours: Vec<&str> = fitted.tainted.iter().map(|path| path.trim_start_matches('.')).collect();
        let (profile, flaws) = Profile::from_raw(name, fitted.value?);
        for flaw in flaws.into_iter().filter(|flaw| shape_is_right || !follows(flaw, &ours)) {
            self.say(file, &text, finding(flaw));
        }
        profile.filter(|_| shape_is_right)
    }

    /// The vectors beside the profile, tried.
    fn vectors(&mut self, profile: &Profile) -> OwnProfile {
        let mut own = OwnProfile { name: profile.name.clone(), vectors: None, untried: Vec::new() };
        let Some(file) = self.text(&format!("vectors/{}.toml", profile.name), true) else { return own };
        let text = self.files[file].text.clone();
        if self.table(file, &text).is_none() {
            return own;
        }
        let tried = match Vectors::from_toml(&text) {
            Ok(vectors) => vectors.run(profile),
            Err(error) => {
                self.findings.push(no_vectors(file, &error));
                return own;
            }
        };
        let without = |name: &&&str| !tried.fields.contains(**name);
        own.untried = profile.field_names().iter().filter(without).map(ToString::to_string).collect();
        own.vectors = Some(tried.vectors);
        for flaw in tried.flaws {
            self.say(file, &text, finding(flaw));
        }
        own
    }

    /// As far as the grammar goes; its mistakes are said.
    fn table(&mut self, file: usize, text: &str) -> Option<toml::Table> {
        let errors = syntax::errors(file, text);
        if errors.is_empty() {
            return text.parse().ok();
        }
        self.findings.extend(errors);
        None
    }

    fn say(&mut self, file: usize, text: &str, finding: Finding) {
        let at = Some((file, locate::span_in(text, &finding)));
        self.findings.push(Finding { at, ..finding });
    }
}

/// In the words of a profile: its keys begin at the top, and what they may be stands in the guide.
fn of_profile(finding: Finding) -> Finding {
    let guide = |remedy: String| remedy.replace("hazard-gateway schema", "docs/profiles.md");
    Finding {
        path: finding.path.trim_start_matches('.').to_owned(),
        remedy_zh: guide(finding.remedy_zh),
        remedy_en: guide(finding.remedy_en),
        ..finding
    }
}

/// A flaw that only follows from what the shape of the file has been blamed for.
fn follows(flaw: &Flaw, ours: &[&str]) -> bool {
    let below = |path: &str| {
        ours.iter().any(|above| path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    flaw.path == "field" || below(&flaw.path) || flaw.misses.as_ref().is_some_and(|table| below(table)) || !flaw.fatal
}

fn finding(flaw: Flaw) -> Finding {
    let finding = Finding::fatal(flaw.path, (flaw.message_zh, flaw.message_en), (flaw.remedy_zh, flaw.remedy_en));
    if flaw.fatal { finding } else { finding.warning() }
}

fn no_vectors(file: usize, error: &toml::de::Error) -> Finding {
    let said = error.message().to_owned();
    let finding = Finding::fatal(
        "",
        (format!("向量文件的写法不对：{said}"), format!("this is no file of vectors: {said}")),
        (
            "每组写 [[vector]]、blocks = { \"3:0\" = \"0000 001F\" } 和 expect = { 量 = 值 }".into(),
            "write [[vector]], blocks = { \"3:0\" = \"0000 001F\" } and expect = { field = value } for each".into(),
        ),
    );
    Finding { at: Some((file, error.span().unwrap_or(0..0))), ..finding }
}

/// Nothing by that name; also where a part of the way to it is a file.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unused(path: &Path, name: &str, named: bool) -> Finding {
    let shown = path.display();
    let why = if named {
        (format!("没有自备型号 profiles/{name}.toml"), format!("there is no profiles/{name}.toml of your own"))
    } else {
        (format!("没有仪表使用型号 {name}"), format!("no device names the profile `{name}`"))
    };
    let finding = Finding::fatal(
        shown.to_string(),
        (format!("{shown} 中的向量没有运行：{}", why.0), format!("the vectors of {shown} are not run: {}", why.1)),
        (
            format!("文件名须与仪表 profile 所用的自备型号相同（profiles/{name}.toml），否则删去"),
            format!("name it as the profile of your own (profiles/{name}.toml) that a device names, or take it out"),
        ),
    );
    Finding { at: Some(super::diagnostic::NO_FILE), ..finding }.warning()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Finding {
    let shown = path.display();
    let remedy = if is_absent(error) {
        ("这是一个指向不存在文件的链接：改正或删去", "it is a link that leads nowhere: mend it, or take it out")
    } else {
        ("改正权限或文件编码（UTF-8）", "mend its permissions, or its encoding (UTF-8)")
    };
    let finding = Finding::fatal(
        shown.to_string(),
        (format!("{shown} 无法读取：{error}"), format!("{shown} cannot be read: {error}")),
        (remedy.0.into(), remedy.1.into()),
    );
    Finding { at: Some(super::diagnostic::NO_FILE), ..finding }
}
