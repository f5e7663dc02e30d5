//! What `check` says of the list as a part of the site, told with the rows it came from.
//!
//! Owns the way back from a defect of what was written to row and column, and what stands in for a site that nobody has named. Leaves the
//! judging to [`crate::config`].

use super::Defect;
use super::columns::title;
use super::rows::{Fragment, List};
use crate::cli::plan;
use crate::config::{self, Checked, Diagnostic, Drafts, Site, SourceFile};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Names of files that are nowhere: what the list becomes, and what stands in for a site and for devices of defective rows.
const LIST: &str = "\u{0}list";
const STAND_IN: &str = "\u{0}stand-in";

/// Everything that is wrong or doubtful with the rows without a defect of their own; `None` where the site itself cannot be read.
pub(super) fn judge(list: &List, fragment: &Fragment, site: Option<&Path>) -> Option<Vec<Defect>> {
    let file = |name: &str, text: String| SourceFile { name: name.to_owned(), text, layer: true };
    let mut layers = vec![file(LIST, fragment.text.clone()), file(STAND_IN, stand_ins(list, site.is_some()))];
    if site.is_none() {
        layers.insert(0, file(STAND_IN, stand_in_site(list)));
    }
    let drafts = Drafts { layers, profiles: fragment.profiles.clone() };
    let found = warned(config::check_drafts(site, &drafts)?);
    let of_list = |d: &Diagnostic| of_rows(d, list, fragment);
    // without the site nobody knows whether what is doubtful is so there, but for a unit that is not the profile's
    let told = |d: &&Diagnostic| d.fatal || site.is_some() || d.path.ends_with("].unit");
    let mut defects: Vec<Defect> = found.iter().filter(told).filter_map(of_list).collect();
    if let Some(path) = site {
        defects.extend(of_whole(&found, path, list));
    }
    // a point without an area of its own is blamed for its device's as well
    let mut said = BTreeSet::new();
    defects.retain(|d| said.insert((d.row, d.column.clone(), d.zh.clone())));
    Some(defects)
}

/// All that `check` says.
fn warned(checked: Checked<Site>) -> Vec<Diagnostic> {
    let Checked { value, mut diagnostics, files } = checked;
    if let Some(site) = value {
        diagnostics.extend(config::load_warnings(&plan::all(&site, 0), &files));
    }
    diagnostics
}

/// What is said elsewhere in the site because of the list, such as a line that is full now; what was said without it is not the list's.
fn of_whole(found: &[Diagnostic], site: &Path, list: &List) -> Vec<Defect> {
    if list.has_defects() {
        return Vec::new();
    }
    let before: BTreeSet<(String, String)> =
        warned(config::check_site(site)).into_iter().map(|d| (d.path, d.message_en)).collect();
    let elsewhere = |d: &&Diagnostic| d.file != LIST && d.file != STAND_IN && list.drafts().of_file(&d.file).is_none();
    let new = found.iter().filter(elsewhere).filter(|d| !before.contains(&(d.path.clone(), d.message_en.clone())));
    new.map(|d| {
        let place = format!("{}:{} {}", d.file, d.line, d.path);
        told(d, 0, &place)
    })
    .collect()
}

/// The defect at its row, where it is one of the list.
fn of_rows(d: &Diagnostic, list: &List, fragment: &Fragment) -> Option<Defect> {
    if d.file == LIST {
        let row = fragment.row_of_line(d.line)?;
        return Some(told(d, row, &title(column_of(&d.path, |key| list.has_cell(row, key)))));
    }
    let (row, key) = list.drafts().row_of(&d.file, &d.path)?;
    Some(told(d, row, &title(key)))
}

fn told(d: &Diagnostic, row: usize, column: &str) -> Defect {
    let joined = |message: &str, remedy: &str, between: &str| {
        let message = message.trim_end_matches(['。', '.']);
        if remedy.is_empty() { message.to_owned() } else { format!("{message}{between}{remedy}") }
    };
    let words = (joined(&d.message_zh, &d.remedy_zh, "；"), joined(&d.message_en, &d.remedy_en, "; "));
    Defect { fatal: d.fatal, ..Defect::new(row, column, words) }
}

/// The column that a key of the configuration comes from.
fn column_of(path: &str, has_cell: impl Fn(&str) -> bool) -> &'static str {
    let (entry, rest) = path.split_once(']').unwrap_or(("", path));
    let keys: Vec<&str> = rest.split(['.', '[']).filter(|key| !key.is_empty()).collect();
    let of_device = entry.starts_with("device");
    match keys.as_slice() {
        ["unit", ..] if of_device => "unit_id",
        ["link", ..] => "link",
        ["profile", ..] => "profile",
        ["area", ..] => "area",
        ["range", ..] => {
            if has_cell("high") {
                "high"
            } else {
                "low"
            }
        }
        ["limits", limit, "priority"] => of_limit(limit, &["priority_hh", "priority_h", "priority_l", "priority_ll"])
            .filter(|key| has_cell(key))
            .unwrap_or("priority"),
        ["limits", _, key @ ("deadband" | "delay_s" | "cause" | "consequence" | "action" | "action_en")] => same(key),
        ["limits", _, "latching"] => "latching_hh",
        ["limits", limit, ..] => of_limit(limit, &["hh", "h", "l", "ll"]).unwrap_or("key"),
        [key, ..] => same(key),
        [] if of_device => "device",
        [] => "key",
    }
}

fn of_limit(limit: &str, columns: &[&'static str; 4]) -> Option<&'static str> {
    ["HH", "H", "L", "LL"].iter().position(|word| *word == limit).map(|n| columns[n])
}

/// A column of the same name; anything else is about the whole row.
fn same(key: &str) -> &'static str {
    super::columns::keys().find(|column| *column == key).unwrap_or("key")
}

/// Links and areas as the list names them, so that only what the list says is looked at.
fn stand_in_site(list: &List) -> String {
    let mut text = "[site]\nkey = \"import\"\nname = \"-\"\nname_en = \"-\"\ndata_dir = \"data\"\n".to_owned();
    for (n, key) in list.links().into_iter().enumerate() {
        let _ = writeln!(text, "[[link]]\nkey = {}\ntcp = \"127.0.{}.{}:502\"", quoted(key), n / 250, n % 250 + 1);
    }
    for key in list.areas() {
        let _ = writeln!(
            text,
            "[[area]]\nkey = {}\nname = \"-\"\nname_en = \"-\"\npolygon = [[0, 0], [1, 0], [1, 1]]",
            quoted(key)
        );
    }
    text
}

/// Devices that rows name and nothing describes, because their row has a defect or, without a site, because they stand there: of their
/// points everything else is looked at.
fn stand_ins(list: &List, with_site: bool) -> String {
    let missing = if with_site { list.left_out() } else { list.undescribed().into_keys().collect() };
    let device = |(n, key): (usize, &str)| {
        let (key, unit) = (quoted(key), n % 65_000);
        format!(
            "[[device]]\nkey = {key}\nlink = \"import-stand-in\"\nunit = {unit}\nprofile = \"-\"\narea = \"import-stand-in\"\n"
        )
    };
    let devices: String = missing.into_iter().enumerate().map(device).collect();
    if devices.is_empty() {
        return devices;
    }
    let area =
        "[[area]]\nkey = \"import-stand-in\"\nname = \"-\"\nname_en = \"-\"\npolygon = [[0, 0], [1, 0], [1, 1]]\n";
    format!("{area}[[link]]\nkey = \"import-stand-in\"\ntcp = \"127.0.255.1:502\"\n{devices}")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
